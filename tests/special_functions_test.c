/* The special functions of the library, compiled and run in the IR's evaluator, against values of
 * many digits: testdata/special/special_values.tsv, where the script that made it says how to read
 * it. */
#include "lower/lower.h"

#include <check.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GROUPS = 200, MAX_NUMBERS = 16, MAX_LINE = 4096 };

/* A function at many points: rows of x, the value and its derivatives. */
typedef struct {
  char *expression;
  double tolerance, slope_tolerance, floor; /* numbers below the floor count as near 0 */
  int arguments;
  size_t rows, capacity;
  double *numbers; /* rows of 2 * arguments + 1 */
} Group;

static Group groups[MAX_GROUPS];
static int group_count;

/* ---- the table ---- */

static bool read_head(const char *line, Group *g) {
  const char *end = strchr(line, '\t');
  if (!end) return false;
  *g = (Group){.expression = strndup(line + 2, (size_t)(end - line) - 2)};
  return sscanf(end, "%lf %lf %lf", &g->tolerance, &g->slope_tolerance, &g->floor) == 3;
}

static bool read_row(const char *line, Group *g) {
  double row[MAX_NUMBERS];
  int n = 0;
  char *end;
  for (const char *at = line; *at && *at != '\n'; at = end) {
    if (n == MAX_NUMBERS) return false;
    row[n++] = strtod(at, &end);
    if (end == at) return false;
  }
  if (g->rows == 0) g->arguments = (n - 1) / 2;
  if (n != 2 * g->arguments + 1 || n < 3) return false;
  if (g->rows == g->capacity) {
    g->capacity = g->capacity ? 2 * g->capacity : 32;
    g->numbers = realloc(g->numbers, sizeof *row * (size_t)n * g->capacity);
    if (!g->numbers) return false;
  }
  memcpy(g->numbers + g->rows++ * (size_t)n, row, sizeof *row * (size_t)n);
  return true;
}

static bool read_table(const char *path) {
  FILE *in = fopen(path, "r");
  char line[MAX_LINE];
  bool good = in != NULL;
  while (good && fgets(line, sizeof line, in)) {
    if (line[0] == '=')
      good = group_count < MAX_GROUPS && read_head(line, &groups[group_count++]);
    else
      good = group_count > 0 && read_row(line, &groups[group_count - 1]);
  }
  if (!good) fprintf(stderr, "%s cannot be read\n", path);
  if (in) fclose(in);
  return good;
}

static void free_table(void) {
  for (int k = 0; k < group_count; k++) {
    free(groups[k].expression);
    free(groups[k].numbers);
  }
}

/* ---- the comparison ---- */

/* The log density of a program that is nothing but the function. */
static Lowered *lower_group(Arena *a, const Group *g) {
  const char *source =
      arena_printf(a, "parameters {\n  vector[%d] x;\n}\nmodel {\n  target += %s;\n}\n",
                   g->arguments, g->expression);
  Diagnostics *d = diagnostics_new(a);
  Sources *sources = sources_new(a);
  jmp_buf fatal;
  diag_on_fatal(d, &fatal);
  if (setjmp(fatal)) {
    size_t n;
    const Diagnostic *list = diag_list(d, &n);
    ck_abort_msg("%s cannot be lowered: %s", g->expression, n ? list[n - 1].message : "");
  }
  uint32_t file = sources_add(sources, "special.stan", source, strlen(source));
  Program *program = parse_program(a, sources, file, (ParseOptions){0}, d);
  ck_assert_msg(program && check_program(a, program, (CheckOptions){0}, d), "%s is not accepted",
                g->expression);
  LowerOptions o = {.entry = ENTRY_LOG_DENSITY};
  return lower_program(a, program, &o, sources, d);
}

static void same(const Group *g, const double *x, const char *what, double got, double want,
                 double tolerance) {
  if (fabs(got - want) <= tolerance * fmax(fabs(want), g->floor)) return;
  char point[256] = "";
  for (int k = 0; k < g->arguments; k++) {
    size_t n = strlen(point);
    snprintf(point + n, sizeof point - n, " %.17g", x[k]);
  }
  ck_abort_msg("%s at%s: %s is %.17g, not %.17g, off by %.2g of %.2g", g->expression, point, what,
               got, want, fabs(got - want) / fmax(fabs(want), g->floor), tolerance);
}

START_TEST(special_function) {
  const Group *g = &groups[_i];
  Arena *a = arena_new();
  Lowered *l = lower_group(a, g);
  const char *wrong = ir_verify(l->function);
  ck_assert_msg(!wrong, "%s: %s", g->expression, wrong);
  size_t n = (size_t)g->arguments, width = 2 * n + 1;
  IrTensor *x = ir_tensor_new(a, ir_type(IR_F64, 2, (int64_t[]){(int64_t)g->rows, g->arguments}));
  for (size_t k = 0; k < g->rows; k++)
    memcpy(x->data.f64 + k * n, g->numbers + k * width, n * sizeof(double));
  const IrTensor *arg = x, *results[2];
  IrPlan *plan = ir_plan_new(l->function);
  const char *error = ir_plan_run(plan, &arg, results);
  ck_assert_msg(!error, "%s: %s", g->expression, error);
  for (size_t k = 0; k < g->rows; k++) {
    const double *row = g->numbers + k * width;
    same(g, row, "the value", results[0]->data.f64[k], row[n], g->tolerance);
    for (size_t i = 0; i < n; i++)
      same(g, row, "the derivative", results[1]->data.f64[k * n + i], row[n + 1 + i],
           g->slope_tolerance);
  }
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

int main(void) {
  if (!read_table(STAN2ONNX_SOURCE_DIR "/testdata/special/special_values.tsv")) return EXIT_FAILURE;
  Suite *s = suite_create("special functions");
  TCase *t = tcase_create("values and derivatives");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, special_function, 0, group_count);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  free_table();
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
