/* Every random number function against its distribution: the numbers of a continuous one, put
 * through its distribution function, are uniform (Kolmogorov and Smirnov); those of a discrete one
 * come as often as its mass function says (Pearson); of a multivariate one, statistics have their
 * means. Seeds are fixed. */
#include "generate_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 10000 };

static Generated draw(Arena *a, const char *source, int64_t seed) {
  Generation g = {.source = source, .baked = true, .data = "{}", .draws = DRAWS, .seed = seed};
  return generate_in_runtime(a, &g);
}

/* ---- continuous distributions ---- */

static const struct {
  const char *name, *arguments;
  const char *cdf; /* of y; NULL: NAME_cdf of the same arguments */
} continuous[] = {
    {"uniform", "-1, 3", NULL},
    {"normal", "1.5, 2", NULL},
    {"lognormal", "0.3, 0.5", NULL},
    {"exp_mod_normal", "1, 2, 0.5", NULL},
    {"exponential", "2", NULL},
    {"cauchy", "1, 2", NULL},
    {"double_exponential", "1, 2", NULL},
    {"skew_double_exponential", "1, 2, 0.3", NULL},
    {"frechet", "3, 2", NULL},
    {"weibull", "3, 2", NULL},
    {"rayleigh", "2", NULL},
    {"gumbel", "1, 2", NULL},
    {"logistic", "1, 2", NULL},
    {"loglogistic", "2, 3", NULL},
    {"pareto", "2, 3", NULL},
    {"pareto_type_2", "1, 2, 3", NULL},
    {"gamma", "2.5, 2", NULL},
    {"gamma", "1, 0.5", NULL},
    {"gamma", "0.3, 2", NULL},
    {"gamma", "80, 2", NULL},
    {"inv_gamma", "3, 2", NULL},
    {"chi_square", "3", NULL},
    {"inv_chi_square", "5", NULL},
    {"scaled_inv_chi_square", "5, 2", NULL},
    {"student_t", "5, 1, 2", NULL},
    {"student_t", "0.8, 1, 2", NULL},
    {"beta", "2, 3", NULL},
    {"beta", "0.4, 0.3", NULL},
    {"beta_proportion", "0.3, 5", "beta_cdf(y | 1.5, 3.5)"},
};
enum { CONTINUOUS = sizeof continuous / sizeof *continuous };

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* sqrt(n) times the largest distance from the uniform distribution function: above 2.2 for one of
 * 8000 seeds. */
static double distance_from_uniform(double *u, int64_t n) {
  double most = 0;
  qsort(u, (size_t)n, sizeof *u, compare_numbers);
  for (int64_t i = 0; i < n; i++) {
    most = fmax(most, fabs(u[i] - (double)i / (double)n));
    most = fmax(most, fabs(u[i] - (double)(i + 1) / (double)n));
  }
  return most * sqrt((double)n);
}

static void check_uniform(Arena *a, const char *what, const OrtTensor *t) {
  int64_t n = ort_count(t);
  double *u = ARENA_ARRAY(a, double, (size_t)n);
  for (int64_t i = 0; i < n; i++) {
    u[i] = generated_number(t, i);
    ck_assert_msg(u[i] >= 0 && u[i] <= 1, "%s: %g", what, u[i]);
  }
  double distance = distance_from_uniform(u, n);
  ck_assert_msg(distance < 2.2, "%s: the distance is %g", what, distance);
}

START_TEST(continuous_distribution) {
  Arena *a = arena_new();
  const char *name = continuous[_i].name, *arguments = continuous[_i].arguments;
  const char *cdf = continuous[_i].cdf;
  if (!cdf) cdf = arena_printf(a, "%s_cdf(y | %s)", name, arguments);
  const char *source = arena_printf(a, "generated quantities { real y = %s_rng(%s); real u = %s; }",
                                    name, arguments, cdf);
  Generated g = draw(a, source, 1 + _i);
  check_uniform(a, arena_printf(a, "%s(%s)", name, arguments), generated(&g, "u"));
  arena_free(a);
}
END_TEST

/* Its name has no distribution function of this form. */
START_TEST(standard_normal) {
  Arena *a = arena_new();
  Generated g = draw(a, "generated quantities { real u = Phi(std_normal_rng()); }", 1);
  check_uniform(a, "std_normal", generated(&g, "u"));
  arena_free(a);
}
END_TEST

/* Around the circle, wherever it is cut. */
START_TEST(von_mises_stays_on_its_turn) {
  Arena *a = arena_new();
  Generated g = draw(a, "generated quantities { real y = von_mises_rng(-20.5, 0.5); }", 1);
  const double turn = 6.28318530717958647693, mu = -20.5 + 4 * turn;
  for (int64_t i = 0; i < DRAWS; i++) {
    double y = generated_number(generated(&g, "y"), i);
    ck_assert(y >= mu - turn / 2 && y <= mu + turn / 2);
  }
  arena_free(a);
}
END_TEST

/* ---- discrete distributions ---- */

static const struct {
  const char *name, *arguments;
  int least, most; /* outcomes counted one by one; the others together */
} discrete[] = {
    {"bernoulli", "0.3", 0, 1},
    {"bernoulli_logit", "0.3", 0, 1},
    {"discrete_range", "-2, 5", -2, 5},
    {"poisson", "0.2", 0, 4},
    {"poisson", "3.5", 0, 14},
    {"poisson", "10", 0, 25},
    {"poisson", "35.5", 10, 65},
    {"poisson", "1000", 900, 1100},
    {"poisson_log", "1.5", 0, 15},
    {"neg_binomial", "2, 0.5", 0, 20},
    {"neg_binomial_2", "20, 2", 0, 80},
    {"neg_binomial_2_log", "2, 0.5", 0, 40},
    {"beta_neg_binomial", "3, 4, 2", 0, 20},
    {"binomial", "10, 0.3", 0, 10},
    {"binomial", "10, 0.9", 0, 10},
    {"binomial", "100, 0.6", 40, 80},
    {"binomial", "100, 0.25", 5, 45},
    {"binomial", "100000, 0.00005", 0, 15},
    {"beta_binomial", "20, 2, 3", 0, 20},
    {"yule_simon", "3", 1, 12},
    {"hypergeometric", "10, 15, 20", 0, 10},
    {"hypergeometric", "30, 25, 20", 10, 25},
    {"hypergeometric", "300, 4000, 7000", 60, 160},
    {"categorical", "[0.2, 0, 0.3, 0.5]'", 1, 4},
    {"categorical_logit", "[0.2, -1, 0.5]'", 1, 3},
    {"ordered_logistic", "0.4, [-1, 0, 2]'", 1, 4},
    {"ordered_probit", "0.4, [-1, 0, 2]'", 1, 4},
};
enum { DISCRETE = sizeof discrete / sizeof *discrete };

/* Pearson's statistic, with cells expected to hold fewer than 10 put together with the next, as a
 * normal number (Wilson and Hilferty 1931). */
static double excess(const double *observed, const double *expected, int cells) {
  double o = 0, e = 0, sum = 0;
  int used = 0;
  for (int k = 0; k < cells; k++) {
    o += observed[k];
    e += expected[k];
    double left = 0;
    for (int j = k + 1; j < cells; j++) left += expected[j];
    if (e < 10 || (left < 10 && k + 1 < cells)) continue;
    sum += (o - e) * (o - e) / e;
    o = e = 0;
    used++;
  }
  double freedom = used - 1;
  if (used < 2) return 0;
  return (cbrt(sum / freedom) - (1 - 2 / (9 * freedom))) / sqrt(2 / (9 * freedom));
}

START_TEST(discrete_distribution) {
  Arena *a = arena_new();
  const char *name = discrete[_i].name, *arguments = discrete[_i].arguments;
  int least = discrete[_i].least, cells = discrete[_i].most - least + 1;
  const char *source =
      arena_printf(a,
                   "transformed data { vector[%d] p; for (k in 1:%d)"
                   " p[k] = exp(%s_lpmf(k + (%d) | %s)); }"
                   "generated quantities { int y = %s_rng(%s); vector[%d] mass = p; }",
                   cells, cells, name, least - 1, arguments, name, arguments, cells);
  Generated g = draw(a, source, 1 + _i);
  double *observed = ARENA_ARRAY(a, double, (size_t)cells + 1);
  double *expected = ARENA_ARRAY(a, double, (size_t)cells + 1), rest = 1;
  for (int64_t i = 0; i < DRAWS; i++) {
    double k = generated_number(generated(&g, "y"), i) - least;
    observed[k >= 0 && k < cells ? (int)k : cells]++;
  }
  for (int k = 0; k < cells; k++) {
    double mass = generated_number(generated(&g, "mass"), k);
    expected[k] = mass * DRAWS;
    rest -= mass;
    ck_assert_msg(mass > 0 || observed[k] == 0, "%s: an impossible outcome", name);
  }
  ck_assert_msg(rest > -1e-6 && rest < 0.2, "%s: probabilities", name);
  expected[cells] = fmax(rest, 0) * DRAWS;
  double z = excess(observed, expected, cells + 1);
  ck_assert_msg(z < 4, "%s(%s) is %g standard deviations off", name, arguments, z);
  arena_free(a);
}
END_TEST

/* ---- several numbers at once ---- */

static const struct {
  const char *name, *statistics; /* statements that make the vector s, with t already there */
  int count;
  double means[8];
} joint[] = {
    {"skew_normal",
     "real y = skew_normal_rng(1, 2, -3); vector[3] s = [y, y^2, y^3]';",
     3,
     {-0.5138795132120961, 1.9722409735758073, -4.258226450617897}},
    {"von_mises",
     "vector[3] y = to_vector(von_mises_rng({0, 0, 0}, {0.1, 2, 30}));"
     "vector[8] s = append_row(append_row(cos(y), cos(2 * y)), sin(y[1:2]));",
     8,
     {0.04993760398793893, 0.697774657964008, 0.9831895553653353, 0.00124792024122161,
      0.302225342035992, 0.9344540296423105, 0, 0}},
    {"multi_normal",
     "vector[2] y = multi_normal_rng([1, 2]', [[2, 0.5], [0.5, 1]]) - [1, 2]';"
     "vector[5] s = [y[1], y[2], y[1]^2, y[1] * y[2], y[2]^2]';",
     5,
     {0, 0, 2, 0.5, 1}},
    {"multi_normal_cholesky",
     "vector[2] y = multi_normal_cholesky_rng([1, 2]', [[2, 0], [0.5, 1]]) - [1, 2]';"
     "vector[5] s = [y[1], y[2], y[1]^2, y[1] * y[2], y[2]^2]';",
     5,
     {0, 0, 4, 1, 1.25}},
    {"multi_normal of arrays",
     "array[2] vector[2] mu = {[1, 2]', [3, 4]'};"
     "array[2] vector[2] y = multi_normal_rng(mu, [[2, 0.5], [0.5, 1]]);"
     "vector[6] s = [y[1][1], y[1][2], y[2][1], y[2][2], (y[1][1] - 1) * (y[2][1] - 3),"
     " (y[2][1] - 3) * (y[2][2] - 4)]';",
     6,
     {1, 2, 3, 4, 0, 0.5}},
    {"multi_student_t",
     "vector[2] y = multi_student_t_rng(9, [1, 2]', [[2, 0.5], [0.5, 1]]) - [1, 2]';"
     "vector[5] s = [y[1], y[2], y[1]^2, y[1] * y[2], y[2]^2]';",
     5,
     {0, 0, 18. / 7, 4.5 / 7, 9. / 7}},
    {"multi_student_t_cholesky",
     "vector[2] y = multi_student_t_cholesky_rng(9, [1, 2]', [[2, 0], [0.5, 1]]) - [1, 2]';"
     "vector[5] s = [y[1], y[2], y[1]^2, y[1] * y[2], y[2]^2]';",
     5,
     {0, 0, 36. / 7, 9. / 7, 11.25 / 7}},
    {"dirichlet",
     "vector[3] y = dirichlet_rng([0.5, 1, 2.5]');"
     "vector[6] s = [y[1], y[2], y[3], y[1]^2, y[1] * y[3], sum(y)]';",
     6,
     {0.125, 0.25, 0.625, 0.5 * 1.5 / 20, 0.5 * 2.5 / 20, 1}},
    {"multinomial",
     "vector[3] y = to_vector(multinomial_rng([0.2, 0.3, 0.5]', 20));"
     "vector[6] s = [y[1], y[2], y[3], (y[1] - 4)^2, (y[1] - 4) * (y[2] - 6), sum(y)]';",
     6,
     {4, 6, 10, 3.2, -1.2, 20}},
    {"multinomial_logit",
     "vector[3] y = to_vector(multinomial_logit_rng(log([2, 3, 5]'), 20));"
     "vector[6] s = [y[1], y[2], y[3], (y[2] - 6)^2, (y[1] - 4) * (y[3] - 10), sum(y)]';",
     6,
     {4, 6, 10, 4.2, -2, 20}},
    {"dirichlet_multinomial",
     "vector[3] y = to_vector(dirichlet_multinomial_rng([2, 3, 5]', 20));"
     "vector[5] s = [y[1], y[2], y[3], (y[1] - 4)^2, sum(y)]';",
     5,
     {4, 6, 10, 3.2 * 30 / 11, 20}},
    {"wishart",
     "matrix[2, 2] y = wishart_rng(5, [[2, 0.5], [0.5, 1]]);"
     "vector[6] s = [y[1, 1], y[1, 2], y[2, 1], y[2, 2], (y[1, 1] - 10)^2, (y[1, 2] - 2.5)^2]';",
     6,
     {10, 2.5, 2.5, 5, 5 * 8, 5 * 2.25}},
    {"wishart_cholesky",
     "matrix[2, 2] L = wishart_cholesky_rng(5, [[2, 0], [0.5, 1]]);"
     "matrix[2, 2] y = tcrossprod(L);"
     "vector[6] s = [y[1, 1], y[1, 2], y[2, 2], L[1, 2], (y[1, 1] - 20)^2, (y[1, 2] - 5)^2]';",
     6,
     {20, 5, 6.25, 0, 5 * 32, 5 * (1 + 5)}},
    {"inv_wishart",
     "matrix[2, 2] y = inv_wishart_rng(13, [[20, 5], [5, 10]]);"
     "vector[5] s = [y[1, 1], y[1, 2], y[2, 1], y[2, 2], (y[1, 1] - 2)^2]';",
     5,
     {2, 0.5, 0.5, 1, 2 * 400. / (100 * 8)}},
    {"inv_wishart_cholesky",
     "matrix[2, 2] L = inv_wishart_cholesky_rng(13, cholesky_decompose([[20, 5], [5, 10]]));"
     "matrix[2, 2] y = tcrossprod(L);"
     "vector[6] s = [y[1, 1], y[1, 2], y[2, 1], y[2, 2], (y[2, 2] - 1)^2, L[1, 2]]';",
     6,
     {2, 0.5, 0.5, 1, 2 * 100. / (100 * 8), 0}},
    {"lkj_corr",
     "matrix[4, 4] y = lkj_corr_rng(4, 2);"
     "vector[7] s = [y[1, 2], y[2, 1]^2, y[1, 4]^2, y[3, 4]^2, y[4, 4], y[2, 3]^4,"
     " y[1, 2] - y[2, 1]]';",
     7,
     {0, 1. / 7, 1. / 7, 1. / 7, 1, 3. / 63, 0}},
    {"lkj_corr_cholesky",
     "matrix[3, 3] L = lkj_corr_cholesky_rng(3, 0.5); matrix[3, 3] y = tcrossprod(L);"
     "vector[6] s = [y[1, 2], y[2, 1]^2, y[1, 3]^2, y[3, 2]^2, y[3, 3], L[1, 3]]';",
     6,
     {0, 1. / 3, 1. / 3, 1. / 3, 1, 0}},
    {"bernoulli_logit_glm",
     "vector[2] y = to_vector(bernoulli_logit_glm_rng([[1, 2], [3, 4]], [0.1, 0.2]', "
     "[0.3, -0.4]'));"
     "vector[3] s = [y[1], y[2], y[1] * y[2]]';",
     3,
     {0.401312339887548, 0.37754066879814546, 0.15151172895018147}},
};
enum { JOINT = sizeof joint / sizeof *joint };

/* Means within five of their own standard errors. */
static void check_means(const char *what, const OrtTensor *s, int count, const double *means) {
  for (int k = 0; k < count; k++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
      double x = generated_number(s, i * count + k) - means[k];
      sum += x;
      squares += x * x;
    }
    double error = sqrt(squares) / DRAWS;
    ck_assert_msg(fabs(sum / DRAWS) <= 5 * error + 1e-12, "%s: statistic %d is off by %g (+- %g)",
                  what, k + 1, sum / DRAWS, error);
  }
}

START_TEST(joint_distribution) {
  Arena *a = arena_new();
  const char *source = arena_printf(a, "generated quantities { %s }", joint[_i].statistics);
  Generated g = draw(a, source, 1 + _i);
  check_means(joint[_i].name, generated(&g, "s"), joint[_i].count, joint[_i].means);
  arena_free(a);
}
END_TEST

/* ---- hidden Markov models: the states of all paths, weighed ---- */

enum { TIMES = 4 };

static const double start[2] = {0.3, 0.7}, moves[2][2] = {{0.8, 0.2}, {0.4, 0.6}},
                    log_omega[2][TIMES] = {{-1, -2, -3, -1}, {-2, -1, -1, -2.5}};

START_TEST(hidden_states) {
  double means[TIMES + 1] = {0}, total = 0;
  for (int path = 0; path < 1 << TIMES; path++) {
    double weight = 1;
    for (int t = 0; t < TIMES; t++) {
      int now = path >> t & 1, before = t ? path >> (t - 1) & 1 : 0;
      weight *= (t ? moves[before][now] : start[now]) * exp(log_omega[now][t]);
    }
    total += weight;
    for (int t = 0; t < TIMES; t++) means[t] += weight * (1 + (path >> t & 1));
    means[TIMES] += weight * (1 + (path & 1)) * (1 + (path >> 1 & 1));
  }
  for (int k = 0; k <= TIMES; k++) means[k] /= total;
  Arena *a = arena_new();
  Generated g = draw(a,
                     "generated quantities { vector[4] y = to_vector(hmm_latent_rng("
                     "[[-1, -2, -3, -1], [-2, -1, -1, -2.5]], [[0.8, 0.2], [0.4, 0.6]],"
                     " [0.3, 0.7]')); vector[5] s = append_row(y, y[1] * y[2]); }",
                     1);
  check_means("hmm_latent", generated(&g, "s"), TIMES + 1, means);
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("random numbers of distributions");
  TCase *c = tcase_create("distributions");
  tcase_set_timeout(c, 300);
  tcase_add_loop_test(c, continuous_distribution, 0, CONTINUOUS);
  tcase_add_test(c, standard_normal);
  tcase_add_test(c, von_mises_stays_on_its_turn);
  tcase_add_loop_test(c, discrete_distribution, 0, DISCRETE);
  tcase_add_loop_test(c, joint_distribution, 0, JOINT);
  tcase_add_test(c, hidden_states);
  suite_add_tcase(s, c);
  return run_generating(s);
}
