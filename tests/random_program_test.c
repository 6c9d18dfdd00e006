/* Programs that draw random numbers: the same numbers whatever the batch, the engine, the dialect
 * and the way of the data; other numbers for every call, iteration, element, draw and seed; what
 * Stan would throw on spoils nothing else. */
#include "generate_check.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DRAWS = 64 };

/* ---- a program with everything in it ---- */

static const char *const program =
    "functions {\n"
    "  real walk_rng(int steps, real sigma) {\n"
    "    real x = 0;\n"
    "    for (k in 1:steps) x = normal_rng(x, sigma);\n"
    "    return x;\n"
    "  }\n"
    "  int waited_rng(real p) {\n"
    "    int n = 1;\n"
    "    while (bernoulli_rng(p) == 0) n += 1;\n"
    "    return n;\n"
    "  }\n"
    "}\n"
    "data { int<lower=0> N; vector[N] x; array[N] int<lower=0> n; }\n"
    "transformed data { vector[N] shift = to_vector(normal_rng(x, 0.1)); }\n"
    "parameters { real mu; real<lower=0> sigma; }\n"
    "model { x ~ normal(mu + shift, sigma); }\n"
    "generated quantities {\n"
    "  vector[N] shifted = shift;\n"
    "  array[N] real y = normal_rng(x + mu, sigma);\n"
    "  vector[N] z;\n"
    "  array[N] int counts;\n"
    "  for (i in 1:N) {\n"
    "    z[i] = gamma_rng(1 + x[i]^2, sigma);\n"
    "    counts[i] = binomial_rng(n[i], inv_logit(mu + x[i]));\n"
    "  }\n"
    "  vector[6] series;\n"
    "  series[1] = normal_rng(0, 1);\n"
    "  for (t in 2:6) series[t] = normal_rng(0.5 * series[t - 1], sigma);\n"
    "  real walked = walk_rng(7, sigma);\n"
    "  int waited = waited_rng(0.3);\n"
    "  int events = poisson_rng(exp(3 * mu));\n"
    "  real either = 0;\n"
    "  if (mu > 0) either = normal_rng(10, 1); else either = -gamma_rng(2, 1);\n"
    "  matrix[2, 2] w = wishart_rng(5, [[2, 0.5], [0.5, sigma + 1]]);\n"
    "  array[3] vector[2] points;\n"
    "  for (k in 1:3) points[k] = multi_normal_rng([mu, k]', [[2, 0.5], [0.5, 1]]);\n"
    "  vector[3] parts = dirichlet_rng([0.5, 1, sigma]');\n"
    "  int category = categorical_rng(parts);\n"
    "  vector[N] some = rep_vector(0, N);\n"
    "  for (i in 1:N) if (n[i] > 2) some[i] = uniform_rng(x[i], x[i] + 1);\n"
    "  vector[N] chained;\n"
    "  {\n"
    "    real now = 0;\n"
    "    for (i in 1:N) {\n"
    "      for (k in 1:3) now = normal_rng(now, 1);\n"
    "      for (k in 1:n[i]) now = 0.5 * now + gamma_rng(2, sigma);\n"
    "      chained[i] = now;\n"
    "    }\n"
    "  }\n"
    "  int times = poisson_rng(2);\n"
    "  real total = 0;\n"
    "  for (k in 1:times) total += normal_rng(k, 1);\n"
    "  real last = std_normal_rng();\n"
    "}\n";

static const char *const data =
    "{\"N\": 5, \"x\": [0.5, -1, 2, 0.1, 1.5], \"n\": [0, 3, 20, 200, 2]}";

/* Parameters of the first `draws` of MAX_DRAWS draws, from number `first` on. */
static const char *parameters(Arena *a, int first, int draws) {
  Text s = text_new(a);
  text_add(&s, "{\"mu\": [");
  for (int k = 0; k < draws; k++) text_printf(&s, "%s%.17g", k ? ", " : "", sin(1.7 * (first + k)));
  text_add(&s, "], \"sigma\": [");
  for (int k = 0; k < draws; k++)
    text_printf(&s, "%s%.17g", k ? ", " : "", 1 + 0.8 * cos(0.9 * (first + k)));
  text_add(&s, "]}");
  return s.data;
}

static Generation generation(Arena *a, int draws) {
  return (Generation){.source = program,
                      .data = data,
                      .baked = true,
                      .inputs = parameters(a, 0, draws),
                      .draws = draws,
                      .seed = 42};
}

/* The draws that both have are the same, integers exactly. */
static void check_same(const char *what, const Generated *x, const Generated *y) {
  ck_assert_uint_eq(x->count, y->count);
  for (size_t k = 0; k < x->count; k++) {
    const OrtTensor *s = &x->tensors[k], *t = generated(y, x->names[k]);
    int64_t n = ort_count(s) < ort_count(t) ? ort_count(s) : ort_count(t);
    ck_assert_int_eq(s->element, t->element);
    for (int64_t i = 0; i < n; i++) {
      double u = generated_number(s, i), v = generated_number(t, i);
      double tolerance = s->element == ORT_I64 ? 0 : 1e-11;
      ck_assert_msg(fabs(u - v) <= tolerance * fmax(1, fabs(u)), "%s: %s[%lld] is %.17g and %.17g",
                    what, x->names[k], (long long)i, u, v);
    }
  }
}

START_TEST(same_whatever_the_batch) {
  Arena *a = arena_new();
  Generation all = generation(a, MAX_DRAWS), some = generation(a, 7), one = generation(a, 1);
  Generated whole = generate_in_runtime(a, &all), part = generate_in_runtime(a, &some);
  check_same("64 and 7 draws", &whole, &part);
  part = generate_in_runtime(a, &one);
  check_same("64 draws and 1", &whole, &part);
  arena_free(a);
}
END_TEST

START_TEST(same_in_the_evaluator) {
  Arena *a = arena_new();
  Generation g = generation(a, 16);
  Generated x = generate_in_runtime(a, &g), y = generate_in_evaluator(a, &g);
  check_same("ONNX Runtime and the evaluator", &x, &y);
  g.baked = false;
  y = generate_in_evaluator(a, &g);
  check_same("the evaluator with data given when it runs", &x, &y);
  arena_free(a);
}
END_TEST

START_TEST(same_for_data_and_dialects) {
  Arena *a = arena_new();
  Generation g = generation(a, 16);
  Generated x = generate_in_runtime(a, &g);
  g.baked = false;
  Generated y = generate_in_runtime(a, &g);
  check_same("data baked in and not", &x, &y);
  g.prob = true;
  y = generate_in_runtime(a, &g);
  check_same("dialects, data not baked in", &x, &y);
  g.baked = true;
  y = generate_in_runtime(a, &g);
  check_same("dialects, data baked in", &x, &y);
  arena_free(a);
}
END_TEST

/* Loops that are unrolled, or gone, where the data are known. */
START_TEST(same_for_few_data) {
  static const char *const few[] = {"{\"N\": 0, \"x\": [], \"n\": []}",
                                    "{\"N\": 1, \"x\": [0.5], \"n\": [3]}",
                                    "{\"N\": 2, \"x\": [0.5, 2], \"n\": [1, 1]}",
                                    "{\"N\": 3, \"x\": [0.5, 2, 1], \"n\": [4, 4, 4]}"};
  for (size_t k = 0; k < sizeof few / sizeof *few; k++) {
    Arena *a = arena_new();
    Generation g = generation(a, 5);
    g.data = few[k];
    Generated x = generate_in_runtime(a, &g);
    g.baked = false;
    Generated y = generate_in_runtime(a, &g);
    check_same(few[k], &x, &y);
    y = generate_in_evaluator(a, &g);
    check_same(few[k], &x, &y);
    arena_free(a);
  }
}
END_TEST

START_TEST(seeds_differ) {
  Arena *a = arena_new();
  Generation g = generation(a, 4);
  Generated x = generate_in_runtime(a, &g);
  g.seed = INT64_C(42) << 32;
  Generated y = generate_in_runtime(a, &g);
  for (size_t k = 0; k < x.count; k++) {
    if (x.tensors[k].element != ORT_F64) continue;
    const OrtTensor *s = &x.tensors[k], *t = generated(&y, x.names[k]);
    bool any = false;
    for (int64_t i = 0; i < ort_count(s); i++)
      any |= generated_number(s, i) != generated_number(t, i);
    ck_assert_msg(any, "%s does not depend on the seed", x.names[k]);
  }
  arena_free(a);
}
END_TEST

/* Transformed data are drawn once, for all draws, and the same for the density. */
START_TEST(transformed_data) {
  Arena *a = arena_new();
  Generation g = generation(a, 9);
  Generated x = generate_in_runtime(a, &g);
  const OrtTensor *shift = generated(&x, "shifted");
  double sum = 0;
  for (int64_t i = 0; i < ort_count(shift); i++) {
    ck_assert_double_eq(generated_number(shift, i), generated_number(shift, i % 5));
    sum += i < 5 ? generated_number(shift, i) : 0;
  }
  g.log_density = true;
  g.inputs = "{\"unconstrained\": [[0.3, 0], [0.7, 0]]}";
  Generated d = generate_in_runtime(a, &g), e = generate_in_evaluator(a, &g);
  check_same("density", &d, &e);
  /* of the sum of (x + shift - mu)^2 / 2, with sigma 1: its derivative by mu */
  for (int c = 0; c < 2; c++) {
    double gradient = generated_number(generated(&d, "gradient"), 2 * c);
    ck_assert_double_eq_tol(gradient, 3.1 - sum - 5 * (c ? 0.7 : 0.3), 1e-10);
  }
  arena_free(a);
}
END_TEST

/* ---- no number twice ---- */

static const char *const many =
    "generated quantities {\n"
    "  array[10] real a = uniform_rng(rep_vector(0, 10), 1);\n"
    "  array[10] real b = uniform_rng(rep_vector(0, 10), 1);\n"
    "  real c = uniform_rng(0, 1);\n"
    "  real d = uniform_rng(0, 1);\n"
    "  matrix[4, 5] e;\n"
    "  for (i in 1:4) for (j in 1:5) e[i, j] = uniform_rng(0, 1);\n"
    "  array[3, 4] real f;\n"
    "  for (i in 1:3) f[i] = uniform_rng(rep_vector(0, 4), 1);\n"
    "  vector[8] g;\n"
    "  g[1] = 0.1;\n"
    "  for (i in 2:8) g[i] = uniform_rng(0, 1) + 0 * g[i - 1];\n"
    "  vector[20] h;\n"
    "  { int n = 0; real last = 0; while (n < 20) { n += 1; last = uniform_rng(0, 1) + 0 * last;"
    " h[n] = last; } }\n"
    "  matrix[6, 6] k = rep_matrix(0, 6, 6);\n"
    "  for (i in 1:6) for (j in 1:i) k[i, j] = uniform_rng(0, 1);\n"
    "  real l = uniform_rng(0, 1);\n"
    "  vector[3] m;\n"
    "  for (i in 1:3) { if (l < 2) m[i] = uniform_rng(0, 1); else m[i] = uniform_rng(0, 1); }\n"
    "  real o = uniform_rng(0, 1);\n"
    "  array[5, 6] real p;\n"
    "  { real s = 0; for (i in 1:5) for (j in 1:6) { s = uniform_rng(0, 1) + 0 * s; p[i, j] = s; } "
    "}\n"
    "  array[7] vector[3] q;\n"
    "  { vector[3] s = rep_vector(0, 3); for (i in 1:7) {"
    " s = to_vector(uniform_rng(rep_vector(0, 3), 1)) + 0 * s; q[i] = s; } }\n"
    "  array[9, 3] real r;\n"
    "  { real s = 0; for (i in 1:9) for (j in 1:3) { s = uniform_rng(0, 1) + 0 * s; r[i, j] = s; } "
    "}\n"
    "}\n";

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

START_TEST(no_number_twice) {
  Arena *a = arena_new();
  Generation g = {.source = many, .baked = true, .data = "{}", .draws = 8, .seed = 3};
  Generated x = generate_in_runtime(a, &g), y = generate_in_evaluator(a, &g);
  check_same("ONNX Runtime and the evaluator", &x, &y);
  double *all = ARENA_ARRAY(a, double, 8 * 400);
  size_t n = 0;
  for (size_t k = 0; k < x.count; k++)
    for (int64_t i = 0; i < ort_count(&x.tensors[k]); i++) {
      double u = generated_number(&x.tensors[k], i);
      if (u != 0 && u != 0.1) all[n++] = u;
    }
  ck_assert_uint_eq(n, 8 * (10 + 10 + 2 + 20 + 12 + 7 + 20 + 21 + 1 + 3 + 1 + 30 + 21 + 27));
  qsort(all, n, sizeof *all, compare_numbers);
  for (size_t k = 1; k < n; k++) ck_assert_double_ne(all[k], all[k - 1]);
  arena_free(a);
}
END_TEST

/* The normal numbers of one call and the next, of neighbouring elements, iterations and draws are
 * not correlated: their products have mean 0, within five standard errors. */
START_TEST(not_correlated) {
  Arena *a = arena_new();
  enum { DRAWS = 10000, COUNT = 6 };
  Generation g = {.source = "generated quantities { vector[6] z; z[1:2] = to_vector(normal_rng("
                            "rep_vector(0, 2), 1)); for (i in 3:4) z[i] = normal_rng(0, 1);"
                            " z[5] = normal_rng(0, 1); z[6] = normal_rng(0 * z[5], 1); }",
                  .baked = true,
                  .data = "{}",
                  .draws = DRAWS,
                  .seed = 7};
  Generated x = generate_in_runtime(a, &g);
  const OrtTensor *z = generated(&x, "z");
  for (int j = 0; j < COUNT; j++)
    for (int k = 0; k < COUNT; k++) {
      double sum = 0;
      for (int i = 1; i < DRAWS; i++) {
        double other = generated_number(z, (int64_t)(j < k ? i : i - 1) * COUNT + k);
        sum += generated_number(z, (int64_t)i * COUNT + j) * other;
      }
      ck_assert_msg(fabs(sum) <= 5 * sqrt(DRAWS), "%d and %d: %g", j, k, sum / DRAWS);
    }
  arena_free(a);
}
END_TEST

/* ---- what Stan throws on ---- */

static const char *const broken = "data { vector[3] sigma; }\n"
                                  "parameters { real p; }\n"
                                  "generated quantities {\n"
                                  "  array[3] real y = normal_rng(1, sigma);\n"
                                  "  vector[3] z;\n"
                                  "  for (i in 1:3) z[i] = gamma_rng(2, sigma[i]);\n"
                                  "  int n = poisson_rng(p);\n"
                                  "  int b = bernoulli_rng(p);\n"
                                  "  int k = binomial_rng(10, p);\n"
                                  "  vector[2] d = dirichlet_rng([p, 1]');\n"
                                  "  int c = categorical_rng([p, 1 - p]');\n"
                                  "  real u = uniform_rng(0.5, p);\n"
                                  "  int far = poisson_log_rng(30 * p);\n"
                                  "  real fine = normal_rng(p, 1);\n"
                                  "}\n";

/* Whether an element is NaN or, of integers, the least of Stan's. */
static bool is_nothing(const OrtTensor *t, int64_t i) {
  double x = generated_number(t, i);
  return t->element == ORT_F64 ? isnan(x) : x == -2147483648.0;
}

START_TEST(thrown) {
  static const struct {
    const char *name;
    bool nothing[2]; /* for p = -0.5, p = 0.75 */
  } expected[] = {{"n", {true, false}},   {"b", {true, false}},    {"k", {true, false}},
                  {"d", {true, false}},   {"c", {true, false}},    {"u", {true, false}},
                  {"far", {false, true}}, {"fine", {false, false}}};
  Arena *a = arena_new();
  Generation g = {.source = broken,
                  .data = "{\"sigma\": [1, -1, 2]}",
                  .inputs = "{\"p\": [-0.5, 0.75]}",
                  .draws = 2,
                  .seed = 1};
  for (int engine = 0; engine < 4; engine++) {
    g.baked = engine & 1;
    Generated x = engine & 2 ? generate_in_evaluator(a, &g) : generate_in_runtime(a, &g);
    for (int i = 0; i < 6; i++) {
      ck_assert_int_eq(is_nothing(generated(&x, "y"), i), i % 3 == 1);
      ck_assert_int_eq(is_nothing(generated(&x, "z"), i), i % 3 == 1);
    }
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
      const OrtTensor *t = generated(&x, expected[k].name);
      int64_t n = ort_count(t) / 2;
      for (int64_t i = 0; i < 2 * n; i++)
        ck_assert_msg(is_nothing(t, i) == expected[k].nothing[i / n], "%s of draw %d is %g",
                      expected[k].name, (int)(i / n), generated_number(t, i));
    }
  }
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("programs that draw random numbers");
  TCase *c = tcase_create("programs");
  tcase_set_timeout(c, 300);
  tcase_add_test(c, same_whatever_the_batch);
  tcase_add_test(c, same_in_the_evaluator);
  tcase_add_test(c, same_for_data_and_dialects);
  tcase_add_test(c, same_for_few_data);
  tcase_add_test(c, seeds_differ);
  tcase_add_test(c, transformed_data);
  tcase_add_test(c, no_number_twice);
  tcase_add_test(c, not_correlated);
  tcase_add_test(c, thrown);
  suite_add_tcase(s, c);
  return run_generating(s);
}
