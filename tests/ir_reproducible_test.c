/* What is left to a runtime of a function that is to be reproducible, and that its values are
 * right: mathematical functions against long double, sums and products against their definitions.
 */
#include "eval_check.h"
#include "ir/builder.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static IrBuilder *begin(void) {
  return ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
}

/* How often an op is applied to reals, in f and its bodies. */
static int uses_of(const IrFunction *f, IrOp op) {
  int count = 0;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    count += n->op == op && n->in[0]->type.dtype == IR_F64;
    for (int k = 0; k < 2 && n->body[k]; k++) count += uses_of(n->body[k], op);
  }
  return count;
}

/* Every op that runtimes compute in ways of their own; log, pow, sin and cos remain for the cases
 * that are left to them. */
static void check_left(const IrFunction *f) {
  static const IrOp none[] = {IR_EXP, IR_TANH, IR_REDUCE_SUM, IR_REDUCE_PROD, IR_MATMUL};
  for (size_t k = 0; k < sizeof none / sizeof *none; k++)
    ck_assert_msg(uses_of(f, none[k]) == 0, "%s is left", ir_op_name(none[k]));
}

static IrTensor *evaluate(const IrFunction *f, const IrTensor *const *args) {
  IrTensor *result;
  const char *error = run_twice(f, args, &result);
  ck_assert_msg(!error, "%s", error);
  return result;
}

static double random_from(double low, double high) {
  return low + (high - low) * (rand() / (RAND_MAX + 1.0));
}

/* ---- mathematical functions ---- */

enum { POINTS = 20000 };

static long double first_exp(long double x, long double y) { return (void)y, expl(x); }
static long double first_log(long double x, long double y) { return (void)y, logl(x); }
static long double first_tanh(long double x, long double y) { return (void)y, tanhl(x); }
static long double first_sin(long double x, long double y) { return (void)y, sinl(x); }
static long double first_cos(long double x, long double y) { return (void)y, cosl(x); }

/* Arguments: numbers from a range, exponentials of such numbers, or 1 and a little. */
typedef enum { EVEN, POWERS, NEAR_ONE } Spread;

static const struct {
  IrOp op;
  long double (*exact)(long double x, long double y);
  Spread spread;
  double low, high;     /* of the operand */
  double y_low, y_high; /* of the second one */
  double units;         /* in the last place, that are allowed */
} functions[] = {
    {IR_EXP, first_exp, EVEN, -745.1, 709.7, 0, 0, 1},
    {IR_EXP, first_exp, EVEN, -1, 1, 0, 0, 1},
    {IR_EXP, first_exp, POWERS, -700, -1, 0, 0, 1},
    {IR_LOG, first_log, POWERS, -744, 709, 0, 0, 1},
    {IR_LOG, first_log, EVEN, 0.25, 4, 0, 0, 1},
    {IR_LOG, first_log, NEAR_ONE, -1e-9, 1e-9, 0, 0, 1},
    {IR_LOG, first_log, NEAR_ONE, -1e-2, 1e-2, 0, 0, 1},
    {IR_TANH, first_tanh, EVEN, -2, 2, 0, 0, 1.5},
    {IR_TANH, first_tanh, EVEN, -30, 30, 0, 0, 1.5},
    {IR_TANH, first_tanh, POWERS, -700, 0, 0, 0, 1.5},
    {IR_SIN, first_sin, EVEN, -7, 7, 0, 0, 2},
    {IR_SIN, first_sin, EVEN, -1e6, 1e6, 0, 0, 2.5},
    {IR_SIN, first_sin, POWERS, -700, 0, 0, 0, 1},
    {IR_COS, first_cos, EVEN, -7, 7, 0, 0, 2},
    {IR_COS, first_cos, EVEN, -1e6, 1e6, 0, 0, 2.5},
    {IR_POW, powl, POWERS, -3, 3, -20, 20, 1.5},
    {IR_POW, powl, POWERS, -300, 300, -2, 2, 1.5},
    {IR_POW, powl, NEAR_ONE, -0.01, 0.01, -1000, 1000, 1.5},
};

static double argument(Spread spread, double low, double high) {
  double x = random_from(low, high);
  return spread == EVEN ? x : spread == POWERS ? exp(x) : 1 + x;
}

static IrFunction *function_of(IrOp op, unsigned facts) {
  IrBuilder *b = begin();
  IrType vector = ir_type(IR_F64, 1, (int64_t[]){IR_DYNAMIC});
  IrValue *in[2] = {ir_param(b, vector, "x"), ir_param(b, vector, "y")};
  ir_assume(in[0], facts);
  IrValue *v = ir_emit(b, op, (IrAttr){0}, in, ir_op_info(op)->operands);
  return ir_make_reproducible(ir_function_end(b, &v, NULL, 1));
}

START_TEST(functions_are_exact_to_the_last_place) {
  IrFunction *f = function_of(functions[_i].op, 0);
  IrType type = ir_type(IR_F64, 1, (int64_t[]){POINTS});
  IrTensor *x = ir_tensor_new(arena, type), *y = ir_tensor_new(arena, type);
  for (int k = 0; k < POINTS; k++) {
    x->data.f64[k] = argument(functions[_i].spread, functions[_i].low, functions[_i].high);
    y->data.f64[k] = random_from(functions[_i].y_low, functions[_i].y_high);
  }
  check_left(f);
  IrTensor *got = evaluate(f, (const IrTensor *[]){x, y});
  for (int k = 0; k < POINTS; k++) {
    long double exact = functions[_i].exact(x->data.f64[k], y->data.f64[k]);
    double size = fabs((double)exact), unit = nextafter(size, INFINITY) - size;
    long double off = fabsl(got->data.f64[k] - exact) / unit;
    ck_assert_msg(off <= functions[_i].units, "%s(%.17g, %.17g) = %.17g, off by %.2Lf units",
                  ir_op_name(functions[_i].op), x->data.f64[k], y->data.f64[k], got->data.f64[k],
                  off);
  }
}
END_TEST

static const double special[] = {0,       -0.0,    1,      -1,     2,        -3,        0.5,
                                 1e300,   -1e300,  1e-300, 5e-324, INFINITY, -INFINITY, NAN,
                                 DBL_MAX, DBL_MIN, 709.79, -745.2, 5001,     -746};
enum { SPECIAL = sizeof special / sizeof *special };

/* Zeros, infinities, NaN and signs are those of C. */
START_TEST(ends_are_those_of_c) {
  static const IrOp ops[] = {IR_EXP, IR_LOG, IR_TANH, IR_SIN, IR_COS, IR_POW};
  static double (*const in_c[])(double) = {exp, log, tanh, sin, cos};
  IrType type = ir_type(IR_F64, 1, (int64_t[]){SPECIAL * SPECIAL});
  IrTensor *x = ir_tensor_new(arena, type), *y = ir_tensor_new(arena, type);
  for (int k = 0; k < SPECIAL * SPECIAL; k++) {
    x->data.f64[k] = special[k / SPECIAL];
    y->data.f64[k] = special[k % SPECIAL];
  }
  IrTensor *got = evaluate(function_of(ops[_i], 0), (const IrTensor *[]){x, y});
  for (int k = 0; k < SPECIAL * SPECIAL; k++) {
    double v = got->data.f64[k], a = x->data.f64[k], b = y->data.f64[k];
    double c = ops[_i] == IR_POW ? pow(a, b) : in_c[_i](a);
    bool same = isnan(c)            ? isnan(v)
                : isinf(c)          ? v == c
                : fabs(c) < DBL_MIN ? fabs(v - c) <= 5e-324
                                    : fabs(v - c) <= 2 * DBL_EPSILON * fabs(c);
    ck_assert_msg(same, "%s(%g, %g) = %.17g, not %.17g", ir_op_name(ops[_i]), a, b, v, c);
  }
}
END_TEST

/* A trajectory that diverges comes to numbers that a parameter is assumed not to be. */
START_TEST(what_is_assumed_is_no_index) {
  static const IrOp ops[] = {IR_EXP, IR_LOG, IR_TANH, IR_SIN, IR_COS, IR_POW};
  IrFunction *f = function_of(ops[_i], IR_POSITIVE | IR_FINITE | IR_NOT_NAN | IR_NONNEGATIVE);
  IrType type = ir_type(IR_F64, 1, (int64_t[]){2});
  IrTensor *x = ir_tensor_new(arena, type), *y = ir_tensor_new(arena, type);
  x->data.f64[0] = NAN;
  x->data.f64[1] = INFINITY;
  y->data.f64[0] = y->data.f64[1] = 3;
  IrTensor *got = evaluate(f, (const IrTensor *[]){x, y});
  ck_assert(isnan(got->data.f64[0]));
  ck_assert(ops[_i] != IR_EXP || got->data.f64[1] == INFINITY);
  ck_assert(ops[_i] != IR_TANH || got->data.f64[1] == 1);
}
END_TEST

/* ---- sums and products ---- */

static const int64_t lengths[] = {0, 1, 2, 3, 16, 17, 255, 256, 257, 1001, 5000};
enum { LENGTHS = sizeof lengths / sizeof *lengths, ROWS = 3, COLUMNS = 2 };

static IrTensor *random_cube(int64_t n, double low, double high) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 3, (int64_t[]){ROWS, n, COLUMNS}));
  for (int64_t k = 0; k < t->count; k++) t->data.f64[k] = random_from(low, high);
  return t;
}

static IrFunction *reduction(IrOp op, int64_t n, int axis_count) {
  static const int8_t middle[] = {1}, all[] = {0, 1, 2};
  IrBuilder *b = begin();
  IrValue *x = ir_param(b, ir_type(IR_F64, 3, (int64_t[]){ROWS, n, COLUMNS}), "x");
  IrValue *v = ir_reduce(b, op, x, axis_count == 1 ? middle : all, axis_count);
  return ir_make_reproducible(ir_function_end(b, &v, NULL, 1));
}

static void check_reduction(IrOp op, const IrTensor *x, const IrTensor *got, int64_t n) {
  long double total[ROWS * COLUMNS + 1], whole = op == IR_REDUCE_SUM ? 0 : 1;
  for (int k = 0; k < ROWS * COLUMNS; k++) {
    total[k] = op == IR_REDUCE_SUM ? 0 : 1;
    for (int64_t i = 0; i < n; i++) {
      double v = x->data.f64[(k / COLUMNS * n + i) * COLUMNS + k % COLUMNS];
      total[k] = op == IR_REDUCE_SUM ? total[k] + v : total[k] * v;
    }
    whole = op == IR_REDUCE_SUM ? whole + total[k] : whole * total[k];
  }
  if (got->count == 1) total[0] = whole;
  double bound = 1e-13 * (op == IR_REDUCE_SUM ? (double)(n + 1) : 1);
  for (int64_t k = 0; k < got->count; k++)
    ck_assert_double_le(fabs((double)(got->data.f64[k] - total[k])),
                        bound * fmax(1, fabs((double)total[k])));
}

/* Of known lengths and of others, along an axis in the middle and along all. */
START_TEST(reductions_are_those_of_all_elements) {
  int64_t n = lengths[_i];
  static const IrOp ops[] = {IR_REDUCE_SUM, IR_REDUCE_PROD};
  for (int k = 0; k < 8; k++) {
    IrOp op = ops[k % 2];
    IrTensor *x = op == IR_REDUCE_SUM ? random_cube(n, -1, 1) : random_cube(n, 0.9, 1.1);
    IrFunction *f = reduction(op, k & 2 ? n : IR_DYNAMIC, k & 4 ? 3 : 1);
    check_left(f);
    check_reduction(op, x, evaluate(f, (const IrTensor *[]){x}), n);
  }
}
END_TEST

/* x y with inner length n: x's leading axis is a batch, y has one of 1, of as many, or none. */
static void check_matmul(int64_t n, int y_batch, bool known) {
  enum { M = 4, K = 5 };
  int64_t extent = known ? n : IR_DYNAMIC;
  int64_t x_dims[] = {ROWS, M, n}, y_dims[] = {y_batch ? y_batch : 1, n, K};
  IrBuilder *b = begin();
  IrValue *in[2];
  in[0] = ir_param(b, ir_type(IR_F64, 3, (int64_t[]){ROWS, M, extent}), "x");
  in[1] = y_batch ? ir_param(b, ir_type(IR_F64, 3, (int64_t[]){y_batch, extent, K}), "y")
                  : ir_param(b, ir_type(IR_F64, 2, (int64_t[]){extent, K}), "y");
  IrValue *v = ir_matmul(b, in[0], in[1]);
  IrFunction *f = ir_make_reproducible(ir_function_end(b, &v, NULL, 1));
  IrTensor *x = ir_tensor_new(arena, ir_type(IR_F64, 3, x_dims));
  IrTensor *y = ir_tensor_new(arena, ir_type(IR_F64, y_batch ? 3 : 2, y_dims + (y_batch ? 0 : 1)));
  for (int64_t k = 0; k < x->count; k++) x->data.f64[k] = random_from(-1, 1);
  for (int64_t k = 0; k < y->count; k++) y->data.f64[k] = random_from(-1, 1);
  check_left(f);
  IrTensor *got = evaluate(f, (const IrTensor *[]){x, y});
  ck_assert_int_eq(got->count, ROWS * M * K);
  for (int64_t at = 0; at < got->count; at++) {
    int64_t row = at / K, batch = y_batch == ROWS ? row / M : 0;
    long double sum = 0;
    for (int64_t k = 0; k < n; k++)
      sum += (long double)x->data.f64[row * n + k] * y->data.f64[(batch * n + k) * K + at % K];
    ck_assert_double_le(fabs((double)(got->data.f64[at] - sum)), 1e-15 * (double)(n + 1));
  }
}

START_TEST(matrix_products_are_sums) {
  int64_t n = lengths[_i];
  static const int batches[] = {0, 1, ROWS};
  for (int k = 0; k < 3; k++)
    for (int known = 0; known < 2; known++) check_matmul(n, batches[k], known);
}
END_TEST

/* Products of more elements than are kept at a time. */
START_TEST(large_matrix_products_are_loops) {
  enum { N = 200 };
  IrBuilder *b = begin();
  IrType square = ir_type(IR_F64, 2, (int64_t[]){N, N});
  IrValue *in[2] = {ir_param(b, square, "x"), ir_param(b, square, "y")};
  IrValue *v = ir_matmul(b, in[0], in[1]);
  IrFunction *f = ir_make_reproducible(ir_function_end(b, &v, NULL, 1));
  int loops = 0;
  for (int i = 0; i < f->node_count; i++) loops += f->nodes[i]->op == IR_LOOP;
  ck_assert_int_eq(loops, 1);
  IrTensor *x = ir_tensor_new(arena, square), *y = ir_tensor_new(arena, square);
  for (int64_t k = 0; k < x->count; k++) {
    x->data.f64[k] = (double)(k % 7 - 3);
    y->data.f64[k] = (double)(k % 11 - 5);
  }
  IrTensor *got = evaluate(f, (const IrTensor *[]){x, y});
  for (int64_t at = 0; at < got->count; at++) {
    double sum = 0;
    for (int64_t k = 0; k < N; k++)
      sum += x->data.f64[at / N * N + k] * y->data.f64[k * N + at % N];
    ck_assert_double_eq(got->data.f64[at], sum); /* of integers */
  }
}
END_TEST

/* Products with reciprocals, for which optimisers have a way of their own. */
START_TEST(reciprocals_divide) {
  IrBuilder *b = begin();
  IrType vector = ir_type(IR_F64, 1, (int64_t[]){IR_DYNAMIC});
  IrValue *x = ir_param(b, vector, "x"), *y = ir_param(b, vector, "y");
  IrValue *one = ir_binary(b, IR_DIV, ir_f64(b, 1), y);
  IrValue *results[2] = {ir_binary(b, IR_MUL, x, one), one};
  IrFunction *f = ir_make_reproducible(ir_function_end(b, results, NULL, 2));
  ck_assert_int_eq(uses_of(f, IR_MUL), 0);
  ck_assert_int_eq(uses_of(f, IR_DIV), 2);
}
END_TEST

START_TEST(bodies_are_rewritten) {
  IrBuilder *b = begin();
  IrValue *x = ir_param(b, ir_type(IR_F64, 1, (int64_t[]){IR_DYNAMIC}), "x"), *v;
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *carried = ir_param(body, x->type, NULL);
  IrValue *half = ir_binary(body, IR_MUL, ir_unary(body, IR_EXP, carried), ir_f64(body, 0.5));
  ir_function_end(body, &half, NULL, 1);
  ir_loop(b, (IrLoop){.count = ir_i64(b, 3), .carried = 1, .initial = &x}, body, &v);
  IrFunction *f = ir_make_reproducible(ir_function_end(b, &v, NULL, 1));
  check_left(f);
  IrTensor *zero = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){1}));
  double got = evaluate(f, (const IrTensor *[]){zero})->data.f64[0];
  ck_assert_double_le(fabs(got - exp(exp(0.5) / 2) / 2), 1e-15);
}
END_TEST

int main(void) {
  Suite *s = suite_create("reproducible");
  TCase *t = tcase_create("reproducible");
  tcase_add_checked_fixture(t, eval_set_up, eval_tear_down);
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, functions_are_exact_to_the_last_place, 0,
                      (int)(sizeof functions / sizeof *functions));
  tcase_add_loop_test(t, ends_are_those_of_c, 0, 6);
  tcase_add_loop_test(t, what_is_assumed_is_no_index, 0, 6);
  tcase_add_loop_test(t, reductions_are_those_of_all_elements, 0, LENGTHS);
  tcase_add_loop_test(t, matrix_products_are_sums, 0, LENGTHS);
  tcase_add_test(t, large_matrix_products_are_loops);
  tcase_add_test(t, reciprocals_divide);
  tcase_add_test(t, bodies_are_rewritten);
  suite_add_tcase(s, t);
  return run_suite(s);
}
