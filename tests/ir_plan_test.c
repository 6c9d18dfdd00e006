/* What a plan does with memory: results written over operands, memory shared by views and given
 * back after the last use must never show in a value. */
#include "eval_check.h"

#include <string.h>

enum { VALUES = 40, ROWS = 3, COLUMNS = 4 };

static uint64_t random_state;

static int below(int n) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (int)((random_state >> 33) % (uint64_t)n);
}

/* ---- random programs ---- */

/* A value and what it should be. All are f64[3,4]. */
typedef struct {
  IrValue *value[VALUES];
  const IrTensor *expected[VALUES];
  int count;
} Program;

static const IrTensor *expect(IrOp op, IrAttr attr, const IrTensor *const *in, int count) {
  IrTensor *out;
  const char *error = ir_eval_op(arena, op, &attr, in, count, &out);
  ck_assert_msg(!error, "%s", error);
  /* A view in the arena would hide that a plan writes over what it should not. */
  IrTensor *copy = ir_tensor_new(arena, out->type);
  memcpy(copy->data.bytes, out->data.bytes, (size_t)out->count * ir_dtype_size(out->type.dtype));
  return copy;
}

/* One step of several ops is one value: the ones in between are used once. */
typedef struct {
  IrBuilder *b;
  IrValue *value;
  const IrTensor *expected;
} Pair;

static Pair apply(Pair x, IrOp op, IrAttr attr, const Pair *more, int count) {
  IrValue *in[4] = {x.value};
  const IrTensor *tensors[4] = {x.expected};
  for (int k = 0; k < count; k++) {
    in[k + 1] = more[k].value;
    tensors[k + 1] = more[k].expected;
  }
  return (Pair){x.b, ir_emit(x.b, op, attr, in, count + 1), expect(op, attr, tensors, count + 1)};
}

static Pair number(IrBuilder *b, int64_t n) {
  return (Pair){b, ir_i64(b, n), ir_tensor_i64(arena, n)};
}

static Pair pick(IrBuilder *b, const Program *p) {
  int k = p->count - 1 - below(p->count < 6 || below(4) == 0 ? p->count : 6);
  return (Pair){b, p->value[k], p->expected[k]};
}

static Pair reshaped(Pair x, int64_t rows, int64_t columns) {
  Pair dims[] = {number(x.b, rows), number(x.b, columns)};
  return apply(x, IR_RESHAPE, (IrAttr){0}, dims, 2);
}

static Pair random_step(IrBuilder *b, const Program *p) {
  Pair x = pick(b, p), y = pick(b, p), few[3];
  IrAttr swap = {.axis_count = 2, .axes = {1, 0}};
  switch (below(9)) {
  case 0: return apply(x, IR_ADD, (IrAttr){0}, &y, 1);
  case 1: return apply(x, IR_MAX, (IrAttr){0}, &y, 1);
  case 2: return apply(x, IR_NEG, (IrAttr){0}, NULL, 0);
  case 3: return reshaped(apply(x, IR_TRANSPOSE, swap, NULL, 0), ROWS, COLUMNS);
  case 4: /* a row, added to all rows of another */
    few[0] = number(b, below(ROWS));
    few[1] = number(b, 1);
    x = apply(x, IR_SLICE, (IrAttr){.axis = 0}, few, 2);
    return apply(x, IR_ADD, (IrAttr){0}, &y, 1);
  case 5: /* one row written into another value */
    few[0] = number(b, below(ROWS));
    few[1] = apply(y, IR_GATHER, (IrAttr){.axis = 0}, few, 1);
    return apply(x, IR_SCATTER_SET, (IrAttr){.axis = 0}, few, 2);
  case 6: return apply(x, IR_CUMSUM, (IrAttr){.axis = below(2), .reverse = below(2)}, NULL, 0);
  case 7: /* through another shape and back, with a view kept in use */
    few[0] = reshaped(x, COLUMNS, ROWS);
    few[0] = apply(few[0], IR_ADD, (IrAttr){0}, few, 1);
    return reshaped(few[0], ROWS, COLUMNS);
  default: /* by way of a comparison, which takes less memory */
    few[0] = apply(x, IR_LT, (IrAttr){0}, &y, 1);
    few[1] = x;
    few[2] = y;
    return apply(few[0], IR_SELECT, (IrAttr){0}, few + 1, 2);
  }
}

/* Values in the middle are results too, now and then. */
static IrFunction *random_function(Program *p, const IrTensor *const *args,
                                   const IrTensor **wanted) {
  IrBuilder *b = begin_plain("random");
  IrValue *results[VALUES];
  int count = 0;
  for (p->count = 0; p->count < 2; p->count++) {
    p->value[p->count] = ir_param(b, args[p->count]->type, NULL);
    p->expected[p->count] = args[p->count];
  }
  while (p->count < VALUES) {
    Pair x = random_step(b, p);
    p->value[p->count] = x.value;
    p->expected[p->count++] = x.expected;
  }
  for (int k = 0; k < VALUES; k++)
    if (k >= VALUES - 3 || below(8) == 0) {
      wanted[count] = p->expected[k];
      results[count++] = p->value[k];
    }
  return ir_function_end(b, results, NULL, count);
}

START_TEST(random_program) {
  const IrTensor *args[2], *wanted[VALUES];
  IrTensor *copies[2], *got[VALUES];
  Program p;
  random_state = (uint64_t)_i;
  for (int k = 0; k < 2; k++) {
    copies[k] = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){ROWS, COLUMNS}));
    for (int i = 0; i < ROWS * COLUMNS; i++) copies[k]->data.f64[i] = below(100) - 50;
    args[k] = copies[k];
  }
  IrFunction *f = random_function(&p, args, wanted);
  const char *error = run_twice(f, args, got);
  ck_assert_msg(!error, "%s", error);
  for (int k = 0; k < f->result_count; k++) check_same("result", got[k], wanted[k]);
}
END_TEST

/* ---- how much memory ---- */

static IrTensor *counted(int64_t n) {
  IrTensor *t = ir_tensor_new(arena, ir_type(F, 1, &n));
  for (int64_t i = 0; i < n; i++) t->data.f64[i] = (double)i;
  return t;
}

/* A chain needs memory for one value only: the first is new, as the argument is the caller's. */
START_TEST(chain) {
  IrBuilder *b = begin_plain("chain");
  int64_t open = IR_DYNAMIC;
  IrValue *x = ir_param(b, ir_type(F, 1, &open), NULL), *one = ir_f64(b, 1), *y = x;
  for (int k = 0; k < 100; k++) y = ir_binary(b, IR_ADD, y, one);
  IrPlan *p = ir_plan_new(ir_function_end(b, &y, NULL, 1));
  const IrTensor *args[] = {counted(1000)}, *result;
  ck_assert_ptr_null(ir_plan_run(p, args, &result));
  ck_assert_int_eq(ir_plan_allocations(p), 1);
  ck_assert_double_eq(result->data.f64[999], 1099);
  ck_assert_double_eq(args[0]->data.f64[999], 999);
  ir_plan_free(p);
}
END_TEST

/* Rows are written in place from the second iteration on: a thousand rows of a thousand. */
START_TEST(loop_in_place) {
  IrBuilder *b = begin_plain("rows");
  IrType matrix = ir_type(F, 2, (int64_t[]){IR_DYNAMIC, IR_DYNAMIC});
  IrValue *x = ir_param(b, matrix, NULL);
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(I), NULL), *m = ir_param(body, matrix, NULL);
  IrValue *row = ir_gather(body, m, i, 0, 0);
  IrValue *next = ir_scatter(body, IR_SCATTER_ADD, m, i, ir_binary(body, IR_ADD, row, row), 0, 0);
  ir_function_end(body, &next, NULL, 1);
  IrValue *out;
  ir_loop(b, (IrLoop){.count = ir_dim(b, x, 0), .carried = 1, .initial = &x}, body, &out);
  IrPlan *p = ir_plan_new(ir_function_end(b, &out, NULL, 1));
  IrTensor *ones = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){1000, 1000}));
  for (int64_t k = 0; k < ones->count; k++) ones->data.f64[k] = 1;
  const IrTensor *args[] = {ones}, *result;
  ck_assert_ptr_null(ir_plan_run(p, args, &result));
  for (int64_t k = 0; k < ones->count; k++) ck_assert(result->data.f64[k] == 3);
  int64_t allocations = ir_plan_allocations(p);
  ck_assert_int_le(allocations, 6);
  ck_assert_ptr_null(ir_plan_run(p, args, &result));
  ck_assert_int_eq(ir_plan_allocations(p), allocations);
  ir_plan_free(p);
}
END_TEST

/* A value that is two operands of its last use must not be written over for the one while it is
 * read for the other. */
START_TEST(operand_twice) {
  IrBuilder *b = begin_plain("twice");
  int64_t open = IR_DYNAMIC;
  IrType vector = ir_type(F, 1, &open);
  IrValue *x = ir_param(b, vector, NULL), *results[4];
  IrAttr first = {.axis = 0};
  IrValue *y = ir_binary(b, IR_ADD, x, x), *index = ir_iota(b, ir_dim(b, x, 0));
  results[0] = ir_scatter(b, IR_SCATTER_ADD, y, ir_emit(b, IR_REVERSE, first, &index, 1), y, 0, 0);
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  ir_param(body, ir_scalar(I), NULL);
  IrValue *p = ir_param(body, vector, NULL), *q = ir_param(body, vector, NULL);
  IrValue *next[] = {ir_unary(body, IR_NEG, p), ir_binary(body, IR_SUB, q, ir_f64(body, 1))};
  ir_function_end(body, next, NULL, 2);
  IrValue *z = ir_binary(b, IR_MUL, x, x), *initial[] = {z, z};
  ir_loop(b, (IrLoop){.count = ir_i64(b, 3), .carried = 2, .initial = initial}, body, results + 1);
  IrFunction *f = ir_function_end(b, results, NULL, 3);
  const IrTensor *args[] = {counted(3)};
  IrTensor *got[3];
  ck_assert_ptr_null(run_twice(f, args, got));
  static const double expected[3][3] = {{4, 4, 4}, {0, -1, -4}, {-3, -2, 1}};
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 3; i++) ck_assert_double_eq(got[k]->data.f64[i], expected[k][i]);
}
END_TEST

/* Results that are arguments, or views of them, do not change with them. */
START_TEST(results_are_owned) {
  IrBuilder *b = begin_plain("views");
  int64_t open = IR_DYNAMIC;
  IrValue *x = ir_param(b, ir_type(F, 1, &open), NULL);
  IrValue *results[] = {x, ir_slice(b, x, 0, ir_i64(b, 1), ir_i64(b, 2)), x, ir_f64(b, 7)};
  IrPlan *p = ir_plan_new(ir_function_end(b, results, NULL, 4));
  IrTensor *arg = counted(4);
  const IrTensor *args[] = {arg}, *got[4];
  ck_assert_ptr_null(ir_plan_run(p, args, got));
  for (int k = 0; k < 4; k++) arg->data.f64[k] = -1;
  ck_assert_double_eq(got[0]->data.f64[3], 3);
  ck_assert_double_eq(got[1]->data.f64[1], 2);
  ck_assert_double_eq(got[2]->data.f64[0], 0);
  ck_assert_double_eq(got[3]->data.f64[0], 7);
  ck_assert_ptr_null(ir_plan_run(p, args, got));
  ck_assert_double_eq(got[1]->data.f64[1], -1);
  ir_plan_free(p);
}
END_TEST

START_TEST(other_shapes) {
  IrBuilder *b = begin_plain("shapes");
  int64_t open = IR_DYNAMIC;
  IrValue *x = ir_param(b, ir_type(F, 1, &open), NULL);
  IrValue *y = ir_binary(b, IR_MUL, ir_binary(b, IR_ADD, x, ir_f64(b, 1)), x);
  IrPlan *p = ir_plan_new(ir_function_end(b, &y, NULL, 1));
  static const int64_t sizes[] = {5, 0, 1000, 3, 70000, 5};
  for (int k = 0; k < 6; k++) {
    const IrTensor *args[] = {counted(sizes[k])}, *result;
    ck_assert_ptr_null(ir_plan_run(p, args, &result));
    ck_assert_int_eq(result->count, sizes[k]);
    for (int64_t i = 0; i < sizes[k]; i++)
      ck_assert_double_eq(result->data.f64[i], (double)(i * (i + 1)));
  }
  ir_plan_free(p);
}
END_TEST

int main(void) {
  Suite *s = suite_create("plans");
  TCase *t = tcase_create("memory");
  tcase_add_checked_fixture(t, eval_set_up, eval_tear_down);
  tcase_add_loop_test(t, random_program, 0, 300);
  tcase_add_test(t, chain);
  tcase_add_test(t, loop_in_place);
  tcase_add_test(t, operand_twice);
  tcase_add_test(t, results_are_owned);
  tcase_add_test(t, other_shapes);
  suite_add_tcase(s, t);
  return run_suite(s);
}
