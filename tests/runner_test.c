/* The runner's inputs: JSON values, points, the command line. */
#include "runtime/options.h"
#include "runtime/values.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Arena *arena;

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { arena_free(arena); }

static OrtPort port(OrtElement element, int rank, int64_t d0, int64_t d1) {
  return (OrtPort){
      .name = "x", .element = element, .rank = rank, .dims = {d0, d1}, .dim_names = {"N", "M"}};
}

/* The tensor of a JSON text, which goes through a file. */
static const char *read_value(const char *text, const OrtPort *p, bool batched, OrtTensor *out) {
  char path[] = "/tmp/stan2onnx-test-XXXXXX";
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  json_t *object = NULL;
  const char *rest, *error = read_json_object(arena, path, &object);
  unlink(path);
  if (error) return error;
  json_t *value = find_value(object, p->name, &rest);
  error = value ? tensor_from_json(arena, value, rest, p, batched, out) : "no value";
  json_decref(object);
  return error;
}

START_TEST(nested_arrays) {
  OrtPort p = port(ORT_F64, 2, -1, 3);
  OrtTensor t;
  ck_assert_ptr_null(read_value("{\"y\": 1, \"x\": [[1, 2.5, -3], [4, 5e2, 6]]}", &p, false, &t));
  ck_assert_int_eq(t.rank, 2);
  ck_assert_int_eq(t.dims[0], 2);
  ck_assert_int_eq(t.dims[1], 3);
  static const double expected[] = {1, 2.5, -3, 4, 500, 6};
  ck_assert_mem_eq(t.data, expected, sizeof expected);
}
END_TEST

START_TEST(numbers_json_lacks) {
  OrtPort p = port(ORT_F64, 1, -1, 0);
  OrtTensor t;
  ck_assert_ptr_null(read_value(
      "{\"a\": \"NaN \\\" Inf\", \"x\": [NaN, Infinity, -Infinity, \"Inf\", \"-Inf\", \"NaN\"]}",
      &p, false, &t));
  const double *x = t.data;
  ck_assert_int_eq(t.dims[0], 6);
  ck_assert(isnan(x[0]) && isnan(x[5]));
  ck_assert(x[1] == INFINITY && x[2] == -INFINITY && x[3] == INFINITY && x[4] == -INFINITY);
}
END_TEST

START_TEST(leading_axis) {
  OrtPort p = port(ORT_I64, 2, -1, 2);
  OrtTensor t;
  ck_assert_ptr_null(read_value("{\"x\": [7, 9]}", &p, true, &t));
  ck_assert_int_eq(t.dims[0], 1);
  ck_assert_int_eq(((int64_t *)t.data)[1], 9);
  ck_assert_ptr_nonnull(read_value("{\"x\": [7, 9]}", &p, false, &t));
}
END_TEST

START_TEST(empty_arrays) {
  OrtPort p = port(ORT_F64, 2, -1, 3);
  OrtTensor t;
  ck_assert_ptr_null(read_value("{\"x\": []}", &p, false, &t));
  ck_assert_int_eq(t.dims[0], 0);
  ck_assert_int_eq(t.dims[1], 3);
}
END_TEST

/* What an empty array does not show of its shape, other data do. */
START_TEST(empty_matrix) {
  OrtPort p = port(ORT_F64, 2, -1, -1);
  json_t *data = json_pack("{s:i, s:i, s:[]}", "N", 0, "M", 3, "x");
  for (int k = 0; k < 2; k++) {
    OrtTensor t;
    ck_assert_ptr_null(data_tensor_for(arena, data, &p, &t));
    ck_assert_int_eq(t.dims[0], 0);
    ck_assert_int_eq(t.dims[1], k ? 0 : 3);
    json_object_del(data, "M");
  }
  json_decref(data);
}
END_TEST

static const struct {
  const char *json;
  OrtElement element;
} bad_values[] = {
    {"{\"x\": [1, [2]]}", ORT_F64},
    {"{\"x\": [[1], 2]}", ORT_F64},
    {"{\"x\": [1, \"two\"]}", ORT_F64},
    {"{\"x\": [1.5, 2]}", ORT_I64},
    {"{\"x\": [1, 2, 3]}", ORT_F64},
    {"{\"x\": [null, 1]}", ORT_F64},
    {"{\"x\": 1}", ORT_F64},
    {"{\"z\": [1, 2]}", ORT_F64},
    {"[1, 2]", ORT_F64},
    {"{\"x\": [1, 2]", ORT_F64},
    {"", ORT_F64},
    {"{\"x\": [1, 2], \"x\": [3, 4]}", ORT_F64},
    {"{\"x\": {\"1\": [1, 2]}}", ORT_F64},
};

START_TEST(bad_value) {
  OrtPort p = port(bad_values[_i].element, 1, 2, 0);
  OrtTensor t;
  ck_assert_ptr_nonnull(read_value(bad_values[_i].json, &p, false, &t));
}
END_TEST

START_TEST(parts_of_tuples) {
  OrtPort p = port(ORT_F64, 1, -1, 0);
  OrtTensor t;
  p.name = "x:2.1";
  ck_assert_ptr_null(read_value(
      "{\"x\": [{\"1\": 5, \"2\": {\"1\": 6}}, {\"1\": 7, \"2\": {\"1\": 8}}]}", &p, false, &t));
  ck_assert_int_eq(t.dims[0], 2);
  ck_assert_double_eq(((double *)t.data)[0], 6);
  ck_assert_double_eq(((double *)t.data)[1], 8);
  p.name = "gradient.stan";
  ck_assert_ptr_null(read_value("{\"gradient\": [3]}", &p, false, &t));
  ck_assert_double_eq(((double *)t.data)[0], 3);
}
END_TEST

START_TEST(inline_points) {
  OrtPort p = port(ORT_F64, 2, -1, 2);
  OrtTensor t;
  ck_assert_ptr_null(points_from_text(arena, "0.5,-1e3", &p, &t));
  ck_assert_int_eq(t.dims[0], 1);
  ck_assert_double_eq(((double *)t.data)[1], -1000);
  ck_assert_ptr_null(points_from_text(arena, "[[1,2],[3,4],[5,NaN]]", &p, &t));
  ck_assert_int_eq(t.dims[0], 3);
  ck_assert_double_eq(((double *)t.data)[4], 5);
  ck_assert_ptr_nonnull(points_from_text(arena, "1,2,3", &p, &t));
  ck_assert_ptr_nonnull(points_from_text(arena, "/no/such/file", &p, &t));
}
END_TEST

START_TEST(random_in_range) {
  OrtTensor t, again;
  random_points(arena, 7, 1000, 3, &t);
  random_points(arena, 7, 1000, 3, &again);
  const double *x = t.data;
  double sum = 0, low = 0, high = 0;
  for (int i = 0; i < 3000; i++) {
    sum += x[i];
    low = fmin(low, x[i]);
    high = fmax(high, x[i]);
  }
  ck_assert_mem_eq(x, again.data, 3000 * sizeof *x);
  ck_assert(low >= -2 && high < 2 && low < -1.9 && high > 1.9);
  ck_assert_double_lt(fabs(sum / 3000), 0.1); /* standard error: 0.021 */
}
END_TEST

static const char *parse(RunOptions *o, int argc, char **argv) {
  return run_options(arena, argc, argv, o);
}

START_TEST(command_line) {
  char *argv[] = {"run", "--seed=12", "m.onnx", "--chains", "4", "--json"};
  RunOptions o;
  ck_assert_ptr_null(parse(&o, 6, argv));
  ck_assert_str_eq(o.model, "m.onnx");
  ck_assert_uint_eq(o.seed, 12);
  ck_assert_int_eq(o.chains, 4);
  ck_assert(o.json && !o.info);
}
END_TEST

static char *const bad_lines[][4] = {
    {"run", NULL, NULL, NULL},
    {"run", "m", "n", NULL},
    {"run", "m", "--chains", NULL},
    {"run", "m", "--chains=0", NULL},
    {"run", "m", "--chains=-1", NULL},
    {"run", "m", "--seed=x", NULL},
    {"run", "m", "--json=1", NULL},
    {"run", "m", "--jso", NULL},
    {"run", "m", "--threads=9999999999", NULL},
    {"run", "m", "--seed=99999999999999999999", NULL},
};

START_TEST(bad_line) {
  RunOptions o;
  int argc = 0;
  while (argc < 4 && bad_lines[_i][argc]) argc++;
  ck_assert_ptr_nonnull(parse(&o, argc, (char **)bad_lines[_i]));
}
END_TEST

int main(void) {
  Suite *s = suite_create("runner");
  TCase *t = tcase_create("inputs");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, nested_arrays);
  tcase_add_test(t, numbers_json_lacks);
  tcase_add_test(t, leading_axis);
  tcase_add_test(t, empty_arrays);
  tcase_add_test(t, empty_matrix);
  tcase_add_loop_test(t, bad_value, 0, (int)(sizeof bad_values / sizeof *bad_values));
  tcase_add_test(t, parts_of_tuples);
  tcase_add_test(t, inline_points);
  tcase_add_test(t, random_in_range);
  tcase_add_test(t, command_line);
  tcase_add_loop_test(t, bad_line, 0, (int)(sizeof bad_lines / sizeof *bad_lines));
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
