/* The evaluator: each op on operands whose results were worked out by hand, as a constant and in a
 * plan with sizes known and open. */
#include "eval_check.h"

#include <math.h>
#include <string.h>

enum { MAX_OPERANDS = 4 };

/* ---- ops ---- */

typedef struct {
  const char *name;
  IrOp op;
  IrAttr attr;
  Value in[MAX_OPERANDS];
  int count;
  Value out;
  const char *error; /* a part of the message; NULL: there is a result */
} Case;

static const Case cases[] = {
#include "ir_eval_cases.def"
};

/* The op alone, as a function of its operands; a size that is not 1 open where asked for. NULL
 * where the operands do not even fit as far as is known. */
static IrFunction *function_of(const Case *c, bool open_sizes) {
  IrBuilder *b = begin_plain(c->name);
  IrValue *in[MAX_OPERANDS];
  for (int k = 0; k < c->count; k++) {
    IrType t = ir_type(c->in[k].dtype, c->in[k].rank, c->in[k].dims);
    for (int j = 0; j < t.rank && open_sizes; j++)
      if (t.dim[j] != 1) t.dim[j] = IR_DYNAMIC;
    in[k] = ir_param(b, t, NULL);
  }
  IrValue *out = ir_emit(b, c->op, c->attr, in, c->count);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  return ir_module_error(ir_builder_module(b)) ? NULL : f;
}

START_TEST(op) {
  const Case *c = &cases[_i];
  const IrTensor *args[MAX_OPERANDS];
  IrTensor *result;
  for (int k = 0; k < c->count; k++) args[k] = tensor_of_value(&c->in[k]);
  const char *error = ir_eval_op(arena, c->op, &c->attr, args, c->count, &result);
  for (int way = 0; way < 3; way++) {
    if (way > 0) {
      IrFunction *f = function_of(c, way == 2);
      if (!f) continue;
      error = run_twice(f, args, &result);
    }
    if (c->error) {
      ck_assert_msg(error != NULL, "%s: no error", c->name);
      ck_assert_msg(strstr(error, c->error) != NULL, "%s: %s", c->name, error);
    } else {
      ck_assert_msg(!error, "%s: %s", c->name, error);
      check_same(c->name, result, tensor_of_value(&c->out));
    }
  }
}
END_TEST

/* ---- what the table leaves out ---- */

static IrTensor *reals(int64_t n) {
  IrTensor *t = ir_tensor_new(arena, ir_type(F, 1, &n));
  return t;
}

/* 1 and then terms too small to change it one by one. */
START_TEST(long_sums) {
  int64_t n = 1000003;
  IrTensor *x = reals(n), *sum;
  const IrTensor *in[] = {x};
  IrAttr attr = {.axis_count = 1};
  x->data.f64[0] = 1;
  for (int64_t i = 1; i < n; i++) x->data.f64[i] = 0x1p-54;
  double expected = 1 + (double)(n - 1) * 0x1p-54;
  ck_assert_ptr_null(ir_eval_op(arena, IR_REDUCE_SUM, &attr, in, 1, &sum));
  ck_assert_double_eq_tol(sum->data.f64[0], expected, 0x1p-50);
  x->type = ir_type(F, 2, (int64_t[]){n, 1});
  ck_assert_ptr_null(ir_eval_op(arena, IR_REDUCE_SUM, &attr, in, 1, &sum));
  ck_assert_double_eq_tol(sum->data.f64[0], expected, 0x1p-50);
  double wide = 0;
  int64_t rows = 100001;
  x = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){rows, 35}));
  in[0] = x;
  for (int64_t i = 0; i < x->count; i++) x->data.f64[i] = i < 35 ? 1 : 0x1p-54;
  ck_assert_ptr_null(ir_eval_op(arena, IR_REDUCE_SUM, &attr, in, 1, &sum));
  for (int j = 0; j < 35; j++)
    wide = fmax(wide, fabs(sum->data.f64[j] - (1 + (double)(rows - 1) * 0x1p-54)));
  ck_assert_double_lt(wide, 0x1p-50);
}
END_TEST

/* Larger than the tiles of the copies and products. */
START_TEST(large_matrices) {
  enum { N = 37, M = 21, L = 301 };
  IrTensor *x = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){N, L}));
  IrTensor *y = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){L, M})), *z, *t;
  for (int i = 0; i < N * L; i++) x->data.f64[i] = i * 7 % 11 - 5;
  for (int i = 0; i < L * M; i++) y->data.f64[i] = i * 5 % 13 - 6;
  const IrTensor *in[] = {x, y};
  ck_assert_ptr_null(ir_eval_op(arena, IR_MATMUL, &(IrAttr){0}, in, 2, &z));
  in[0] = z;
  IrAttr swap = {.axis_count = 2, .axes = {1, 0}};
  ck_assert_ptr_null(ir_eval_op(arena, IR_TRANSPOSE, &swap, in, 1, &t));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      double sum = 0;
      for (int k = 0; k < L; k++) sum += x->data.f64[i * L + k] * y->data.f64[k * M + j];
      ck_assert_double_eq(z->data.f64[i * M + j], sum);
      ck_assert_double_eq(t->data.f64[j * N + i], sum);
    }
}
END_TEST

START_TEST(long_sort) {
  int64_t n = 10007;
  IrTensor *x = reals(n), *order;
  const IrTensor *in[] = {x};
  for (int64_t i = 0; i < n; i++) x->data.f64[i] = i % 7 == 0 ? NAN : (double)(i * 7919 % 1009);
  for (int descending = 0; descending < 2; descending++) {
    IrAttr attr = {.reverse = descending};
    ck_assert_ptr_null(ir_eval_op(arena, IR_ARGSORT, &attr, in, 1, &order));
    for (int64_t i = 1; i < n; i++) {
      int64_t p = order->data.i64[i - 1], q = order->data.i64[i];
      double a = x->data.f64[p], b = x->data.f64[q];
      bool tied = a == b || (isnan(a) && isnan(b));
      ck_assert(tied ? p < q : isnan(b) || (descending ? a > b : a < b));
    }
  }
}
END_TEST

/* The known answers that come with the definition of the generator. */
START_TEST(random_bits) {
  static const uint64_t keys[] = {0, UINT64_MAX, 0x13198a2e03707344};
  static const uint64_t counters[] = {0, UINT64_MAX, 0x243f6a8885a308d3};
  static const uint64_t answers[] = {0x6b20015999ba4efe, 0x1cb996fcbb002be7, 0xc4923a9c483df7a0};
  int64_t n = 3;
  IrTensor *key = ir_tensor_new(arena, ir_type(I, 1, &n)), *bits;
  IrTensor *counter = ir_tensor_new(arena, ir_type(I, 1, &n));
  memcpy(key->data.i64, keys, sizeof keys);
  memcpy(counter->data.i64, counters, sizeof counters);
  const IrTensor *in[] = {key, counter};
  ck_assert_ptr_null(ir_eval_op(arena, IR_THREEFRY, &(IrAttr){0}, in, 2, &bits));
  ck_assert_mem_eq(bits->data.i64, answers, sizeof answers);
  in[1] = ir_tensor_i64(arena, 0);
  ck_assert_ptr_null(ir_eval_op(arena, IR_THREEFRY, &(IrAttr){0}, in, 2, &bits));
  ck_assert_mem_eq(bits->data.i64, answers, sizeof *answers);
}
END_TEST

/* A size of 1 that the type leaves open does not broadcast. */
START_TEST(open_one) {
  IrBuilder *b = begin_plain("open");
  int64_t open = IR_DYNAMIC;
  IrType t = ir_type(F, 1, &open);
  IrValue *in[] = {ir_param(b, t, NULL), ir_param(b, t, NULL)};
  IrValue *out = ir_binary(b, IR_ADD, in[0], in[1]);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  const IrTensor *args[] = {reals(1), reals(3)};
  IrTensor *result;
  const char *error = run_twice(f, args, &result);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "agree"));
}
END_TEST

START_TEST(bad_arguments) {
  IrBuilder *b = begin_plain("arguments");
  int64_t three = 3;
  IrValue *x = ir_param(b, ir_type(F, 1, &three), NULL);
  IrValue *out = ir_unary(b, IR_NEG, x);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  const IrTensor *args[] = {reals(2)};
  IrTensor *result;
  ck_assert_ptr_nonnull(run_twice(f, args, &result));
  args[0] = ir_tensor_new(arena, ir_type(I, 1, &three));
  ck_assert_ptr_nonnull(run_twice(f, args, &result));
  args[0] = ir_tensor_f64(arena, 1);
  ck_assert_ptr_nonnull(run_twice(f, args, &result));
  args[0] = reals(3);
  ck_assert_ptr_null(run_twice(f, args, &result));
}
END_TEST

START_TEST(regions_are_not_ops) {
  IrTensor *x = ir_tensor_f64(arena, 1), *result;
  const IrTensor *in[] = {x, x, x};
  static const IrOp ops[] = {IR_CALL, IR_IF, IR_LOOP, IR_CONST};
  for (int k = 0; k < 4; k++)
    ck_assert_ptr_nonnull(ir_eval_op(arena, ops[k], &(IrAttr){0}, in, 1, &result));
  ck_assert_ptr_nonnull(ir_eval_op(arena, IR_ADD, &(IrAttr){0}, in, 1, &result));
  ck_assert_ptr_nonnull(ir_eval_op(arena, IR_CONCAT, &(IrAttr){0}, in, 0, &result));
}
END_TEST

/* Ops with bodies, and one whose numbers need all 64 bits, have tests of their own. */
START_TEST(every_op) {
  for (int k = 0; k < IR_OP_COUNT; k++) {
    bool found = k == IR_CONST || k == IR_CALL || k == IR_IF || k == IR_LOOP || k == IR_THREEFRY;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
      found = found || (cases[i].op == (IrOp)k && !cases[i].error);
    ck_assert_msg(found, "%s is not tested", ir_op_name((IrOp)k));
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("evaluation of ops");
  TCase *t = tcase_create("ops");
  tcase_add_checked_fixture(t, eval_set_up, eval_tear_down);
  tcase_add_loop_test(t, op, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, long_sums);
  tcase_add_test(t, large_matrices);
  tcase_add_test(t, long_sort);
  tcase_add_test(t, random_bits);
  tcase_add_test(t, open_one);
  tcase_add_test(t, bad_arguments);
  tcase_add_test(t, regions_are_not_ops);
  tcase_add_test(t, every_op);
  suite_add_tcase(s, t);
  return run_suite(s);
}
