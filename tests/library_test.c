/* Functions of the library, compiled and run in the IR's evaluator, against reference values:
 * testdata/library holds small programs with log densities and gradients, and the scripts that made
 * them. */
#include "lower/lower.h"
#include "runtime/values.h"

#include <check.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-12;

static json_t *cases;

static json_t *read_cases(const char *file) {
  json_error_t error;
  json_t *list = json_load_file(file, 0, &error);
  if (!list) fprintf(stderr, "%s: %s\n", file, error.text);
  return list;
}

static const char *text_of(const json_t *c, const char *key) {
  return json_string_value(json_object_get(c, key));
}

static Lowered *lower(Arena *a, const json_t *c) {
  const char *source = text_of(c, "program");
  Diagnostics *d = diagnostics_new(a);
  Sources *sources = sources_new(a);
  jmp_buf fatal;
  diag_on_fatal(d, &fatal);
  if (setjmp(fatal)) {
    size_t n;
    const Diagnostic *list = diag_list(d, &n);
    ck_abort_msg("%s cannot be lowered: %s", text_of(c, "name"), n ? list[n - 1].message : "");
  }
  uint32_t file = sources_add(sources, "case.stan", source, strlen(source));
  Program *program = parse_program(a, sources, file, (ParseOptions){0}, d);
  ck_assert_msg(program && check_program(a, program, (CheckOptions){0}, d), "%s is not accepted",
                text_of(c, "name"));
  LowerOptions o = {.entry = ENTRY_LOG_DENSITY};
  return lower_program(a, program, &o, sources, d);
}

/* The points [first, first + count) as rows. */
static IrTensor *points_of(Arena *a, const json_t *points, size_t first, size_t count) {
  size_t size = json_array_size(json_object_get(json_array_get(points, first), "x"));
  int64_t dims[2] = {(int64_t)count, (int64_t)size};
  IrTensor *x = ir_tensor_new(a, ir_type(IR_F64, 2, dims));
  for (size_t k = 0; k < count; k++)
    for (size_t i = 0; i < size; i++)
      x->data.f64[k * size + i] = json_number_value(
          json_array_get(json_object_get(json_array_get(points, first + k), "x"), i));
  return x;
}

static void same(const json_t *c, size_t point, const char *what, double got, double want) {
  ck_assert_msg(fabs(got - want) <= TOLERANCE * fmax(1, fabs(want)),
                "%s, point %zu: %s is %.17g, not %.17g", text_of(c, "name"), point, what, got,
                want);
}

static void check_points(Arena *a, IrPlan *plan, const json_t *c, size_t first, size_t count) {
  const json_t *points = json_object_get(c, "points");
  const IrTensor *x = points_of(a, points, first, count), *results[2];
  const char *error = ir_plan_run(plan, &x, results);
  ck_assert_msg(!error, "%s: %s", text_of(c, "name"), error);
  int64_t size = x->type.dim[1];
  for (size_t k = 0; k < count; k++) {
    const json_t *p = json_array_get(points, first + k), *g = json_object_get(p, "gradient");
    same(c, first + k, "the log density", results[0]->data.f64[k],
         json_number_value(json_object_get(p, "log_density")));
    for (int64_t i = 0; i < size; i++)
      same(c, first + k, "the gradient", results[1]->data.f64[(int64_t)k * size + i],
           json_number_value(json_array_get(g, (size_t)i)));
  }
}

/* All points at once, then the first by itself. */
START_TEST(function) {
  const json_t *c = json_array_get(cases, (size_t)_i);
  Arena *a = arena_new();
  Lowered *l = lower(a, c);
  const char *wrong = ir_verify(l->function);
  ck_assert_msg(!wrong, "%s: %s", text_of(c, "name"), wrong);
  ck_assert_int_eq(l->input_count, 1);
  ck_assert_int_eq(l->output_count, 2);
  IrPlan *plan = ir_plan_new(l->function);
  check_points(a, plan, c, 0, json_array_size(json_object_get(c, "points")));
  check_points(a, plan, c, 0, 1);
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

int main(void) {
  cases = read_cases(STAN2ONNX_SOURCE_DIR "/testdata/library/linear_algebra.json");
  if (!cases) return EXIT_FAILURE;
  Suite *s = suite_create("library");
  TCase *t = tcase_create("linear algebra");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, function, 0, (int)json_array_size(cases));
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  json_decref(cases);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
