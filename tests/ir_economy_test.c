/* Rewrites for speed: what they promise not to compute any more, and values by their definitions.
 */
#include "ir/builder.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { CHAINS = 3 };

static Arena *arena;

static uint64_t next(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return *state >> 33;
}

static double uniform(uint64_t *state, double low, double high) {
  return low + (high - low) * (double)next(state) / 2147483648.0;
}

static int count_ops(const IrFunction *f, IrOp op) {
  int count = 0;
  for (int i = 0; i < f->node_count; i++) count += f->nodes[i]->op == op;
  return count;
}

/* Elements that the logarithms of f are taken of, for one chain. */
static int64_t logarithms(const IrFunction *f) {
  int64_t count = 0;
  for (int i = 0; i < f->node_count; i++) {
    const IrType *t = &f->nodes[i]->out[0]->type;
    int64_t n = 1;
    for (int k = 1; k < t->rank; k++) n *= t->dim[k];
    if (f->nodes[i]->op == IR_LOG) count += n;
  }
  return count;
}

static IrTensor *random_rows(int64_t rows, int64_t columns, double low, double high) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){rows, columns}));
  uint64_t state = (uint64_t)(rows * 1000 + columns);
  for (int64_t k = 0; k < t->count; k++) t->data.f64[k] = uniform(&state, low, high);
  return t;
}

static const IrTensor *run(const IrFunction *f, const IrTensor *const *args, IrPlan **plan) {
  const IrTensor *result;
  ck_assert_ptr_null(ir_verify(f));
  *plan = ir_plan_new(f);
  ck_assert_ptr_null(ir_plan_run(*plan, args, &result));
  return result;
}

static void check_close(double got, double expected) {
  if (isinf(expected) || isnan(expected))
    ck_assert(isnan(expected) ? isnan(got) : got == expected);
  else
    ck_assert_double_le(fabs(got - expected), 1e-12 * fmax(1, fabs(expected)));
}

/* ---- sums of logarithms ---- */

/* The sum over n elements of x + log(1 + exp(-|x|)) - x / 2, for each chain. */
static IrFunction *softplus_sum(int64_t n, bool kept) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, n}), "x");
  IrValue *e = ir_unary(b, IR_EXP, ir_unary(b, IR_NEG, ir_unary(b, IR_ABS, x)));
  IrValue *l = ir_unary(b, IR_LOG, ir_binary(b, IR_ADD, e, ir_f64(b, 1)));
  IrValue *v = ir_binary(b, IR_ADD, x, l), *half = ir_binary(b, IR_MUL, x, ir_f64(b, 0.5));
  IrValue *sum = ir_reduce(b, IR_REDUCE_SUM, ir_binary(b, IR_SUB, v, half), (int8_t[]){1}, 1);
  return ir_function_end(b, (IrValue *[]){sum, l}, NULL, kept ? 2 : 1);
}

static double softplus_expected(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] + log1p(exp(-fabs(x[k]))) - x[k] / 2;
  return sum;
}

static const struct {
  int64_t elements, logarithms;
} softplus_cases[] = {{1, 1},          {2, 1},         {48, 1},         {100, 2 + 4},
                      {1000, 20 + 40}, {1009, 21 + 1}, {3020, 62 + 44}, {4800, 102 + 6}};

START_TEST(logarithms_are_joined) {
  int64_t n = softplus_cases[_i].elements;
  IrFunction *f = ir_economise(softplus_sum(n, false));
  ck_assert_int_eq(logarithms(f), softplus_cases[_i].logarithms);
  IrTensor *x = random_rows(CHAINS, n, -3, 3);
  x->data.f64[n / 2] = 800;
  x->data.f64[n + n / 3] = -INFINITY;
  x->data.f64[2 * n] = NAN;
  IrPlan *plan;
  const IrTensor *sums = run(f, (const IrTensor *[]){x}, &plan);
  for (int c = 0; c < CHAINS; c++)
    check_close(sums->data.f64[c], softplus_expected(x->data.f64 + c * n, n));
  ir_plan_free(plan);
}
END_TEST

START_TEST(logarithms_that_are_needed_stay) {
  ck_assert_int_eq(logarithms(ir_economise(softplus_sum(1000, true))), 1000);
}
END_TEST

/* The largest factors whose product is known to be a number: exp(37) and no less than 1. */
START_TEST(groups_do_not_overflow) {
  enum { N = 1900 };
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, N}), "x");
  IrValue *large = ir_binary(b, IR_GT, x, ir_f64(b, 20));
  IrValue *e = ir_unary(b, IR_EXP, ir_select(b, large, ir_f64(b, 37), x));
  IrValue *l = ir_unary(b, IR_LOG, ir_binary(b, IR_ADD, e, ir_f64(b, 1)));
  IrValue *sum = ir_reduce(b, IR_REDUCE_SUM, l, (int8_t[]){1}, 1);
  IrFunction *f = ir_economise(ir_function_end(b, &sum, NULL, 1));
  ck_assert_int_eq(logarithms(f), 105 + 10); /* 18 fit */
  IrTensor *many = random_rows(1, N, 30, 1000);
  IrPlan *plan;
  check_close(run(f, (const IrTensor *[]){many}, &plan)->data.f64[0], 37.0 * N);
  ir_plan_free(plan);
}
END_TEST

/* Without bounds nothing is multiplied. */
START_TEST(unbounded_logarithms_stay) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, 50}), "x");
  IrValue *e = ir_binary(b, IR_ADD, ir_unary(b, IR_EXP, x), ir_f64(b, 1));
  IrValue *sum = ir_reduce(b, IR_REDUCE_SUM, ir_unary(b, IR_LOG, e), (int8_t[]){1}, 1);
  IrFunction *f = ir_economise(ir_function_end(b, &sum, NULL, 1));
  ck_assert_int_eq(logarithms(f), 50);
}
END_TEST

/* ---- quotients ---- */

/* A number from the exponential of x, as parameters with a lower bound are. */
static IrValue *positive(IrBuilder *b, IrValue *x) {
  IrValue *v = ir_unary(b, IR_EXP, x);
  ir_assume(v, IR_POSITIVE | IR_FINITE);
  return v;
}

static void check_numbers(const IrFunction *f, double x, double y, double expected) {
  IrTensor *args[2];
  for (int k = 0; k < 2; k++) args[k] = ir_tensor_new(arena, ir_scalar(IR_F64));
  args[0]->data.f64[0] = x;
  args[1]->data.f64[0] = y;
  IrPlan *plan;
  check_close(run(f, (const IrTensor *const *)args, &plan)->data.f64[0], expected);
  ir_plan_free(plan);
}

/* (1 / x) y, and 1 / x itself where it is kept. */
static IrFunction *product_with_reciprocal(bool kept) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y");
  IrValue *r = ir_binary(b, IR_DIV, ir_f64(b, 1), x), *v = ir_binary(b, IR_MUL, y, r);
  return ir_function_end(b, (IrValue *[]){v, r}, NULL, kept ? 2 : 1);
}

START_TEST(reciprocals_divide) {
  IrFunction *f = ir_economise(product_with_reciprocal(false));
  ck_assert_int_eq(count_ops(f, IR_DIV), 1);
  ck_assert_int_eq(count_ops(f, IR_MUL), 0);
  check_numbers(f, 8, 3, 0.375);
  ck_assert_int_eq(count_ops(ir_economise(product_with_reciprocal(true)), IR_MUL), 1);
}
END_TEST

/* (y / s - 3) s for s = exp(x) */
START_TEST(divisors_leave_sums) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y");
  IrValue *s = positive(b, x), *sum = ir_binary(b, IR_DIV, y, s);
  sum = ir_binary(b, IR_MUL, ir_binary(b, IR_SUB, sum, ir_f64(b, 3)), s);
  IrFunction *f = ir_economise(ir_function_end(b, &sum, NULL, 1));
  ck_assert_int_eq(count_ops(f, IR_DIV), 0);
  check_numbers(f, 0, 5, 2);
}
END_TEST

/* The derivative of y / s with respect to x is -y / s: what is known of s is known there too. */
START_TEST(derivatives_know_what_is_known) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y");
  IrValue *v = ir_binary(b, IR_DIV, y, positive(b, x));
  IrFunction *f = ir_function_end(b, &v, NULL, 1);
  f = ir_simplify(ir_grad(f, 0, (bool[]){true, false}));
  ck_assert_int_eq(count_ops(f, IR_DIV), 1);
  ck_assert_int_eq(count_ops(f, IR_MUL), 0);
}
END_TEST

/* x + y / 2 - 5 x, as of a change of variables and a density; and with what is not finite. */
static IrFunction *multiples(double factor, bool finite) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y");
  if (finite) ir_assume(x, IR_FINITE);
  IrValue *sum = ir_binary(b, IR_ADD, x, ir_binary(b, IR_MUL, y, ir_f64(b, 0.5)));
  sum = ir_binary(b, IR_SUB, sum, ir_binary(b, IR_MUL, x, ir_f64(b, factor)));
  return ir_simplify(ir_function_end(b, &sum, NULL, 1));
}

START_TEST(multiples_meet) {
  IrFunction *f = multiples(5, true);
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB), 1);
  check_numbers(f, 3, 4, -10);
  f = multiples(1, true); /* which might compensate for rounding */
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB), 2);
  f = multiples(134217729, true);
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB), 2);
  f = multiples(5, false);
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB), 2);
}
END_TEST

/* ---- selections ---- */

/* Where x > 0: x and columns of y, else -1 and 5; with columns that are not there yet. */
static IrFunction *selections(int64_t columns, bool later) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, 1}), "x");
  IrValue *y = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, columns}), "y");
  IrValue *c = ir_binary(b, IR_GT, x, ir_f64(b, 0)), *r[2];
  r[1] = ir_select(b, c, x, ir_f64(b, -1));
  if (later) y = ir_unary(b, IR_EXP, y);
  r[0] = ir_select(b, c, y, ir_f64(b, 5));
  return ir_function_end(b, r, NULL, 2);
}

START_TEST(selections_are_joined) {
  IrFunction *f = ir_economise(selections(3, false));
  ck_assert_int_eq(count_ops(f, IR_SELECT), 1);
  IrTensor *args[2] = {random_rows(4, 1, -1, 1), random_rows(4, 3, -1, 1)};
  args[0]->data.f64[0] = NAN;
  args[0]->data.f64[1] = 2;
  args[0]->data.f64[2] = -INFINITY;
  for (int k = 0; k < 3; k++) args[1]->data.f64[6 + k] = NAN;
  const IrTensor *results[2];
  IrPlan *plan = ir_plan_new(f);
  ck_assert_ptr_null(ir_verify(f));
  ck_assert_ptr_null(ir_plan_run(plan, (const IrTensor *const *)args, results));
  for (int row = 0; row < 4; row++) {
    double x = args[0]->data.f64[row];
    check_close(results[1]->data.f64[row], x > 0 ? x : -1);
    for (int k = 0; k < 3; k++)
      check_close(results[0]->data.f64[3 * row + k], x > 0 ? args[1]->data.f64[3 * row + k] : 5);
  }
  ir_plan_free(plan);
  ck_assert_int_eq(count_ops(ir_economise(selections(3, true)), IR_SELECT), 2);
  ck_assert_int_eq(count_ops(ir_economise(selections(300, false)), IR_SELECT), 2);
}
END_TEST

/* ---- multiples of parts ---- */

/* y, with multiples of what is in its place in x added to the first columns; x in another place;
 * and x that might not be finite. */
static IrFunction *multiples_of_parts(int64_t place, bool finite) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, 6}), "x");
  IrValue *y = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, 6}), "y"), *v[4];
  static const int64_t start[] = {0, 1, 3, 4}, length[] = {1, 2, 1, 2};
  if (finite) ir_assume(x, IR_FINITE);
  for (int k = 0; k < 4; k++) {
    IrValue *from = ir_i64(b, start[k]), *size = ir_i64(b, length[k]);
    IrValue *part = ir_slice(b, x, 1, ir_i64(b, k == 1 ? place : start[k]), size);
    v[k] = ir_unary(b, IR_SIN, ir_slice(b, y, 1, from, size));
    if (k == 0) v[k] = ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, part, ir_f64(b, -3)), v[k]);
    if (k == 1) v[k] = ir_binary(b, IR_SUB, v[k], ir_binary(b, IR_MUL, part, ir_f64(b, 0.5)));
    if (k == 3) v[k] = ir_binary(b, IR_SUB, v[k], part);
  }
  IrValue *all = ir_concat(b, v, 4, 1);
  return ir_economise(ir_function_end(b, &all, NULL, 1));
}

START_TEST(multiples_are_added_at_once) {
  static const double factors[] = {-3, -0.5, -0.5, 0, -1, -1};
  IrFunction *f = multiples_of_parts(1, true);
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB) + count_ops(f, IR_MUL), 2);
  IrTensor *x = random_rows(CHAINS, 6, -3, 3), *y = ir_tensor_new(arena, x->type);
  for (int k = 0; k < 6 * CHAINS; k++) y->data.f64[k] = k / 4.0 - 2;
  IrPlan *plan;
  const IrTensor *result = run(f, (const IrTensor *[]){x, y}, &plan);
  for (int k = 0; k < 6 * CHAINS; k++)
    check_close(result->data.f64[k], sin(y->data.f64[k]) + factors[k % 6] * x->data.f64[k]);
  ir_plan_free(plan);
  f = multiples_of_parts(2, true);
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB) + count_ops(f, IR_MUL), 5);
  f = multiples_of_parts(1, false);
  ck_assert_int_eq(count_ops(f, IR_ADD) + count_ops(f, IR_SUB) + count_ops(f, IR_MUL), 5);
}
END_TEST

/* ---- products with matrices ---- */

/* Sums along `axis` of the products of rows of x with a matrix of 3 by 4, its elements 1 to 12. */
static IrFunction *products(int axis, bool kept) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, axis == 2 ? 4 : 3}), "x");
  IrTensor *c = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){3, 4}));
  for (int k = 0; k < 12; k++) c->data.f64[k] = k + 1;
  IrValue *all = ir_binary(b, IR_MUL, ir_unsqueeze(b, x, axis == 2 ? 1 : 2), ir_constant(b, c));
  IrValue *sum = ir_reduce(b, IR_REDUCE_SUM, all, (int8_t[]){(int8_t)axis}, 1);
  return ir_function_end(b, (IrValue *[]){sum, all}, NULL, kept ? 2 : 1);
}

START_TEST(sums_are_matrix_products) {
  int inner = _i == 2 ? 4 : 3, outer = 7 - inner;
  IrFunction *f = ir_economise(products(_i, false));
  ck_assert_int_eq(count_ops(f, IR_MATMUL), 1);
  ck_assert_int_eq(count_ops(f, IR_MUL), 0);
  IrTensor *x = random_rows(CHAINS, inner, -3, 3);
  IrPlan *plan;
  const IrTensor *sums = run(f, (const IrTensor *[]){x}, &plan);
  ck_assert_int_eq(sums->count, CHAINS * outer);
  for (int row = 0; row < CHAINS; row++)
    for (int k = 0; k < outer; k++) {
      double expected = 0;
      for (int j = 0; j < inner; j++)
        expected += x->data.f64[row * inner + j] * (_i == 2 ? 4 * k + j + 1 : 4 * j + k + 1);
      check_close(sums->data.f64[row * outer + k], expected);
    }
  ir_plan_free(plan);
  ck_assert_int_eq(count_ops(ir_economise(products(_i, true)), IR_MATMUL), 0);
}
END_TEST

/* ---- bodies ---- */

/* What is summed up in a loop is rewritten too. */
START_TEST(bodies_are_rewritten) {
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 1, (int64_t[]){20}), "x"), *zero = ir_f64(b, 0), *sum;
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), "i"), *s = ir_param(body, ir_scalar(IR_F64), "s");
  IrValue *e = ir_unary(body, IR_EXP, ir_unary(body, IR_NEG, ir_unary(body, IR_ABS, x)));
  e = ir_binary(body, IR_ADD, e,
                ir_unary(body, IR_EXP,
                         ir_unary(body, IR_NEG, ir_unary(body, IR_ABS, ir_cast(body, i, IR_F64)))));
  IrValue *l = ir_unary(body, IR_LOG, ir_binary(body, IR_ADD, e, ir_f64(body, 1)));
  IrValue *next =
      ir_binary(body, IR_MUL, ir_unary(body, IR_COS, s), ir_reduce_all(body, IR_REDUCE_SUM, l));
  ir_function_end(body, &next, NULL, 1);
  ir_loop(b, (IrLoop){.count = ir_i64(b, 3), .carried = 1, .initial = &zero}, body, &sum);
  IrFunction *f = ir_economise(ir_function_end(b, &sum, NULL, 1));
  const IrNode *loop = f->nodes[f->node_count - 1];
  ck_assert_int_eq(loop->op, IR_LOOP);
  ck_assert_int_eq(count_ops(loop->body[0], IR_REDUCE_PROD), 1);
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){20}));
  double expected = 0;
  for (int k = 0; k < 20; k++) t->data.f64[k] = k / 8.0 - 1;
  for (int k = 0; k < 3; k++) {
    double total = 0;
    for (int j = 0; j < 20; j++) total += log(exp(-fabs(j / 8.0 - 1)) + exp(-k) + 1);
    expected = cos(expected) * total;
  }
  IrPlan *plan;
  check_close(run(f, (const IrTensor *[]){t}, &plan)->data.f64[0], expected);
  ir_plan_free(plan);
}
END_TEST

/* ---- sums of groups ---- */

typedef enum { RANDOM, SORTED, BY_GROUP, BY_MEMBER, SKEWED, ONE_EMPTY } Pattern;

static const struct {
  Pattern pattern;
  int64_t elements, places;
  bool scatters; /* still */
} group_cases[] = {
    {BY_GROUP, 12, 4, false},  {BY_MEMBER, 12, 4, false},   {RANDOM, 40, 5, true},
    {RANDOM, 1000, 7, true},   {RANDOM, 1000, 200, true},   {SORTED, 1000, 20, true},
    {ONE_EMPTY, 900, 9, true}, {SKEWED, 2000, 50, true},    {RANDOM, 700, 1, false},
    {RANDOM, 300, 2, true},    {BY_GROUP, 400, 400, false}, {BY_MEMBER, 2000, 2, false},
};

static int64_t place_of(Pattern pattern, int64_t k, int64_t n, int64_t places, uint64_t *state) {
  int64_t any = (int64_t)next(state) % places;
  switch (pattern) {
  case SORTED: return k * k / n * places / n;
  case BY_GROUP: return k / (n / places);
  case BY_MEMBER: return k % places;
  case SKEWED: return k % 3 ? 1 : any;
  case ONE_EMPTY: return any ? any : 1;
  default: return any;
  }
}

/* x with v, along axis 1, added at index; each element of the axis may be a row. */
START_TEST(groups_are_summed) {
  int64_t n = group_cases[_i].elements, places = group_cases[_i].places;
  for (int64_t width = 0; width < 3; width += 2) {
    int rank = width ? 3 : 2;
    int64_t row = width ? width : 1;
    uint64_t state = (uint64_t)_i;
    IrTensor *at = ir_tensor_new(arena, ir_type(IR_I64, 1, &n));
    for (int64_t k = 0; k < n; k++)
      at->data.i64[k] = place_of(group_cases[_i].pattern, k, n, places, &state);
    IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
    IrValue *x = ir_param(b, ir_type(IR_F64, rank, (int64_t[]){IR_DYNAMIC, places, width}), "x");
    IrValue *v = ir_param(b, ir_type(IR_F64, rank, (int64_t[]){IR_DYNAMIC, n, width}), "v");
    IrValue *sum = ir_scatter(b, IR_SCATTER_ADD, x, ir_constant(b, at), v, 1, 0);
    IrFunction *f = ir_economise(ir_function_end(b, &sum, NULL, 1));
    ck_assert_int_eq(count_ops(f, IR_SCATTER_ADD), group_cases[_i].scatters);
    IrTensor *start = random_rows(CHAINS, places * row, -1, 1);
    IrTensor *more = random_rows(CHAINS, n * row, -1, 1);
    start->type = ir_type(IR_F64, rank, (int64_t[]){CHAINS, places, width});
    more->type = ir_type(IR_F64, rank, (int64_t[]){CHAINS, n, width});
    IrPlan *plan;
    const IrTensor *got = run(f, (const IrTensor *[]){start, more}, &plan);
    for (int64_t c = 0; c < CHAINS; c++)
      for (int64_t k = 0; k < n * row; k++)
        start->data.f64[(c * places + at->data.i64[k / row]) * row + k % row] +=
            more->data.f64[c * n * row + k];
    ck_assert_int_eq(got->count, start->count);
    for (int64_t k = 0; k < got->count; k++) check_close(got->data.f64[k], start->data.f64[k]);
    ir_plan_free(plan);
  }
}
END_TEST

/* The form of the graph does not depend on how many elements there are. */
START_TEST(form_is_that_of_any_size) {
  static const int64_t sizes[] = {100, 128, 4800, 20000};
  int logs = ir_node_total(ir_economise(softplus_sum(sizes[0], false)));
  for (size_t k = 1; k < sizeof sizes / sizeof *sizes; k++)
    ck_assert_int_eq(ir_node_total(ir_economise(softplus_sum(sizes[k], false))), logs);
}
END_TEST

/* ---- indices ---- */

/* Rows of two matrices read at the same places: the index is repeated once, and the values stay. */
START_TEST(indices_are_spread_once) {
  enum { N = 30, M = 7 };
  int64_t n = N;
  uint64_t state = 5;
  IrTensor *at = ir_tensor_new(arena, ir_type(IR_I64, 1, &n));
  for (int64_t k = 0; k < N; k++) at->data.i64[k] = (int64_t)next(&state) % M;
  IrBuilder *b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, (int64_t[]){IR_DYNAMIC, M}), "x");
  IrValue *y = ir_unary(b, IR_EXP, x), *index = ir_constant(b, at);
  IrValue *v = ir_binary(b, IR_SUB, ir_gather(b, x, index, 1, 0), ir_gather(b, y, index, 1, 0));
  IrFunction *f = ir_economise(ir_function_end(b, &v, NULL, 1));
  ck_assert_int_eq(count_ops(f, IR_BROADCAST), 1);
  ck_assert_int_eq(count_ops(f, IR_GATHER), 2);
  IrTensor *rows = random_rows(CHAINS, M, -1, 1);
  IrPlan *plan;
  const IrTensor *got = run(f, (const IrTensor *[]){rows}, &plan);
  for (int64_t c = 0; c < CHAINS; c++)
    for (int64_t k = 0; k < N; k++) {
      double of = rows->data.f64[c * M + at->data.i64[k]];
      check_close(got->data.f64[c * N + k], of - exp(of));
    }
  ir_plan_free(plan);
}
END_TEST

START_TEST(can_be_switched_off) {
  IrFunction *f = softplus_sum(1000, false);
  IrModule *m = f->module;
  m->options.no_economy = true;
  ck_assert_ptr_eq(ir_economise(f), f);
}
END_TEST

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { arena_free(arena); }

int main(void) {
  Suite *s = suite_create("economy");
  TCase *t = tcase_create("economy");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_loop_test(t, logarithms_are_joined, 0,
                      (int)(sizeof softplus_cases / sizeof *softplus_cases));
  tcase_add_test(t, logarithms_that_are_needed_stay);
  tcase_add_test(t, groups_do_not_overflow);
  tcase_add_test(t, unbounded_logarithms_stay);
  tcase_add_test(t, reciprocals_divide);
  tcase_add_test(t, divisors_leave_sums);
  tcase_add_test(t, derivatives_know_what_is_known);
  tcase_add_test(t, multiples_meet);
  tcase_add_test(t, selections_are_joined);
  tcase_add_test(t, multiples_are_added_at_once);
  tcase_add_loop_test(t, sums_are_matrix_products, 1, 3);
  tcase_add_test(t, bodies_are_rewritten);
  tcase_add_loop_test(t, groups_are_summed, 0, (int)(sizeof group_cases / sizeof *group_cases));
  tcase_add_test(t, form_is_that_of_any_size);
  tcase_add_test(t, indices_are_spread_once);
  tcase_add_test(t, can_be_switched_off);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
