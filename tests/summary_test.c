/* Estimates against ArviZ's (testdata/convergence), transforms against sums, warnings. */
#include "runtime/fourier.h"
#include "runtime/summary.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { arena_free(arena); }

/* ---- transforms ---- */

START_TEST(transform_and_back) {
  Fourier f;
  fourier_init(&f, arena, 24);
  ck_assert_uint_eq(f.length, 32);
  double re[32], im[32], x[32], y[32];
  for (int k = 0; k < 32; k++) {
    re[k] = x[k] = sin(1 + k * k);
    im[k] = y[k] = cos(3.5 * k);
  }
  fourier_forward(&f, re, im);
  /* element 1 of bit-reversed order is the frequency 16 */
  double sum_re = 0, sum_im = 0;
  for (int k = 0; k < 32; k++) {
    sum_re += k % 2 ? -x[k] : x[k];
    sum_im += k % 2 ? -y[k] : y[k];
  }
  ck_assert_double_eq_tol(re[1], sum_re, 1e-12);
  ck_assert_double_eq_tol(im[1], sum_im, 1e-12);
  fourier_backward(&f, re, im);
  for (int k = 0; k < 32; k++) {
    ck_assert_double_eq_tol(re[k] / 32, x[k], 1e-13);
    ck_assert_double_eq_tol(im[k] / 32, y[k], 1e-13);
  }
}
END_TEST

/* Values with 20 digits of the standard normal's quantiles. */
START_TEST(normal_quantiles) {
  static const double table[][2] = {{0.5, 0},
                                    {0.975, 1.9599639845400542355},
                                    {0.8, 0.84162123357291442133},
                                    {0.001, -3.0902323061678135415},
                                    {1e-10, -6.3613409024040562047},
                                    {1e-20, -9.2623400897984083680}};
  for (size_t k = 0; k < sizeof table / sizeof *table; k++)
    ck_assert_double_eq_tol(normal_quantile(table[k][0]), table[k][1], 1e-14);
}
END_TEST

/* ---- estimates ---- */

static void close_to(const char *sample, const char *what, double found, json_t *expected) {
  if (!json_is_number(expected)) {
    ck_assert_msg(isnan(found), "%s: %s is %.17g, not missing", sample, what, found);
    return;
  }
  double x = json_number_value(expected);
  ck_assert_msg(fabs(found - x) <= 1e-9 * (1e-9 + fabs(x)), "%s: %s is %.17g, not %.17g", sample,
                what, found, x);
}

static size_t read_chains(json_t *sample, const double ***chains, size_t *draws) {
  json_t *rows = json_object_get(sample, "chains");
  size_t count = json_array_size(rows);
  *chains = ARENA_ARRAY(arena, const double *, count);
  *draws = json_array_size(json_array_get(rows, 0));
  for (size_t k = 0; k < count; k++) {
    double *x = ARENA_ARRAY(arena, double, *draws);
    for (size_t i = 0; i < *draws; i++)
      x[i] = json_number_value(json_array_get(json_array_get(rows, k), i));
    (*chains)[k] = x;
  }
  return count;
}

static void check_sample(json_t *sample) {
  const char *name = json_string_value(json_object_get(sample, "name"));
  const double **chains;
  size_t draws, count = read_chains(sample, &chains, &draws);
  Estimates e;
  convergence_estimate(convergence_new(arena, count, draws), chains, &e);
#define SAME(member) close_to(name, #member, e.member, json_object_get(sample, #member))
  SAME(mean);
  SAME(sd);
  SAME(median);
  SAME(q5);
  SAME(q95);
  SAME(mcse);
  SAME(ess_bulk);
  SAME(ess_tail);
  SAME(rhat);
#undef SAME
  for (size_t k = 0; k < count; k++)
    close_to(name, "energy fraction", energy_fraction(chains[k], draws),
             json_array_get(json_object_get(sample, "bfmi"), k));
}

START_TEST(agree_with_arviz) {
  json_t *samples =
      json_load_file(STAN2ONNX_SOURCE_DIR "/testdata/convergence/expected.json", 0, NULL);
  ck_assert_uint_ge(json_array_size(samples), 15);
  for (size_t k = 0; k < json_array_size(samples); k++) check_sample(json_array_get(samples, k));
  json_decref(samples);
}
END_TEST

/* One workspace serves all quantities. */
START_TEST(estimates_do_not_depend_on_what_was_before) {
  double x[2][20], y[2][20];
  for (int i = 0; i < 40; i++) {
    x[i / 20][i % 20] = sin(7.0 * i * i);
    y[i / 20][i % 20] = cos(3.0 * i);
  }
  const double *xs[] = {x[0], x[1]}, *ys[] = {y[0], y[1]};
  Convergence *c = convergence_new(arena, 2, 20);
  Estimates first, other, again;
  convergence_estimate(c, xs, &first);
  convergence_estimate(c, ys, &other);
  convergence_estimate(c, xs, &again);
  ck_assert_mem_eq(&first, &again, sizeof first);
  ck_assert_double_ne(first.ess_bulk, other.ess_bulk);
}
END_TEST

START_TEST(nothing_to_estimate) {
  double constant[] = {2, 2, 2, 2, 2}, bad[] = {1, 2, NAN, 4, 5}, few[] = {1, 4, 2};
  const double *c[] = {constant, constant}, *b[] = {constant, bad}, *f[] = {few};
  Estimates e;
  convergence_estimate(convergence_new(arena, 2, 5), c, &e);
  ck_assert(e.mean == 2 && e.sd == 0 && e.median == 2 && e.q95 == 2);
  ck_assert(isnan(e.rhat) && isnan(e.ess_bulk) && isnan(e.ess_tail) && isnan(e.mcse));
  convergence_estimate(convergence_new(arena, 2, 5), b, &e);
  ck_assert(isnan(e.mean) && isnan(e.rhat));
  convergence_estimate(convergence_new(arena, 1, 3), f, &e);
  ck_assert(e.median == 2 && isnan(e.ess_bulk));
  convergence_estimate(convergence_new(arena, 1, 0), f, &e);
  ck_assert(isnan(e.mean));
}
END_TEST

/* ---- summaries ---- */

static const char *const names[] = {"lp__", "treedepth__", "divergent__", "energy__", "x.1"};

/* Two chains of 200 draws, all well but for what the caller changes. */
static void fill(Draws *d) {
  ck_assert(draws_new(d, names, 5, 2, 200));
  uint32_t z = 1;
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < 200; i++) {
      double row[5] = {0, 3, 0, 0, 0};
      for (int c = 0; c < 5; c++)
        if (c == 0 || c > 2) row[c] = (double)((z = z * 1664525u + 1013904223u) >> 8) / (1 << 24);
      draws_add(d, k, row, 5, 1);
    }
}

static const char *warnings_of(Draws *d) {
  Summary s;
  Text t = text_new(arena);
  summarise(arena, d, 10, 0.8, 2, &s);
  print_warnings(&t, &s);
  return t.data;
}

static double *cell(Draws *d, size_t column, size_t chain, size_t draw) {
  return d->values + (column * d->rooms + chain) * d->capacity + draw;
}

START_TEST(no_warnings) {
  Draws d;
  fill(&d);
  ck_assert_ptr_nonnull(strstr(warnings_of(&d), "No problems"));
  draws_free(&d);
}
END_TEST

START_TEST(warnings_tell_what_to_do) {
  Draws d;
  fill(&d);
  *cell(&d, 2, 1, 7) = *cell(&d, 2, 0, 199) = 1;
  const char *text = warnings_of(&d);
  ck_assert_ptr_nonnull(strstr(text, "2 of 400 transitions diverged (0.5 %)"));
  ck_assert_ptr_nonnull(strstr(text, "--adapt-delta from 0.8 to 0.95"));
  ck_assert_ptr_null(strstr(text, "tree depth"));
  ck_assert_ptr_null(strstr(text, "No problems"));
  *cell(&d, 1, 0, 3) = 10;
  text = warnings_of(&d);
  ck_assert_ptr_nonnull(
      strstr(text, "1 of 400 trajectories ended at the maximum tree depth of 10"));
  for (size_t i = 0; i < 200; i++) {
    *cell(&d, 3, 1, i) = (double)i;
    *cell(&d, 4, 1, i) += 3;
  }
  text = warnings_of(&d);
  ck_assert_ptr_nonnull(strstr(text, "The energy of chain 2 (0.00)"));
  ck_assert_ptr_nonnull(strstr(text, "Chains disagree about 1 quantity"));
  ck_assert_ptr_nonnull(strstr(text, "x[1]"));
  ck_assert_ptr_nonnull(strstr(text, "fewer than 100 effective draws"));
  draws_free(&d);
}
END_TEST

START_TEST(tables) {
  Draws d;
  Summary s;
  Text t = text_new(arena), json = text_new(arena);
  fill(&d);
  summarise(arena, &d, 10, 0.8, 1, &s);
  print_summary(&t, &s, 1);
  ck_assert_ptr_nonnull(strstr(t.data, "lp__"));
  ck_assert_ptr_nonnull(strstr(t.data, "and 1 more"));
  ck_assert_ptr_null(strstr(t.data, "treedepth__"));
  print_summary_json(&json, &s);
  json_t *object = json_loads(json.data, 0, NULL);
  json_t *quantities = json_object_get(object, "quantities");
  ck_assert_uint_eq(json_array_size(quantities), 2);
  json_t *x = json_array_get(quantities, 1);
  ck_assert_str_eq(json_string_value(json_object_get(x, "name")), "x[1]");
  ck_assert_double_eq(json_number_value(json_object_get(x, "mean")), s.estimates[4].mean);
  json_decref(object);
  draws_free(&d);
}
END_TEST

/* Many columns go through several threads. */
START_TEST(threads_change_nothing) {
  enum { COLUMNS = 300 };
  const char *many[COLUMNS];
  double row[COLUMNS];
  Draws d;
  Summary one, four;
  for (int c = 0; c < COLUMNS; c++) many[c] = "x";
  ck_assert(draws_new(&d, many, COLUMNS, 2, 30));
  for (int i = 0; i < 60; i++) {
    for (int c = 0; c < COLUMNS; c++) row[c] = sin(1.0 + i * i * (c + 1));
    draws_add(&d, (size_t)i % 2, row, COLUMNS, 1);
  }
  summarise(arena, &d, 0, 0, 1, &one);
  summarise(arena, &d, 0, 0, 4, &four);
  ck_assert_mem_eq(one.estimates, four.estimates, COLUMNS * sizeof *one.estimates);
  ck_assert(!isnan(four.estimates[COLUMNS - 1].rhat));
  draws_free(&d);
}
END_TEST

START_TEST(chains_left_out) {
  Draws d;
  const char *const one[] = {"x"};
  ck_assert(draws_new(&d, one, 1, 3, 4));
  for (int k = 0; k < 3; k++)
    for (int i = 0; i <= k; i++) draws_add(&d, (size_t)k, (double[]){10 * k + i}, 1, 1);
  ck_assert_uint_eq(draws_common(&d), 1);
  ck_assert_uint_eq(draws_most(&d), 3);
  draws_drop(&d, 0);
  ck_assert_uint_eq(d.chains, 2);
  ck_assert_uint_eq(draws_common(&d), 2);
  ck_assert_double_eq(draws_of(&d, 0, 0)[1], 11);
  ck_assert_double_eq(draws_of(&d, 0, 1)[0], 20);
  for (int i = 0; i < 3; i++) draws_add(&d, 1, (double[]){5}, 1, 1); /* there is room for one */
  ck_assert_double_eq(draws_of(&d, 0, 1)[3], 5);
  draws_free(&d);
}
END_TEST

int main(void) {
  Suite *s = suite_create("summary");
  TCase *t = tcase_create("summary");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, transform_and_back);
  tcase_add_test(t, normal_quantiles);
  tcase_add_test(t, agree_with_arviz);
  tcase_add_test(t, estimates_do_not_depend_on_what_was_before);
  tcase_add_test(t, nothing_to_estimate);
  tcase_add_test(t, no_warnings);
  tcase_add_test(t, warnings_tell_what_to_do);
  tcase_add_test(t, tables);
  tcase_add_test(t, threads_change_nothing);
  tcase_add_test(t, chains_left_out);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
