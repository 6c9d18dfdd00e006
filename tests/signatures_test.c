/* The signature table. That it is complete is checked against the list that stanc prints
 * (--dump-stan-math-signatures of version 2.40): as many lines, of the same sum of hashes. */
#include "stdlib_map/signatures.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { arena_free(arena); }

/* ---- all of them ---- */

typedef struct {
  const char *name;
  int count;
  uint64_t sum; /* of the lines' 64-bit FNV-1a hashes */
} Tally;

static bool tally(void *context, const StanType *signature) {
  Tally *t = context;
  Arena *a = arena_new();
  Text line = text_new(a);
  text_add(&line, t->name);
  type_print(&line, signature);
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t k = 0; k < line.length; k++)
    h = (h ^ (unsigned char)line.data[k]) * UINT64_C(1099511628211);
  t->sum += h;
  t->count++;
  arena_free(a);
  return true;
}

/* stanc's list does not tell which arguments have to be data; nor do we here, then. */
static bool tally_without_data(void *context, const StanType *signature) {
  StanType plain = *signature;
  plain.data_only = NULL;
  return tally(context, &plain);
}

static int count_of(const char *name, int args) {
  Tally t = {.name = name};
  SignatureQuery query = {.context = &t, .visit = tally};
  signatures_each(arena, name, args, &query);
  return t.count;
}

START_TEST(complete) {
  Tally t = {0};
  for (int k = 0; k < signatures_count(); k++) {
    t.name = signatures_name(k);
    SignatureQuery query = {.context = &t, .visit = tally_without_data};
    signatures_each(arena, t.name, -1, &query);
  }
  ck_assert_int_eq(signatures_count(), 564);
  ck_assert_int_eq(t.count, 24246);
  ck_assert_uint_eq(t.sum, UINT64_C(0x97d90e1dd5431431));
}
END_TEST

START_TEST(sorted) {
  for (int k = 1; k < signatures_count(); k++)
    ck_assert_msg(strcmp(signatures_name(k - 1), signatures_name(k)) < 0, "%s", signatures_name(k));
  for (int k = 0; k < signatures_count(); k++) ck_assert(signatures_know(signatures_name(k)));
  ck_assert(!signatures_know(""));
  ck_assert(!signatures_know("zz"));
  ck_assert(!signatures_know("normal"));
  ck_assert(!signatures_know("reduce_sum"));
}
END_TEST

START_TEST(by_number_of_arguments) {
  ck_assert_int_eq(count_of("exp", -1), 41);
  ck_assert_int_eq(count_of("exp", 1), 41);
  ck_assert_int_eq(count_of("exp", 2), 0);
  ck_assert_int_eq(count_of("pi", 0), 1);
  ck_assert_int_eq(count_of("log2", 0), 1);
  ck_assert_int_eq(count_of("log2", 1), 40);
  ck_assert_int_eq(count_of("wiener_lpdf", 5), 1024);
  ck_assert_int_eq(count_of("wiener_lpdf", 9), 2);
  ck_assert_int_eq(count_of("no_such_function", -1), 0);
}
END_TEST

/* ---- one of them ---- */

typedef struct {
  const char *arguments; /* as type_print has the signature */
  int tried, found;
} Wanted;

static bool is_vector(void *context, int position, const StanType *parameter, bool data_only) {
  Wanted *w = context;
  (void)position;
  (void)data_only;
  w->tried++;
  return parameter->base == T_VECTOR && parameter->array_dims == 0;
}

static bool note(void *context, const StanType *signature) {
  Wanted *w = context;
  Text text = text_new(arena);
  type_print(&text, signature);
  w->found += !strcmp(text.data, w->arguments);
  return true;
}

START_TEST(filtered) {
  Wanted w = {.arguments = "(vector, vector, vector) => real"};
  SignatureQuery query = {.context = &w, .fits = is_vector, .visit = note};
  signatures_each(arena, "normal_lpdf", 3, &query);
  ck_assert_int_eq(w.found, 1);
  ck_assert_int_eq(w.tried, 12); /* four kinds for each argument: what fails is not followed */
}
END_TEST

static bool stop(void *context, const StanType *signature) {
  (void)signature;
  return ++*(int *)context < 3;
}

START_TEST(stopped) {
  static const char *const names[] = {"normal_lpdf", "exp", "add", "rep_array"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    int seen = 0;
    SignatureQuery query = {.context = &seen, .visit = stop};
    signatures_each(arena, names[k], -1, &query);
    ck_assert_int_eq(seen, 3);
  }
}
END_TEST

static const struct {
  const char *name, *signature;
} some[] = {
    {"eigendecompose_sym", "(matrix) => tuple(matrix, vector)"},
    {"quantile", "(data vector, data array[] real) => array[] real"},
    {"to_int", "(data array[,] real) => array[,] int"},
    {"linspaced_vector", "(data int, data real, data real) => vector"},
    {"lmgamma", "(array[,,] int, array[] matrix) => array[] matrix"},
    {"poisson_rng", "(vector) => array[] int"},
    {"student_t_qf", "(real, real, real, row_vector) => vector"},
    {"wiener_lpdf", "(real, real, real, real, real, real, data real) => real"},
    {"map_rect",
     "((vector, vector, data array[] real, data array[] int) => vector, vector, array[] "
     "vector, data array[,] real, data array[,] int) => vector"},
    {"integrate_ode",
     "((real, array[] real, array[] real, data array[] real, data array[] int) => array[] real, "
     "array[] real, real, array[] real, array[] real, data array[] real, data array[] int) => "
     "array[,] real"},
};

START_TEST(exact) {
  Wanted w = {.arguments = some[_i].signature};
  SignatureQuery query = {.context = &w, .visit = note};
  signatures_each(arena, some[_i].name, -1, &query);
  ck_assert_msg(w.found == 1, "%s %s", some[_i].name, some[_i].signature);
}
END_TEST

/* ---- variadic functions ---- */

START_TEST(variadic) {
  VariadicSignature v;
  ck_assert(variadic_signature("ode_adjoint_tol_ctl", &v));
  ck_assert_int_eq(v.control_count, 14);
  ck_assert_int_eq(v.required_count, 2);
  ck_assert(!v.control_data[0] && !v.control_data[2] && v.control_data[3] && v.control_data[13]);
  ck_assert_int_eq(v.control[4]->base, T_VECTOR);
  ck_assert_int_eq(v.result->base, T_VECTOR);
  ck_assert_int_eq(v.result->array_dims, 1);
  ck_assert(variadic_signature("solve_powell", &v));
  ck_assert_int_eq(v.control_count, 1);
  ck_assert_int_eq(v.function_result->base, T_VECTOR);
  ck_assert(variadic_signature("dae", &v));
  ck_assert(v.control_data[2] && v.control_data[3]);
  ck_assert_int_eq(v.control[3]->array_dims, 1);
  ck_assert_int_eq(v.required_count, 3);
  ck_assert(!variadic_signature("exp", &v));
  ck_assert(!variadic_signature("reduce_sum", &v));
}
END_TEST

int main(void) {
  Suite *s = suite_create("signatures");
  TCase *t = tcase_create("table");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, complete);
  tcase_add_test(t, sorted);
  tcase_add_test(t, by_number_of_arguments);
  tcase_add_test(t, filtered);
  tcase_add_test(t, stopped);
  tcase_add_loop_test(t, exact, 0, (int)(sizeof some / sizeof *some));
  tcase_add_test(t, variadic);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
