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

static const char *const files[] = {"linear_algebra", "transforms"};

static json_t *cases;

/* All cases of all files. */
static json_t *read_cases(void) {
  json_t *all = json_array();
  for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, STAN2ONNX_SOURCE_DIR "/testdata/library/%s.json", files[k]);
    json_t *list = json_load_file(path, 0, &error);
    if (!list) fprintf(stderr, "%s: %s\n", path, error.text);
    if (!list || json_array_extend(all, list)) return NULL;
    json_decref(list);
  }
  return all;
}

static const char *text_of(const json_t *c, const char *key) {
  return json_string_value(json_object_get(c, key));
}

static Lowered *lower(Arena *a, const char *name, const char *source) {
  Diagnostics *d = diagnostics_new(a);
  Sources *sources = sources_new(a);
  jmp_buf fatal;
  diag_on_fatal(d, &fatal);
  if (setjmp(fatal)) {
    size_t n;
    const Diagnostic *list = diag_list(d, &n);
    ck_abort_msg("%s cannot be lowered: %s", name, n ? list[n - 1].message : "");
  }
  uint32_t file = sources_add(sources, "case.stan", source, strlen(source));
  Program *program = parse_program(a, sources, file, (ParseOptions){0}, d);
  ck_assert_msg(program && check_program(a, program, (CheckOptions){0}, d), "%s is not accepted",
                name);
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
  Lowered *l = lower(a, text_of(c, "name"), text_of(c, "program"));
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

/* ---- sizes ---- */

/* Of parameters a, w[2], v[3], W[2, 3], M[3, 3], and e, Z and Q, which have no elements: terms that
 * Stan throws on for their sizes, and terms that are what they are of nothing. */
static const char *const thrown[] = {
    "sum(cholesky_decompose(W))",
    "sum(inverse(W))",
    "log_determinant(W)",
    "sum(mdivide_left(M, w))",
    "sum(mdivide_left_tri_low(M, w))",
    "sum(mdivide_left_tri_low(W, w))",
    "sum(mdivide_right_tri_low(w', M))",
    "sum(mdivide_left_spd(M, W))",
    "sum(W / W)",
    "sum(W \\ w)",
    "sum(diag_pre_multiply(v, W))",
    "sum(diag_post_multiply(W, w))",
    "sum(add_diag(W, v))",
    "sum(quad_form(M, W))",
    "quad_form(M, w)",
    "sum(quad_form_diag(M, w))",
    "trace_gen_quad_form(M, M, W)",
    "dot_product(v, w)",
    "distance(v, w)",
    "sum(columns_dot_product(W, M))",
    "sum(rows_dot_product(W, M))",
    "sum(eigenvalues_sym(W))",
    "sum(matrix_exp(W))",
    "sum(matrix_power(M, -1))",
    "sum(chol2inv(W))",
    "mean(e)",
    "log_mix(softmax(v), w)",
    "sum(head(v, 4))",
    "sum(tail(v, -1))",
    "sum(segment(v, 0, 2))",
    "sum(segment(v, 3, 2))",
    "sum(block(M, 2, 2, 3, 1))",
    "sum(sub_row(W, 3, 1, 2))",
    "sum(sub_col(W, 1, 4, 2))",
    "row(W, 3)[1]",
    "col(W, 4)[1]",
    "sum(one_hot_vector(3, 4))",
    "sum(uniform_simplex(0))",
    "sum(identity_matrix(-1))",
    "trace_dot(W, W)",
    "sum(gp_exp_quad_cov({v, v}, {w, w}, 1, 1))",
    "hmm_marginal(W, M, v)",
    "hmm_marginal(Q, M, v)",
    "sum(csr_matrix_times_vector(2, 2, v, {1, 3, 1}, {1, 3, 4}, w))",
    "multi_normal_lpdf(v | w, M)",
};

static const struct {
  const char *term;
  double value;
} of_nothing[] = {
    {"sum(cholesky_decompose(Z))", 0},
    {"sum(inverse(Z))", 0},
    {"determinant(Z)", 1},
    {"log_determinant(Z)", 0},
    {"log_determinant_spd(Z)", 0},
    {"sum(mdivide_left(Z, e))", 0},
    {"sum(mdivide_left_tri_low(Z, e))", 0},
    {"sum(eigenvalues_sym(Z))", 0},
    {"sum(singular_values(Q))", 0},
    {"sum(generalized_inverse(Q))", 0},
    {"sum(qr_R(Q))", 0},
    {"sum(matrix_exp(Z))", 0},
    {"sum(diag_matrix(e))", 0},
    {"sum(multiply_lower_tri_self_transpose(Q))", 0},
    {"log_sum_exp(e)", -INFINITY},
    {"norm2(e)", 0},
    {"sum(segment(v, 4, 0))", 0},
    {"sum(block(M, 1, 1, 0, 3))", 0},
    {"sum(linspaced_vector(0, 1, 2))", 0},
    {"sum(identity_matrix(0))", 0},
};

static void check_term(const char *term, double value) {
  Arena *a = arena_new();
  const char *source =
      arena_printf(a,
                   "parameters {\n  real a;\n  vector[2] w;\n  vector[3] v;\n  matrix[2, 3] W;\n"
                   "  matrix[3, 3] M;\n  vector[0] e;\n  matrix[0, 0] Z;\n  matrix[3, 0] Q;\n}\n"
                   "model {\n  target += %s;\n}\n",
                   term);
  Lowered *l = lower(a, term, source);
  enum { CHAINS = 2, SIZE = 21 };
  IrTensor *x = ir_tensor_new(a, ir_type(IR_F64, 2, (int64_t[]){CHAINS, SIZE}));
  for (int k = 0; k < CHAINS * SIZE; k++) x->data.f64[k] = 0.1 * k - 0.7;
  const IrTensor *arg = x, *results[2];
  IrPlan *plan = ir_plan_new(l->function);
  const char *error = ir_plan_run(plan, &arg, results);
  ck_assert_msg(!error, "%s: %s", term, error);
  for (int c = 0; c < CHAINS; c++)
    ck_assert_msg(results[0]->data.f64[c] == value, "%s is %g, not %g", term,
                  results[0]->data.f64[c], value);
  for (int k = 0; k < CHAINS * SIZE; k++)
    ck_assert_msg(results[1]->data.f64[k] == 0, "the gradient of %s is not 0", term);
  ir_plan_free(plan);
  arena_free(a);
}

START_TEST(throws) { check_term(thrown[_i], -INFINITY); }
END_TEST

START_TEST(nothing) { check_term(of_nothing[_i].term, of_nothing[_i].value); }
END_TEST

int main(void) {
  cases = read_cases();
  if (!cases) return EXIT_FAILURE;
  Suite *s = suite_create("library");
  TCase *t = tcase_create("values");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, function, 0, (int)json_array_size(cases));
  suite_add_tcase(s, t);
  TCase *sizes = tcase_create("sizes");
  tcase_add_loop_test(sizes, throws, 0, (int)(sizeof thrown / sizeof *thrown));
  tcase_add_loop_test(sizes, nothing, 0, (int)(sizeof of_nothing / sizeof *of_nothing));
  suite_add_tcase(s, sizes);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  json_decref(cases);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
