/* Loops that fill tensors row by row: without the tensor they compute the same, and carry less. */
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static IrModule *module;

static void set_up(void) {
  arena = arena_new();
  module = ir_module_new(arena, (IrOptions){0});
}

static void tear_down(void) { arena_free(arena); }

/* A loop over rows 2, 3, ... of x (f64 [8] or [8, 3]), whose body is built by a case. */
typedef struct {
  IrBuilder *b;
  IrValue *i;     /* from 0 */
  IrValue *x;     /* the buffer */
  IrValue *state; /* a scalar that is carried too */
} Body;

enum { ROWS = 8, FIRST = 2, TRIPS = 5 };

static IrValue *add(Body *s, IrValue *x, IrValue *y) { return ir_binary(s->b, IR_ADD, x, y); }
static IrValue *mul(Body *s, IrValue *x, IrValue *y) { return ir_binary(s->b, IR_MUL, x, y); }
static IrValue *real(Body *s, double x) { return ir_f64(s->b, x); }
static IrValue *row(Body *s, int64_t at) { return add(s, s->i, ir_i64(s->b, at)); }
static IrValue *read(Body *s, IrValue *x, int64_t at) {
  return ir_gather(s->b, x, row(s, at), 0, 0);
}
static IrValue *write(Body *s, IrValue *x, int64_t at, IrValue *v) {
  return ir_scatter(s->b, IR_SCATTER_SET, x, row(s, at), v, 0, 0);
}

static IrValue *many(Body *s, int count, const int64_t *values) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_I64, 1, (int64_t[]){count}));
  memcpy(t->data.i64, values, sizeof *values * (size_t)count);
  return ir_constant(s->b, t);
}

static IrValue *one_back(Body *s) {
  IrValue *v = add(s, mul(s, real(s, 0.5), read(s, s->x, 1)), s->state);
  s->state = mul(s, s->state, real(s, 1.1));
  return write(s, s->x, 2, v);
}

static IrValue *two_back(Body *s) {
  IrValue *v = add(s, read(s, s->x, 1), mul(s, real(s, -0.3), read(s, s->x, 0)));
  return write(s, s->x, 2, v);
}

/* x[t] += x[t - 1] and what comes after it */
static IrValue *in_place(Body *s) {
  IrValue *v = add(s, read(s, s->x, 2), mul(s, read(s, s->x, 1), read(s, s->x, 3)));
  IrValue *x = write(s, s->x, 2, v);
  s->state = add(s, s->state, ir_reduce_all(s->b, IR_REDUCE_SUM, read(s, x, 2)));
  return x;
}

static IrValue *added(Body *s) {
  return ir_scatter(s->b, IR_SCATTER_ADD, s->x, row(s, 2), mul(s, read(s, s->x, 1), s->state), 0,
                    0);
}

/* The rows' elements side by side, written one by one, the last from the one before. */
static IrValue *flat(Body *s) {
  IrValue *dims[] = {ir_dim(s->b, s->x, 0), ir_dim(s->b, s->x, 1)};
  IrValue *size = ir_binary(s->b, IR_MUL, dims[0], dims[1]);
  IrValue *x = ir_reshape(s->b, s->x, &size, 1);
  IrValue *start = ir_binary(s->b, IR_MUL, row(s, 1), ir_i64(s->b, 3));
  IrValue *before = ir_gather(s->b, x, add(s, many(s, 3, (int64_t[]){0, 1, 2}), start), 0, 0);
  for (int k = 0; k < 3; k++) {
    IrValue *at = add(s, start, ir_i64(s->b, 3 + k));
    IrValue *v = ir_reduce_all(s->b, IR_REDUCE_SUM, mul(s, before, real(s, 0.2 + 0.1 * k)));
    if (k == 2) v = mul(s, v, ir_gather(s->b, x, add(s, start, ir_i64(s->b, 4)), 0, 0));
    x = ir_scatter(s->b, IR_SCATTER_SET, x, at, v, 0, 0);
  }
  return ir_reshape(s->b, x, dims, 2);
}

/* Two elements of each row in one go, out of order; the third stays. */
static IrValue *some(Body *s) {
  IrValue *dims[] = {ir_dim(s->b, s->x, 0), ir_dim(s->b, s->x, 1)};
  IrValue *size = ir_binary(s->b, IR_MUL, dims[0], dims[1]);
  IrValue *x = ir_reshape(s->b, s->x, &size, 1);
  IrValue *start = ir_binary(s->b, IR_MUL, row(s, 1), ir_i64(s->b, 3));
  IrValue *before = ir_gather(s->b, x, add(s, many(s, 2, (int64_t[]){2, 0}), start), 0, 0);
  x = ir_scatter(s->b, IR_SCATTER_SET, x, add(s, many(s, 2, (int64_t[]){5, 3}), start),
                 mul(s, before, real(s, 0.7)), 0, 0);
  return ir_reshape(s->b, x, dims, 2);
}

/* ---- loops that must keep their buffer ---- */

static IrValue *elsewhere(Body *s) { /* reads a row that does not move */
  return write(s, s->x, 2, ir_gather(s->b, s->x, ir_i64(s->b, 3), 0, 0));
}

static IrValue *whole(Body *s) {
  s->state = ir_reduce_all(s->b, IR_REDUCE_SUM, s->x);
  return write(s, s->x, 2, mul(s, read(s, s->x, 1), s->state));
}

static IrValue *two_rows(Body *s) {
  return write(s, write(s, s->x, 2, read(s, s->x, 0)), 1, read(s, s->x, 2));
}

static IrValue *backwards(Body *s) { /* writes from the last row on */
  IrValue *at = ir_binary(s->b, IR_SUB, ir_i64(s->b, 6), s->i);
  return ir_scatter(s->b, IR_SCATTER_SET, s->x, at, mul(s, read(s, s->x, 1), s->state), 0, 0);
}

static const struct {
  const char *name;
  IrValue *(*build)(Body *s);
  bool rows;  /* x is [8, 3] */
  bool stays; /* it goes on being carried */
} cases[] = {
    {"one_back", one_back, false, false},  {"one_back_rows", one_back, true, false},
    {"two_back", two_back, false, false},  {"two_back_rows", two_back, true, false},
    {"in_place", in_place, false, false},  {"in_place_rows", in_place, true, false},
    {"added", added, false, false},        {"added_rows", added, true, false},
    {"flat", flat, true, false},           {"some", some, true, false},
    {"elsewhere", elsewhere, false, true}, {"whole", whole, false, true},
    {"two_rows", two_rows, false, true},   {"backwards", backwards, false, true},
};

static IrFunction *function_of(int k) {
  IrBuilder *b = ir_function_begin(module, NULL, cases[k].name);
  IrType t = ir_type(IR_F64, cases[k].rows ? 2 : 1, (int64_t[]){ROWS, 3});
  IrValue *initial[] = {ir_param(b, t, NULL), ir_param(b, ir_scalar(IR_F64), NULL)}, *out[3];
  Body s = {.b = ir_function_begin(module, b, "body")};
  s.i = ir_param(s.b, ir_scalar(IR_I64), NULL);
  s.x = ir_param(s.b, t, NULL);
  s.state = ir_param(s.b, ir_scalar(IR_F64), NULL);
  IrValue *x = cases[k].build(&s), *results[] = {x, s.state, add(&s, s.state, real(&s, 1))};
  ir_function_end(s.b, results, NULL, 3);
  IrLoop loop = {.count = ir_i64(b, TRIPS), .carried = 2, .initial = initial};
  ir_loop(b, loop, s.b, out);
  return ir_function_end(b, out, NULL, 3);
}

static const IrTensor *const *arguments(int k) {
  const IrTensor **args = ARENA_ARRAY(arena, const IrTensor *, 2);
  IrTensor *x = ir_tensor_new(arena, ir_type(IR_F64, cases[k].rows ? 2 : 1, (int64_t[]){ROWS, 3}));
  for (int64_t i = 0; i < x->count; i++) x->data.f64[i] = sin(1.7 * (double)i) + 0.2;
  args[0] = x;
  args[1] = ir_tensor_f64(arena, 0.8);
  return args;
}

static double *run(const IrFunction *f, const IrTensor *const *args, int64_t *count) {
  const IrTensor *results[8];
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "%s: %s", f->name, wrong);
  IrPlan *p = ir_plan_new(f);
  const char *error = ir_plan_run(p, args, results);
  ck_assert_msg(!error, "%s: %s", f->name, error);
  *count = 0;
  for (int k = 0; k < f->result_count; k++) *count += results[k]->count;
  double *all = ARENA_ARRAY(arena, double, (size_t)*count);
  for (int64_t k = 0, at = 0; k < f->result_count; at += results[k++]->count)
    memcpy(all + at, results[k]->data.f64, sizeof(double) * (size_t)results[k]->count);
  ir_plan_free(p);
  return all;
}

static bool carries_rows(const IrFunction *f) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    for (int k = 0; n->op == IR_LOOP && k < n->attr.carried; k++)
      if (n->out[k]->type.rank > 0 && n->out[k]->type.dim[0] == ROWS) return true;
  }
  return false;
}

/* Also of what has been simplified, when a loop may scan the indices. */
START_TEST(same_values) {
  const IrTensor *const *args = arguments(_i);
  IrFunction *f = function_of(_i), *simple = ir_simplify(f);
  IrFunction *without[] = {ir_simplify(ir_unbuffer(f)), ir_simplify(ir_unbuffer(simple))};
  int64_t n, m;
  double *x = run(f, args, &n);
  for (int j = 0; j < 2; j++) {
    double *y = run(without[j], args, &m);
    ck_assert_int_eq(n, m);
    for (int64_t k = 0; k < n; k++)
      ck_assert_msg(fabs(x[k] - y[k]) <= 1e-14 * fmax(1, fabs(x[k])),
                    "%s: element %lld is %.17g, not %.17g", cases[_i].name, (long long)k, y[k],
                    x[k]);
    ck_assert_msg(carries_rows(without[j]) == cases[_i].stays, "%s: the rows are %scarried",
                  cases[_i].name, cases[_i].stays ? "not " : "");
  }
}
END_TEST

/* ---- sizes that are not known ---- */

/* Over all rows of x but three, as `for (t in 3:(T - 1))` does; x has three columns, or any number
 * where `wide`. */
static IrFunction *open_function(const char *name, IrValue *(*build)(Body *s), bool rows, bool wide,
                                 bool scalar_count) {
  IrBuilder *b = ir_function_begin(module, NULL, name);
  IrType t = ir_type(IR_F64, rows ? 2 : 1, (int64_t[]){IR_DYNAMIC, wide ? IR_DYNAMIC : 3});
  IrValue *x = ir_param(b, t, NULL), *state = ir_param(b, ir_scalar(IR_F64), NULL);
  IrValue *size = ir_dim(b, x, 0), *out[3];
  if (scalar_count) size = ir_param(b, ir_scalar(IR_I64), NULL);
  IrValue *count = ir_binary(b, IR_SUB, size, ir_i64(b, ROWS - TRIPS));
  Body s = {.b = ir_function_begin(module, b, "body")};
  s.i = ir_param(s.b, ir_scalar(IR_I64), NULL);
  s.x = ir_param(s.b, t, NULL);
  s.state = ir_param(s.b, ir_scalar(IR_F64), NULL);
  IrValue *end = build(&s), *results[] = {end, s.state, add(&s, s.state, real(&s, 1))};
  ir_function_end(s.b, results, NULL, 3);
  IrLoop loop = {.count = count, .carried = 2, .initial = (IrValue *[]){x, state}};
  ir_loop(b, loop, s.b, out);
  return ir_function_end(b, out, NULL, 3);
}

static bool carries_tensor(const IrFunction *f, int rank) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    for (int k = 0; n->op == IR_LOOP && k < n->attr.carried; k++)
      if (n->out[k]->type.rank == rank) return true;
  }
  return false;
}

static const IrTensor *table(bool rows, int64_t count) {
  IrTensor *x = ir_tensor_new(arena, ir_type(IR_F64, rows ? 2 : 1, (int64_t[]){count, 3}));
  for (int64_t i = 0; i < x->count; i++) x->data.f64[i] = 0.4 * sin(1.7 * (double)i) + 0.2;
  return x;
}

/* For no, one, two and many iterations, also where there are fewer rows than the first that would
 * be written. */
static void check_open(const IrFunction *f, const IrFunction *without, bool rows) {
  static const int64_t sizes[] = {0, 1, 2, 3, 4, 5, 8, 40};
  for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
    const IrTensor *args[] = {table(rows, sizes[j]), ir_tensor_f64(arena, 0.1),
                              ir_tensor_i64(arena, sizes[j])};
    int64_t n, m;
    double *x = run(f, args, &n), *y = run(without, args, &m);
    ck_assert_int_eq(n, m);
    for (int64_t k = 0; k < n; k++)
      ck_assert_msg(x[k] == y[k] || fabs(x[k] - y[k]) <= 1e-14 * fmax(1, fabs(x[k])),
                    "%s: %lld rows: element %lld is %.17g, not %.17g", f->name, (long long)sizes[j],
                    (long long)k, y[k], x[k]);
  }
}

/* Also of what has been simplified; then rows whose numbers are scanned may go on being carried. */
START_TEST(open_numbers) {
  int rank = cases[_i].rows ? 2 : 1;
  IrFunction *f = open_function(cases[_i].name, cases[_i].build, cases[_i].rows, false, false);
  IrFunction *without = ir_simplify(ir_unbuffer(f));
  ck_assert_msg(carries_tensor(without, rank) == cases[_i].stays, "%s: the rows are %scarried",
                f->name, cases[_i].stays ? "not " : "");
  if (cases[_i].build == backwards) return; /* it is for eight rows */
  check_open(f, without, cases[_i].rows);
  check_open(f, ir_simplify(ir_unbuffer(ir_simplify(f))), cases[_i].rows);
}
END_TEST

/* A row of any width, side by side with the others, from the one before. */
static IrValue *wide(Body *s) {
  IrValue *dims[] = {ir_dim(s->b, s->x, 0), ir_dim(s->b, s->x, 1)};
  IrValue *size = ir_binary(s->b, IR_MUL, dims[0], dims[1]), *columns = ir_iota(s->b, dims[1]);
  IrValue *x = ir_reshape(s->b, s->x, &size, 1);
  IrValue *from = add(s, ir_binary(s->b, IR_MUL, row(s, 1), dims[1]), columns);
  IrValue *to = add(s, ir_binary(s->b, IR_MUL, row(s, 2), dims[1]), columns);
  IrValue *v = mul(s, ir_gather(s->b, x, from, 0, 0), real(s, 0.9));
  x = ir_scatter(s->b, IR_SCATTER_SET, x, to, v, 0, 0);
  x = ir_scatter(s->b, IR_SCATTER_ADD, x, to, mul(s, v, v), 0, 0);
  return ir_reshape(s->b, x, dims, 2);
}

START_TEST(open_width) {
  IrFunction *f = open_function("wide", wide, true, true, false);
  IrFunction *without = ir_simplify(ir_unbuffer(f));
  ck_assert(!carries_tensor(without, 2));
  check_open(f, without, true);
}
END_TEST

/* The number of iterations says nothing of the number of rows: the buffer stays. */
START_TEST(unrelated_numbers) {
  IrFunction *f = open_function("unrelated", one_back, false, false, true);
  IrFunction *without = ir_simplify(ir_unbuffer(f));
  ck_assert(carries_tensor(without, 1));
  check_open(f, without, false);
}
END_TEST

/* Where a number is not known, the loop stays. */
START_TEST(open_sizes) {
  IrBuilder *b = ir_function_begin(module, NULL, "open");
  int64_t any = IR_DYNAMIC;
  IrValue *x = ir_param(b, ir_type(IR_F64, 1, &any), NULL), *out;
  Body s = {.b = ir_function_begin(module, b, "body")};
  s.i = ir_param(s.b, ir_scalar(IR_I64), NULL);
  s.x = ir_param(s.b, ir_type(IR_F64, 1, &any), NULL);
  IrValue *result = write(&s, s.x, 1, mul(&s, read(&s, s.x, 0), real(&s, 2)));
  ir_function_end(s.b, &result, NULL, 1);
  ir_loop(b, (IrLoop){.count = ir_i64(b, 3), .carried = 1, .initial = &x}, s.b, &out);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){4}));
  t->data.f64[0] = 3;
  int64_t n;
  double *y = run(ir_unbuffer(f), (const IrTensor *[]){t}, &n);
  ck_assert_int_eq(n, 4);
  for (int k = 0; k < 4; k++) ck_assert_double_eq(y[k], 3 << k);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ir_unbuffer");
  TCase *t = tcase_create("loops");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_loop_test(t, same_values, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_loop_test(t, open_numbers, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, open_width);
  tcase_add_test(t, unrelated_numbers);
  tcase_add_test(t, open_sizes);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
