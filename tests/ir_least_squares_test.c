/* Sums of squares of linear forms: how many squares are left of them, and that they have the value
 * that the sum over all rows of a matrix has. */
#include "ir/builder.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { N = 300, PARAMS = 40, GROUPS = 7, KINDS = 3 };

static Arena *arena;

static uint64_t next(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return *state >> 33;
}

static double uniform(uint64_t *state, double low, double high) {
  return low + (high - low) * (double)next(state) / 2147483648.0;
}

/* A sum of squares as IR, and the same as a matrix: row n is sum over k of row[n][k] x[k], plus
 * row[n][PARAMS], and the sum is divided by the square of x[0] where `divided`. */
typedef struct {
  IrBuilder *b;
  IrValue *x;
  uint64_t state;
  double row[N][PARAMS + 1];
  bool divided;
} Problem;

static Problem *problem(void) {
  Problem *p = ARENA_NEW(arena, Problem);
  p->b = ir_function_begin(ir_module_new(arena, (IrOptions){0}), NULL, "f");
  p->x = ir_param(p->b, ir_type(IR_F64, 1, (int64_t[]){PARAMS}), "x");
  p->state = 5;
  return p;
}

static IrTensor *numbers(Problem *p, double low, double high) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){N}));
  for (int n = 0; n < N; n++) t->data.f64[n] = uniform(&p->state, low, high);
  return t;
}

static IrTensor *indices(Problem *p, int count) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_I64, 1, (int64_t[]){N}));
  for (int n = 0; n < N; n++) t->data.i64[n] = (int64_t)(next(&p->state) % (uint64_t)count);
  return t;
}

static IrValue *params(Problem *p, int first, int count) {
  return ir_slice(p->b, p->x, 0, ir_i64(p->b, first), ir_i64(p->b, count));
}

static IrValue *number(Problem *p, int k) { return ir_reshape(p->b, params(p, k, 1), NULL, 0); }

static IrValue *add(Problem *p, IrValue *x, IrValue *y) { return ir_binary(p->b, IR_ADD, x, y); }
static IrValue *mul(Problem *p, IrValue *x, IrValue *y) { return ir_binary(p->b, IR_MUL, x, y); }

/* Terms: a constant vector, a parameter, one times a vector, one for each group, and one for each
 * group times a vector. */

static IrValue *data_term(Problem *p, double low, double high) {
  IrTensor *t = numbers(p, low, high);
  for (int n = 0; n < N; n++) p->row[n][PARAMS] += t->data.f64[n];
  return ir_constant(p->b, t);
}

static IrValue *plain_term(Problem *p, int k) {
  for (int n = 0; n < N; n++) p->row[n][k] += 1;
  return number(p, k);
}

static IrValue *slope_term(Problem *p, int k, double low, double high) {
  IrTensor *t = numbers(p, low, high);
  for (int n = 0; n < N; n++) p->row[n][k] += t->data.f64[n];
  return mul(p, number(p, k), ir_constant(p->b, t));
}

static IrValue *group_term(Problem *p, int first, int count, const IrTensor *index,
                           const IrTensor *by) {
  for (int n = 0; n < N; n++) p->row[n][first + index->data.i64[n]] += by ? by->data.f64[n] : 1;
  IrValue *v = ir_gather(p->b, params(p, first, count), ir_constant(p->b, index), 0, 0);
  return by ? mul(p, v, ir_constant(p->b, by)) : v;
}

/* A matrix of constants with `count` parameters. */
static IrValue *matrix_term(Problem *p, int first, int count) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){N, count}));
  for (int n = 0; n < N; n++)
    for (int k = 0; k < count; k++) {
      double *x = &t->data.f64[n * count + k];
      *x = uniform(&p->state, -1, 1);
      p->row[n][first + k] += *x;
    }
  IrValue *dims[2] = {ir_i64(p->b, count), ir_i64(p->b, 1)}, *size = ir_i64(p->b, N);
  IrValue *column = ir_reshape(p->b, params(p, first, count), dims, 2);
  return ir_reshape(p->b, ir_matmul(p->b, ir_constant(p->b, t), column), &size, 1);
}

/* All rows and the vector divided by the same constants. */
static IrValue *weighted(Problem *p, IrValue *v) {
  IrTensor *t = numbers(p, 0.5, 4);
  for (int n = 0; n < N; n++)
    for (int k = 0; k <= PARAMS; k++) p->row[n][k] /= t->data.f64[n];
  return ir_binary(p->b, IR_DIV, v, ir_constant(p->b, t));
}

static IrFunction *sum_of_squares(Problem *p, IrValue *v) {
  IrValue *sum = ir_reduce_all(p->b, IR_REDUCE_SUM, mul(p, v, v));
  return ir_function_end(p->b, &sum, NULL, 1);
}

static long double row_value(const Problem *p, int n, const double *x) {
  long double sum = p->row[n][PARAMS];
  for (int k = 0; k < PARAMS; k++) sum += (long double)p->row[n][k] * x[k];
  return p->divided ? sum / x[0] : sum;
}

static double expected(const Problem *p, const double *x) {
  long double sum = 0;
  for (int n = 0; n < N; n++) sum += row_value(p, n, x) * row_value(p, n, x);
  return (double)sum;
}

/* The derivative with respect to x[k]. */
static double expected_slope(const Problem *p, const double *x, int k) {
  long double sum = 0, by = p->divided ? x[0] : 1;
  for (int n = 0; n < N; n++) {
    long double r = row_value(p, n, x), own = p->row[n][k] / by;
    if (p->divided && k == 0) own -= r / by;
    sum += 2 * r * own;
  }
  return (double)sum;
}

/* How many elements products of f have at most. */
static int64_t largest(const IrFunction *f) {
  int64_t most = 0;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    int64_t count = ir_type_count(&n->out[0]->type);
    if (n->op == IR_MUL && count > most) most = count;
  }
  return most;
}

static void evaluate(IrFunction *f, const double *x, double *value, double *gradient) {
  IrTensor *at = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){PARAMS}));
  for (int k = 0; k < PARAMS; k++) at->data.f64[k] = x[k];
  IrFunction *g = ir_grad(f, 0, (bool[]){true});
  ck_assert_ptr_null(ir_verify(g));
  const IrTensor *args[1] = {at}, *results[2];
  IrPlan *plan = ir_plan_new(g);
  ck_assert_ptr_null(ir_plan_run(plan, args, results));
  *value = results[0]->data.f64[0];
  for (int k = 0; k < PARAMS; k++) gradient[k] = results[1]->data.f64[k];
  ir_plan_free(plan);
}

/* The function with fewer squares, of which no product has more than `most` elements, has the
 * value and the derivatives of the sum over the rows. */
static IrFunction *check_reduced(const Problem *p, IrFunction *f, int64_t most) {
  IrFunction *g = ir_reduce_squares(f);
  ck_assert_ptr_null(ir_verify(g));
  ck_assert_int_le(largest(g), most);
  uint64_t state = 77;
  for (int round = 0; round < 4; round++) {
    double x[PARAMS], value, gradient[PARAMS], scale = 0;
    for (int k = 0; k < PARAMS; k++) x[k] = uniform(&state, 0.1, 2) * (k % 3 == 1 ? -1 : 1);
    evaluate(g, x, &value, gradient);
    ck_assert_double_le(fabs(value - expected(p, x)), 1e-14 * expected(p, x));
    for (int k = 0; k < PARAMS; k++) scale = fmax(scale, fabs(expected_slope(p, x, k)));
    for (int k = 0; k < PARAMS; k++)
      ck_assert_double_le(fabs(gradient[k] - expected_slope(p, x, k)), 1e-14 * scale);
  }
  return g;
}

/* ---- what is reduced ---- */

START_TEST(regressions_have_a_square_for_each_column) {
  Problem *p = problem();
  IrValue *v = ir_binary(p->b, IR_SUB, data_term(p, 0, 1), plain_term(p, 1));
  for (int n = 0; n < N; n++) p->row[n][1] = -1;
  v = add(p, v, slope_term(p, 2, -3, 5));
  check_reduced(p, sum_of_squares(p, v), 2);
}
END_TEST

START_TEST(matrices_are_reduced) {
  Problem *p = problem();
  IrValue *v = add(p, data_term(p, 0, 1), matrix_term(p, 4, 20));
  check_reduced(p, sum_of_squares(p, add(p, v, plain_term(p, 0))), 21);
}
END_TEST

START_TEST(weights_belong_to_the_factors) {
  Problem *p = problem();
  IrValue *v = add(p, data_term(p, 0, 1), slope_term(p, 3, -1, 1));
  check_reduced(p, sum_of_squares(p, weighted(p, add(p, v, plain_term(p, 1)))), 2);
}
END_TEST

START_TEST(weights_may_have_a_scale) {
  Problem *p = problem();
  IrValue *v = add(p, data_term(p, 0, 1), slope_term(p, 3, -1, 1)), *one = ir_f64(p->b, 1);
  v = add(p, v, plain_term(p, 1));
  IrValue *w = ir_binary(p->b, IR_DIV, one, weighted(p, one));
  p->divided = true;
  v = ir_binary(p->b, IR_DIV, v, mul(p, w, number(p, 0)));
  check_reduced(p, sum_of_squares(p, v), 3);
}
END_TEST

START_TEST(scales_are_divided_by_afterwards) {
  Problem *p = problem();
  IrValue *v = add(p, data_term(p, 0, 1), slope_term(p, 3, -1, 1));
  p->divided = true;
  check_reduced(p, sum_of_squares(p, ir_binary(p->b, IR_DIV, v, number(p, 0))), 2);
}
END_TEST

START_TEST(groups_have_a_square_for_each) {
  Problem *p = problem();
  const IrTensor *g = indices(p, GROUPS);
  IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 10, GROUPS, g, NULL));
  check_reduced(p, sum_of_squares(p, add(p, v, slope_term(p, 1, -1, 3))), GROUPS);
}
END_TEST

START_TEST(slopes_by_group_have_another) {
  Problem *p = problem();
  const IrTensor *g = indices(p, GROUPS), *by = numbers(p, -2, 2);
  IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 10, GROUPS, g, NULL));
  v = add(p, v, group_term(p, 20, GROUPS, g, by));
  check_reduced(p, sum_of_squares(p, add(p, v, matrix_term(p, 1, 4))), 2 * GROUPS);
}
END_TEST

START_TEST(crossed_groups_have_one_for_each_pair) {
  Problem *p = problem();
  const IrTensor *g = indices(p, GROUPS), *h = indices(p, KINDS);
  IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 30, KINDS, h, NULL));
  v = add(p, v, group_term(p, 20, GROUPS, g, NULL));
  check_reduced(p, sum_of_squares(p, add(p, v, plain_term(p, 1))), GROUPS * KINDS);
}
END_TEST

/* Kinds of groups: what is left of the groups is reduced by kind. */
START_TEST(nested_groups_have_one_for_each) {
  Problem *p = problem();
  IrTensor *g = indices(p, GROUPS), *h = indices(p, KINDS);
  for (int n = 0; n < N; n++) h->data.i64[n] = g->data.i64[n] % KINDS;
  const IrTensor *by = numbers(p, -2, 2);
  IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 30, KINDS, h, by));
  v = add(p, v, group_term(p, 20, GROUPS, g, NULL));
  check_reduced(p, sum_of_squares(p, add(p, v, slope_term(p, 1, 0, 1))), GROUPS);
}
END_TEST

/* Groups without elements, and of one element only. */
START_TEST(small_groups_are_right) {
  Problem *p = problem();
  IrTensor *g = indices(p, GROUPS);
  for (int n = 0; n < N; n++) g->data.i64[n] = n == 0 ? 0 : 2 + g->data.i64[n] % 3;
  const IrTensor *by = numbers(p, -2, 2);
  IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 10, GROUPS, g, NULL));
  v = add(p, v, group_term(p, 20, GROUPS, g, by));
  check_reduced(p, sum_of_squares(p, v), 8);
}
END_TEST

/* sum over k of M[n][k] x[place of the group of n, k], as rows of a table. */
START_TEST(rows_of_a_table_are_columns) {
  enum { WIDTH = 3 };
  Problem *p = problem();
  const IrTensor *g = indices(p, GROUPS);
  IrTensor *m = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){N, WIDTH}));
  for (int n = 0; n < N; n++)
    for (int k = 0; k < WIDTH; k++) {
      double c = m->data.f64[n * WIDTH + k] = uniform(&p->state, -1, 1);
      p->row[n][10 + g->data.i64[n] * WIDTH + k] += c;
    }
  IrValue *dims[2] = {ir_i64(p->b, GROUPS), ir_i64(p->b, WIDTH)};
  IrValue *table = ir_reshape(p->b, params(p, 10, GROUPS * WIDTH), dims, 2);
  IrValue *v = mul(p, ir_gather(p->b, table, ir_constant(p->b, g), 0, 0), ir_constant(p->b, m));
  v = ir_reduce(p->b, IR_REDUCE_SUM, v, (int8_t[]){1}, 1);
  check_reduced(p, sum_of_squares(p, add(p, v, data_term(p, 0, 1))), GROUPS * WIDTH);
}
END_TEST

/* Rows and columns with a parameter each. */
START_TEST(axes_are_groups) {
  enum { ROWS = 20, COLUMNS = N / ROWS };
  Problem *p = problem();
  for (int n = 0; n < N; n++) p->row[n][n / COLUMNS] = p->row[n][20 + n % COLUMNS] = 1;
  IrValue *x = ir_unsqueeze(p->b, params(p, 0, ROWS), 1), *y = params(p, 20, COLUMNS);
  IrValue *dims[2] = {ir_i64(p->b, ROWS), ir_i64(p->b, COLUMNS)};
  IrValue *sum = add(p, x, y), *v = ir_reshape(p->b, data_term(p, 0, 1), dims, 2);
  IrFunction *f = sum_of_squares(p, add(p, sum, v));
  ck_assert_ptr_null(ir_verify(ir_reduce_squares(f)));
  ck_assert_int_eq(largest(ir_reduce_squares(f)), N); /* each pair occurs but once */
}
END_TEST

START_TEST(number_of_nodes_is_that_of_any_groups) {
  int nodes[2];
  for (int round = 0; round < 2; round++) {
    Problem *p = problem();
    const IrTensor *g = indices(p, round ? GROUPS : 2 * GROUPS);
    IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 10, 2 * GROUPS, g, NULL));
    IrFunction *f = ir_reduce_squares(sum_of_squares(p, add(p, v, slope_term(p, 1, -1, 3))));
    nodes[round] = ir_node_total(f);
  }
  /* a table of which not all is read is sliced; a constant and two operands more */
  ck_assert_int_le(nodes[1] - nodes[0], 3);
}
END_TEST

/* ---- what is not ---- */

static void check_kept(Problem *p, IrValue *v) {
  IrFunction *f = sum_of_squares(p, v), *g = ir_reduce_squares(f);
  ck_assert_int_eq(ir_node_total(f), ir_node_total(g));
  ck_assert_int_eq(largest(g), largest(f));
}

START_TEST(what_is_not_constant_stays) {
  Problem *p = problem();
  IrValue *v = add(p, data_term(p, 0, 1), slope_term(p, 3, -1, 1));
  check_kept(p, ir_unary(p->b, IR_EXP, v));
}
END_TEST

START_TEST(numbers_that_are_not_finite_stay) {
  Problem *p = problem();
  IrTensor *t = numbers(p, 0, 1);
  t->data.f64[7] = _i ? NAN : INFINITY;
  check_kept(p, add(p, ir_constant(p->b, t), slope_term(p, 3, -1, 1)));
}
END_TEST

START_TEST(squares_of_which_each_counts_stay) {
  Problem *p = problem();
  IrTensor *g = indices(p, 1), *h = indices(p, 1);
  for (int n = 0; n < N; n++) {
    g->data.i64[n] = n % 20;
    h->data.i64[n] = n / 20;
  }
  IrValue *v = add(p, data_term(p, 0, 1), group_term(p, 0, 20, g, NULL));
  check_kept(p, add(p, v, group_term(p, 20, 15, h, NULL)));
}
END_TEST

/* Squares of N elements. */
static int long_squares(const IrFunction *f) {
  int count = 0;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    count += n->op == IR_MUL && n->in[0] == n->in[1] && ir_type_count(&n->out[0]->type) == N;
  }
  return count;
}

/* Two sums of the same squares are reduced both; beside another sum of the form neither is. */
START_TEST(forms_that_are_needed_stay) {
  for (int needed = 0; needed < 2; needed++) {
    Problem *p = problem();
    IrValue *v = add(p, add(p, data_term(p, -1, 1), slope_term(p, 1, 0, 2)), plain_term(p, 0));
    IrValue *scaled = ir_binary(p->b, IR_DIV, v, number(p, 2));
    IrValue *sums[] = {ir_reduce_all(p->b, IR_REDUCE_SUM, mul(p, v, v)),
                       ir_reduce_all(p->b, IR_REDUCE_SUM, mul(p, scaled, scaled)),
                       ir_reduce_all(p->b, IR_REDUCE_SUM, ir_unary(p->b, IR_SIN, v))};
    IrFunction *f = ir_function_end(p->b, sums, NULL, needed ? 3 : 2);
    ck_assert_int_eq(long_squares(ir_simplify(ir_reduce_squares(f))), needed ? 2 : 0);
  }
}
END_TEST

START_TEST(can_be_switched_off) {
  for (int k = 0; k < 2; k++) {
    Problem *p = problem();
    IrFunction *f = sum_of_squares(p, add(p, data_term(p, 0, 1), slope_term(p, 3, -1, 1)));
    f->module->options = (IrOptions){.no_economy = k == 0, .no_squares = k == 1};
    ck_assert_ptr_eq(ir_reduce_squares(f), f);
  }
}
END_TEST

/* ---- numbers ---- */

/* No finite sum becomes of one that has a NaN or an infinity, even where its factors are all 0. */
START_TEST(what_is_not_finite_shows) {
  Problem *p = problem();
  IrTensor *g = indices(p, GROUPS), *by = numbers(p, -2, 2), *y = numbers(p, 0, 1);
  for (int n = 0; n < N; n++)
    if (g->data.i64[n] == 2) by->data.f64[n] = y->data.f64[n] = 0;
  IrValue *v = add(p, ir_constant(p->b, y), group_term(p, 20, GROUPS, g, by));
  v = add(p, v, slope_term(p, 1, 0, 1));
  IrFunction *f = ir_reduce_squares(sum_of_squares(p, v));
  ck_assert_int_lt(largest(f), N);
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  static const int read[] = {1, 20, 21, 22, 26};
  for (int k = 0; k < 5; k++)
    for (int j = 0; j < 3; j++) {
      double x[PARAMS] = {0}, value, gradient[PARAMS];
      evaluate(f, x, &value, gradient);
      ck_assert(isfinite(value));
      x[read[k]] = bad[j];
      evaluate(f, x, &value, gradient);
      ck_assert(!isfinite(value));
      x[read[k]] = 0;
      x[2] = bad[j]; /* not read */
      evaluate(f, x, &value, gradient);
      ck_assert(isfinite(value));
    }
}
END_TEST

/* Columns far from 0 that are nearly the same, and residuals that are small beside what they are
 * the difference of: the error stays what rounding the data alone would make. */
START_TEST(ill_conditioned_sums_are_exact) {
  Problem *p = problem();
  IrTensor *year = numbers(p, 0, 20), *other = numbers(p, -1, 1), *y = numbers(p, -1, 1);
  for (int n = 0; n < N; n++) {
    year->data.f64[n] = 2000 + floor(year->data.f64[n]);
    other->data.f64[n] = year->data.f64[n] * (1 + 1e-7 * other->data.f64[n]);
    y->data.f64[n] = 1e6 + 3 * year->data.f64[n] - 2 * other->data.f64[n] + 0.01 * y->data.f64[n];
    p->row[n][0] = -1;
    p->row[n][1] = -year->data.f64[n];
    p->row[n][2] = -other->data.f64[n];
    p->row[n][PARAMS] = y->data.f64[n];
  }
  IrValue *v = ir_constant(p->b, y);
  v = ir_binary(p->b, IR_SUB, v, number(p, 0));
  v = ir_binary(p->b, IR_SUB, v, mul(p, number(p, 1), ir_constant(p->b, year)));
  v = ir_binary(p->b, IR_SUB, v, mul(p, number(p, 2), ir_constant(p->b, other)));
  IrFunction *f = ir_reduce_squares(sum_of_squares(p, v));
  ck_assert_int_le(largest(f), 3);
  double x[PARAMS] = {1e6, 3, -2}, value, gradient[PARAMS];
  for (int k = 0; k < 3; k++) {
    x[0] = 1e6 + 1e-3 * k;
    x[1] = 3 + 1e-6 * k;
    evaluate(f, x, &value, gradient);
    /* twice the sum of the residuals' sizes times the roundings of terms of size 1e6 */
    double size = sqrt(expected(p, x)), bound = 2 * size * sqrt(N) * 1e6 * 0x1p-52;
    ck_assert_double_le(fabs(value - expected(p, x)), bound);
  }
}
END_TEST

/* Sizes of which the squares neither fit nor are there at all. */
START_TEST(sizes_do_not_matter) {
  Problem *p = problem();
  IrValue *v = add(p, slope_term(p, 2, 1e60, 2e60), slope_term(p, 3, 1e-60, 3e-60));
  v = add(p, v, data_term(p, 0, 1));
  IrFunction *f = ir_reduce_squares(sum_of_squares(p, v));
  ck_assert_int_le(largest(f), 2);
  double x[PARAMS] = {[2] = 1e-60, [3] = 1e60}, value, gradient[PARAMS];
  evaluate(f, x, &value, gradient);
  ck_assert_double_le(fabs(value - expected(p, x)), 1e-14 * expected(p, x));
}
END_TEST

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { arena_free(arena); }

int main(void) {
  Suite *s = suite_create("least squares");
  TCase *t = tcase_create("least squares");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, regressions_have_a_square_for_each_column);
  tcase_add_test(t, matrices_are_reduced);
  tcase_add_test(t, weights_belong_to_the_factors);
  tcase_add_test(t, weights_may_have_a_scale);
  tcase_add_test(t, scales_are_divided_by_afterwards);
  tcase_add_test(t, groups_have_a_square_for_each);
  tcase_add_test(t, slopes_by_group_have_another);
  tcase_add_test(t, crossed_groups_have_one_for_each_pair);
  tcase_add_test(t, nested_groups_have_one_for_each);
  tcase_add_test(t, small_groups_are_right);
  tcase_add_test(t, rows_of_a_table_are_columns);
  tcase_add_test(t, axes_are_groups);
  tcase_add_test(t, number_of_nodes_is_that_of_any_groups);
  tcase_add_test(t, what_is_not_constant_stays);
  tcase_add_loop_test(t, numbers_that_are_not_finite_stay, 0, 2);
  tcase_add_test(t, squares_of_which_each_counts_stay);
  tcase_add_test(t, forms_that_are_needed_stay);
  tcase_add_test(t, can_be_switched_off);
  tcase_add_test(t, what_is_not_finite_shows);
  tcase_add_test(t, ill_conditioned_sums_are_exact);
  tcase_add_test(t, sizes_do_not_matter);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
