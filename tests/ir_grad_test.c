/* Reverse mode against finite differences: every op from the table, then loops, branches and
 * calls. A row of ops.def that is differentiable fails here until a case below uses it. */
#include "grad_check.h"

#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

static const struct {
  const char *shape, *vjp;
  int operands;
} rows[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx)                         \
  [IR_##name] = {#shape, #vjp, operands},
#include "ir/ops.def"
#undef OP
};

static bool is_differentiable(int op) { return strcmp(rows[op].vjp, "none") != 0; }

static bool maps_reals(int op) {
  return ir_op_elementwise((IrOp)op) && is_differentiable(op) &&
         (!strcmp(rows[op].shape, "arithmetic") || !strcmp(rows[op].shape, "real"));
}

/* ---- elementwise ops: from the table ---- */

/* Shapes of two operands. */
static const struct {
  int rank[2];
  int64_t dims[2][4];
} pairs[] = {
    {{0, 0}, {{0}, {0}}},          {{1, 1}, {{4}, {4}}},          {{1, 0}, {{4}, {0}}},
    {{0, 1}, {{0}, {4}}},          {{2, 1}, {{3, 4}, {4}}},       {{1, 2}, {{4}, {3, 4}}},
    {{2, 2}, {{3, 1}, {1, 4}}},    {{2, 2}, {{1, 4}, {3, 4}}},    {{3, 2}, {{2, 3, 4}, {3, 1}}},
    {{3, 2}, {{2, 1, 4}, {3, 1}}}, {{2, 3}, {{1, 1}, {2, 3, 1}}}, {{1, 2}, {{0}, {3, 0}}},
};

/* What is done with the result decides in which shape its cotangent comes. */
static IrValue *reduced_some(IrBuilder *b, IrValue *v, int how) {
  int rank = v->type.rank;
  if (rank == 0 || how == 0) return v;
  if (how == 1) return ir_reduce_all(b, IR_REDUCE_SUM, v);
  int8_t axis = (int8_t)(how == 2 ? 0 : rank - 1);
  return ir_reduce(b, IR_REDUCE_SUM, v, &axis, 1);
}

static void check_pair(int op, int shape, int how, bool open_sizes) {
  Arena *a = arena_new();
  IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, ir_op_name((IrOp)op));
  IrValue *in[2];
  const IrTensor *args[2];
  double safe;
  bool guarded = ir_op_guard((IrOp)op, 0, &safe) && safe != 0;
  uint64_t state = 1;
  for (int k = 0; k < rows[op].operands; k++) {
    GradInput x = {.rank = pairs[shape].rank[k], .low = guarded || k ? 0.5 : -2, .high = 2.5};
    memcpy(x.dims, pairs[shape].dims[k], sizeof x.dims);
    IrTensor *drawn = grad_tensor(a, &x, &state);
    for (int64_t i = 0; i < drawn->count; i++) /* not near the bend of abs */
      drawn->data.f64[i] += copysign(0.1, drawn->data.f64[i]);
    args[k] = drawn;
    IrType t = drawn->type;
    for (int i = 0; i < t.rank; i++)
      if (open_sizes && t.dim[i] != 1) t.dim[i] = IR_DYNAMIC;
    in[k] = ir_param(b, t, NULL);
  }
  IrValue *out = reduced_some(b, ir_emit(b, (IrOp)op, (IrAttr){0}, in, rows[op].operands), how);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  static const bool wrt[][2] = {{true, true}, {true, false}, {false, true}};
  for (int k = 0; k < (rows[op].operands == 2 ? 3 : 1); k++) check_vjp(f, wrt[k], args, 1e-8);
  arena_free(a);
}

START_TEST(elementwise) {
  if (!maps_reals(_i)) return;
  for (int shape = 0; shape < (int)(sizeof pairs / sizeof *pairs); shape++)
    for (int how = 0; how < 4; how++)
      for (int open_sizes = 0; open_sizes < 2; open_sizes++) check_pair(_i, shape, how, open_sizes);
}
END_TEST

/* ---- other ops ---- */

static IrValue *n(IrBuilder *b, int64_t x) { return ir_i64(b, x); }
static IrValue *x(IrBuilder *b, double v) { return ir_f64(b, v); }
static IrValue *add(IrBuilder *b, IrValue *u, IrValue *v) { return ir_binary(b, IR_ADD, u, v); }
static IrValue *mul(IrBuilder *b, IrValue *u, IrValue *v) { return ir_binary(b, IR_MUL, u, v); }
static IrValue *exp_of(IrBuilder *b, IrValue *u) { return ir_unary(b, IR_EXP, u); }
static IrValue *sin_of(IrBuilder *b, IrValue *u) { return ir_unary(b, IR_SIN, u); }
static IrValue *sum(IrBuilder *b, IrValue *u) { return ir_reduce_all(b, IR_REDUCE_SUM, u); }

#define R0(lo, hi)                                                                                 \
  { .low = lo, .high = hi }
#define R1(a, lo, hi)                                                                              \
  { .rank = 1, .dims = {a}, .low = lo, .high = hi }
#define R2(a, b, lo, hi)                                                                           \
  { .rank = 2, .dims = {a, b}, .low = lo, .high = hi }
#define R3(a, b, c, lo, hi)                                                                        \
  { .rank = 3, .dims = {a, b, c}, .low = lo, .high = hi }
#define I0(v)                                                                                      \
  { .dtype = IR_I64, .values = v, .value_count = 1 }
#define I1(a, v)                                                                                   \
  { .dtype = IR_I64, .rank = 1, .dims = {a}, .values = v, .value_count = sizeof v / 8 }
#define I2(a, b, v)                                                                                \
  { .dtype = IR_I64, .rank = 2, .dims = {a, b}, .values = v, .value_count = sizeof v / 8 }
#define B1(a, v)                                                                                   \
  { .dtype = IR_BOOL, .rank = 1, .dims = {a}, .values = v, .value_count = sizeof v / 8 }
#define B0(v)                                                                                      \
  { .dtype = IR_BOOL, .values = v, .value_count = 1 }
#define V1(a, v)                                                                                   \
  { .rank = 1, .dims = {a}, .values = v, .value_count = sizeof v / 8 }

static const double truths[] = {1, 0, 0, 1, 1}, yes[] = {1}, no[] = {0};
static const double repeats[] = {2, 0, 2, 1, 2}, apart[] = {3, 0, 2},
                    pairs_of[] = {1, 0, 0, 2, 1, 1};
static const double two[] = {2}, four[] = {4}, zero[] = {0}, one[] = {1};

/* A function with a Hessian, so that cotangents differ and depend on the operands. */
static IrValue *bent(IrBuilder *b, IrValue *v) { return add(b, sin_of(b, v), mul(b, v, v)); }

static int build_cast(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_emit(b, IR_CAST, (IrAttr){.dtype = IR_F64}, in, 1);
  out[1] = mul(b, ir_cast(b, ir_cast(b, in[0], IR_I64), IR_F64), in[0]);
  out[2] = bent(b, ir_emit(b, IR_CAST, (IrAttr){.dtype = IR_F64}, in, 1));
  return 3;
}

static int build_powers(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const double exponents[] = {-2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 2.5};
  IrValue *total = x(b, 0);
  for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++)
    total = add(b, total, ir_binary(b, IR_POW, in[0], x(b, exponents[k])));
  out[0] = total;
  out[1] = ir_binary(b, IR_POW, in[0], in[1]);
  out[2] = ir_binary(b, IR_POW, x(b, 1.5), in[1]);
  return 3;
}

static int build_select(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *c = ir_binary(b, IR_GT, in[1], x(b, 0.5));
  out[0] = ir_select(b, in[0], in[1], in[2]);
  out[1] = ir_select(b, c, in[2], bent(b, in[1]));
  out[2] = sum(b, ir_select(b, in[0], in[2], x(b, 3)));
  out[3] = ir_select(b, ir_binary(b, IR_LT, in[2], x(b, 0)), in[1], in[2]);
  return 4;
}

static int build_broadcast(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *dims[] = {n(b, 2), ir_dim(b, in[0], 0), n(b, 4)};
  out[0] = ir_broadcast(b, in[0], dims, 3);
  out[1] = bent(b, ir_broadcast(b, in[1], dims, 3));
  out[2] = mul(b, ir_broadcast(b, in[2], dims + 1, 2), in[0]);
  return 3;
}

static int build_reshape(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *rows = ir_dim(b, in[0], 0), *columns = ir_dim(b, in[0], 1);
  IrValue *flat[] = {mul(b, rows, columns)}, *swapped[] = {columns, n(b, 1), rows};
  out[0] = bent(b, ir_reshape(b, in[0], flat, 1));
  out[1] = sum(b, ir_reshape(b, bent(b, in[0]), flat, 1));
  out[2] = mul(b, ir_reshape(b, in[0], swapped, 3), in[1]);
  out[3] = ir_reshape(b, in[1], NULL, 0);
  return 4;
}

static int build_transpose(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t permutation[] = {2, 0, 1};
  IrValue *t = ir_transpose(b, in[0], permutation);
  out[0] = bent(b, t);
  out[1] = sum(b, ir_transpose(b, bent(b, in[0]), permutation));
  out[2] = ir_reduce(b, IR_REDUCE_SUM, mul(b, t, in[1]), (int8_t[]){0}, 1);
  return 3;
}

static int build_sums(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *v = bent(b, in[0]);
  out[0] = ir_reduce(b, IR_REDUCE_SUM, v, (int8_t[]){0}, 1);
  out[1] = ir_reduce(b, IR_REDUCE_SUM, v, (int8_t[]){1}, 1);
  out[2] = ir_reduce(b, IR_REDUCE_SUM, v, (int8_t[]){0, 2}, 2);
  out[3] = sum(b, ir_reduce(b, IR_REDUCE_SUM, v, (int8_t[]){1, 2}, 2));
  IrValue *rows = ir_reduce(b, IR_REDUCE_SUM, in[0], (int8_t[]){2}, 1);
  out[4] = ir_reduce(b, IR_REDUCE_SUM, bent(b, rows), (int8_t[]){0}, 1);
  return 5;
}

static int build_products(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_reduce(b, IR_REDUCE_PROD, in[0], (int8_t[]){0}, 1);
  out[1] = ir_reduce(b, IR_REDUCE_PROD, in[0], (int8_t[]){1}, 1);
  out[2] = bent(b, ir_reduce(b, IR_REDUCE_PROD, in[0], (int8_t[]){0, 2}, 2));
  out[3] = ir_reduce_all(b, IR_REDUCE_PROD, exp_of(b, in[0]));
  return 4;
}

static int build_extrema(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_reduce(b, IR_REDUCE_MAX, in[0], (int8_t[]){0}, 1);
  out[1] = bent(b, ir_reduce(b, IR_REDUCE_MIN, in[0], (int8_t[]){1}, 1));
  out[2] = ir_reduce(b, IR_REDUCE_MAX, in[0], (int8_t[]){0, 2}, 2);
  out[3] = mul(b, ir_reduce_all(b, IR_REDUCE_MIN, in[0]), in[0]);
  return 4;
}

static int build_matmul(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_matmul(b, in[0], in[1]);
  out[1] = ir_matmul(b, in[0], ir_reduce(b, IR_REDUCE_SUM, in[2], (int8_t[]){0}, 1));
  out[2] = ir_matmul(b, in[2], in[3]);
  out[3] = sum(b, ir_matmul(b, in[2], in[3]));
  return 4;
}

static int build_matrix_vector(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = bent(b, ir_matmul(b, in[0], in[1]));
  out[1] = bent(b, ir_matmul(b, in[2], in[0]));
  out[2] = ir_matmul(b, in[1], in[2]);
  out[3] = ir_matmul(b, in[2], in[1]);
  return 0 + 4;
}

static int build_slice(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_slice(b, in[0], 1, n(b, 1), n(b, 2));
  out[1] = bent(b, ir_slice(b, in[0], 0, in[1], n(b, 2)));
  out[2] = sum(b, ir_slice(b, bent(b, in[0]), 1, n(b, 2), n(b, 2)));
  out[3] = ir_slice(b, in[0], 1, n(b, 3), n(b, 1));
  return 4;
}

/* Consecutive parts of one vector, as the parameters of a model. */
static int build_parts(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *size = ir_binary(b, IR_ADD, in[1], n(b, 1)), *end = add(b, n(b, 2), size);
  IrValue *u = ir_slice(b, in[0], 0, n(b, 0), n(b, 2)), *v = ir_slice(b, in[0], 0, n(b, 2), size);
  IrValue *w = ir_slice(b, in[0], 0, end, n(b, 3));
  out[0] = mul(b, sum(b, u), v);
  out[1] = sum(b, exp_of(b, w));
  out[2] = mul(b, ir_gather(b, in[0], n(b, 1), 0, 0), ir_gather(b, in[0], n(b, 7), 0, 0));
  out[3] = ir_gather(b, in[0], n(b, 6), 0, 0);
  return 4;
}

static int build_reverse(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *v = bent(b, in[0]);
  out[0] = ir_emit(b, IR_REVERSE, (IrAttr){.axis = 0}, &v, 1);
  out[1] = mul(b, ir_emit(b, IR_REVERSE, (IrAttr){.axis = 1}, &v, 1), in[0]);
  out[2] = ir_reduce(b, IR_REDUCE_SUM, ir_emit(b, IR_REVERSE, (IrAttr){.axis = 1}, &v, 1),
                     (int8_t[]){0}, 1);
  out[3] = sum(b, ir_emit(b, IR_REVERSE, (IrAttr){.axis = 1}, &v, 1));
  return 4;
}

static int build_gather(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, bent(b, in[0]), in[1], 0, 0);
  out[1] = bent(b, ir_gather(b, in[0], in[1], 1, 0));
  out[2] = ir_gather(b, in[0], in[2], 1, 0);
  out[3] = sum(b, ir_gather(b, in[0], in[2], 0, 0));
  out[4] = ir_gather(b, in[0], ir_i64(b, 1), 1, 0);
  return 5;
}

static int build_batched_gather(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = bent(b, ir_gather(b, in[0], in[1], 1, 1));
  out[1] = ir_gather(b, in[0], in[1], 2, 1);
  out[2] = ir_scatter(b, IR_SCATTER_ADD, in[0], in[1], ir_gather(b, in[2], in[1], 1, 1), 1, 1);
  out[3] =
      ir_scatter(b, IR_SCATTER_SET, in[0], in[1], ir_gather(b, bent(b, in[2]), in[1], 1, 1), 1, 1);
  return 4;
}

static int build_scatter(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = bent(b, ir_scatter(b, IR_SCATTER_ADD, in[0], in[1], in[2], 0, 0));
  out[1] = bent(b, ir_scatter(b, IR_SCATTER_SET, in[0], in[1], in[2], 0, 0));
  out[2] = sum(b, ir_scatter(b, IR_SCATTER_ADD, in[0], in[1], in[2], 0, 0));
  out[3] = sum(b, bent(b, ir_scatter(b, IR_SCATTER_SET, in[0], in[3], in[4], 0, 0)));
  out[4] = bent(
      b, ir_scatter(b, IR_SCATTER_SET, in[0], n(b, 1), ir_gather(b, in[4], n(b, 0), 0, 0), 0, 0));
  return 5;
}

static int build_concat(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *parts[] = {in[0], bent(b, in[1]), in[0]};
  out[0] = bent(b, ir_concat(b, parts, 3, 0));
  out[1] = sum(b, ir_concat(b, parts, 3, 0));
  IrValue *beside[] = {in[2], in[0]};
  out[2] = mul(b, ir_concat(b, beside, 2, 1), x(b, 2));
  out[3] = ir_reduce(b, IR_REDUCE_SUM, ir_concat(b, beside, 2, 1), (int8_t[]){0}, 1);
  return 4;
}

static int build_cumsum(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *v = bent(b, in[0]);
  for (int k = 0; k < 4; k++) {
    IrAttr attr = {.axis = k & 1, .reverse = k >> 1, .exclusive = k == 1 || k == 2};
    out[k] = ir_emit(b, IR_CUMSUM, attr, &v, 1);
  }
  out[3] = sum(b, out[3]);
  return 4;
}

static int build_sort(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *order = ir_unary(b, IR_ARGSORT, in[0]);
  out[0] = bent(b, ir_gather(b, in[0], order, 0, 0));
  return 1;
}

static int build_nothing(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = sum(b, in[0]);
  out[1] = mul(b, in[0], in[1]);
  out[2] = ir_reduce_all(b, IR_REDUCE_PROD, in[0]);
  out[3] = ir_concat(b, (IrValue *[]){in[0], in[0]}, 2, 0);
  return 4;
}

static int build_constants(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = x(b, 3);
  out[1] = ir_unary(b, IR_FLOOR, in[0]);
  out[2] = in[1];
  out[3] = in[1];
  return 4;
}

/* ---- loops ---- */

static IrFunction *ended(IrBuilder *b, IrValue *const *results, int count) {
  return ir_function_end(b, results, NULL, count);
}

/* A state that grows, with an input scanned and outs. */
static int build_recurrence(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL),
          *state = ir_param(body, ir_scalar(IR_F64), NULL),
          *e = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *next = add(body, mul(body, ir_unary(body, IR_TANH, state), in[1]), exp_of(body, e));
  IrValue *results[] = {next, mul(body, next, ir_cast(body, i, IR_F64)), add(body, next, e)};
  ended(body, results, 3);
  ir_loop(b,
          (IrLoop){.count = ir_dim(b, in[0], 0),
                   .carried = 1,
                   .scanned = 1,
                   .initial = &in[2],
                   .inputs = in},
          body, out);
  return 3;
}

static int build_backwards(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *state = ir_param(body, ir_scalar(IR_F64), NULL),
          *e = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *next = sin_of(body, add(body, mul(body, state, e), in[1]));
  IrValue *results[] = {next, mul(body, next, e)};
  ended(body, results, 2);
  ir_loop(b,
          (IrLoop){.count = ir_dim(b, in[0], 0),
                   .carried = 1,
                   .scanned = 1,
                   .initial = &in[2],
                   .inputs = in,
                   .reverse = true},
          body, out);
  out[1] = sum(b, out[1]);
  return 2;
}

/* Captures read as a whole, at the index, beside it, and in a fixed place. */
static int build_captures(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *here = ir_gather(body, in[0], i, 0, 0),
          *next = ir_gather(body, in[0], add(body, i, n(body, 1)), 0, 0);
  IrValue *row = ir_gather(body, in[1], i, 0, 0), *column = ir_gather(body, in[1], i, 1, 0);
  IrValue *some = ir_gather(body, in[1], in[3], 1, 0),
          *window = ir_slice(body, in[0], 0, i, n(body, 2));
  IrValue *place = ir_gather(body, in[3], i, 0, 0), *there = ir_gather(body, in[0], place, 0, 0);
  s = add(body, mul(body, sin_of(body, s), here), mul(body, next, there));
  s = add(body, s, sum(body, mul(body, row, column)));
  s = add(body, s, sum(body, bent(body, mul(body, some, s))));
  s = add(body, s, sum(body, exp_of(body, mul(body, window, in[2]))));
  s = add(body, s, mul(body, ir_gather(body, in[0], n(body, 2), 0, 0), sum(body, in[1])));
  s = ir_unary(body, IR_TANH, s);
  IrValue *results[] = {s, mul(body, s, row)};
  ended(body, results, 2);
  ir_loop(b, (IrLoop){.count = n(b, 3), .carried = 1, .initial = &in[2]}, body, out);
  return 2;
}

/* Halves until small: the number of iterations depends on the state. */
static int build_while(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL),
          *s = ir_param(body, ir_scalar(IR_F64), NULL),
          *t = ir_param(body, ir_scalar(IR_F64), NULL),
          *e = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *next =
      mul(body, s, add(body, in[1], mul(body, x(body, 0.01), ir_cast(body, i, IR_F64))));
  IrValue *total = add(body, t, mul(body, sin_of(body, next), e));
  IrValue *results[] = {ir_binary(body, IR_GT, next, x(body, 0.3)), next, total,
                        mul(body, next, t)};
  ended(body, results, 4);
  IrValue *initial[] = {in[0], in[0]}, *outs[3];
  ir_loop(b,
          (IrLoop){.condition = ir_bool(b, true),
                   .carried = 2,
                   .scanned = 1,
                   .initial = initial,
                   .inputs = &in[2]},
          body, outs);
  out[0] = outs[0];
  out[1] = outs[1];
  out[2] = sum(b, outs[2]);
  return 3;
}

/* Never runs. */
static int build_idle(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *results[] = {mul(body, s, in[1])};
  ended(body, results, 1);
  ir_loop(b, (IrLoop){.count = in[2], .carried = 1, .initial = in}, body, out);
  return 1;
}

/* A loop in a loop, of as many iterations as the outer one's number; a buffer that is written to;
 * something carried that is no real number. */
static int build_nested(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrModule *m = ir_builder_module(b);
  IrBuilder *outer = ir_function_begin(m, b, "outer");
  IrValue *i = ir_param(outer, ir_scalar(IR_I64), NULL),
          *s = ir_param(outer, ir_scalar(IR_F64), NULL),
          *buffer = ir_param(outer, in[0]->type, NULL),
          *tally = ir_param(outer, ir_scalar(IR_I64), NULL);
  IrBuilder *inner = ir_function_begin(m, outer, "inner");
  IrValue *j = ir_param(inner, ir_scalar(IR_I64), NULL),
          *u = ir_param(inner, ir_scalar(IR_F64), NULL);
  IrValue *w = ir_gather(inner, in[0], j, 0, 0);
  IrValue *v = sin_of(inner, add(inner, mul(inner, u, w), mul(inner, s, in[1])));
  IrValue *inner_results[] = {v, mul(inner, v, w)}, *r[2];
  ended(inner, inner_results, 2);
  ir_loop(outer, (IrLoop){.count = add(outer, i, n(outer, 1)), .carried = 1, .initial = &s}, inner,
          r);
  IrValue *t = add(outer, r[0], sum(outer, r[1]));
  IrValue *previous = ir_gather(outer, buffer, tally, 0, 0);
  IrValue *written = ir_scatter(outer, IR_SCATTER_SET, buffer, i, mul(outer, t, previous), 0, 0);
  IrValue *results[] = {t, written, i, t};
  ended(outer, results, 4);
  IrValue *initial[] = {in[1], in[0], n(b, 0)}, *o[4];
  ir_loop(b, (IrLoop){.count = ir_dim(b, in[0], 0), .carried = 3, .initial = initial}, outer, o);
  out[0] = o[0];
  out[1] = o[1];
  out[2] = o[3];
  return 3;
}

/* A loop in a loop, all of the same count: its tape is a matrix. */
static int build_square(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrModule *m = ir_builder_module(b);
  IrBuilder *outer = ir_function_begin(m, b, "outer");
  ir_param(outer, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(outer, ir_scalar(IR_F64), NULL),
          *row = ir_param(outer, ir_type(IR_F64, 1, in[0]->type.dim + 1), NULL);
  IrBuilder *inner = ir_function_begin(m, outer, "inner");
  ir_param(inner, ir_scalar(IR_I64), NULL);
  IrValue *u = ir_param(inner, ir_scalar(IR_F64), NULL),
          *e = ir_param(inner, ir_scalar(IR_F64), NULL);
  IrValue *v = add(inner, ir_unary(inner, IR_TANH, mul(inner, u, e)), mul(inner, e, in[1]));
  v = mul(inner, v, exp_of(inner, mul(inner, v, x(inner, 0.1))));
  IrValue *inner_results[] = {v}, *r[1];
  ended(inner, inner_results, 1);
  ir_loop(outer,
          (IrLoop){.count = ir_dim(outer, in[0], 1),
                   .carried = 1,
                   .scanned = 1,
                   .initial = &s,
                   .inputs = &row},
          inner, r);
  IrValue *results[] = {mul(outer, r[0], s)};
  ended(outer, results, 1);
  ir_loop(b,
          (IrLoop){.count = ir_dim(b, in[0], 0),
                   .carried = 1,
                   .scanned = 1,
                   .initial = &in[1],
                   .inputs = in},
          outer, out);
  return 1;
}

/* ---- branches ---- */

static void branch(IrBuilder *b, IrValue *c, IrValue *const *in, IrValue **out) {
  IrModule *m = ir_builder_module(b);
  IrBuilder *then = ir_function_begin(m, b, "then"), *orelse = ir_function_begin(m, b, "else");
  IrValue *u = exp_of(then, sin_of(then, mul(then, in[0], in[1])));
  IrValue *then_results[] = {sum(then, mul(then, u, u)), u};
  ended(then, then_results, 2);
  IrValue *v = ir_unary(orelse, IR_TANH, ir_unary(orelse, IR_COS, in[0]));
  IrValue *else_results[] = {mul(orelse, in[2], in[2]), mul(orelse, v, in[2])};
  ended(orelse, else_results, 2);
  ir_if(b, c, then, orelse, out);
}

static int build_if(IrBuilder *b, IrValue *const *in, IrValue **out) {
  branch(b, in[3], in, out);
  out[1] = bent(b, out[1]);
  return 2;
}

static int build_if_in_loop(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL),
          *s = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *odd = ir_binary(body, IR_EQ, ir_binary(body, IR_MOD, i, n(body, 2)), n(body, 1));
  IrValue *given[] = {in[0], sin_of(body, s), in[2]}, *r[2];
  branch(body, odd, given, r);
  IrValue *results[] = {ir_unary(body, IR_TANH, add(body, s, mul(body, r[0], sum(body, r[1]))))};
  ended(body, results, 1);
  ir_loop(b, (IrLoop){.count = n(b, 4), .carried = 1, .initial = &in[1]}, body, out);
  return 1;
}

static const GradCase cases[] = {
    {"cast", build_cast, 1, {R1(4, -3, 3)}},
    {"powers", build_powers, 2, {R1(4, 0.5, 2), R1(4, -2, 2)}},
    {"select", build_select, 3, {B1(5, truths), R1(5, -1, 2), R0(-1, 1)}},
    {"broadcast", build_broadcast, 3, {R2(3, 4, -1, 1), R2(1, 4, -1, 1), R0(-1, 1)}},
    {"reshape", build_reshape, 2, {R2(3, 4, -1, 1), R1(1, -1, 1)}},
    {"transpose", build_transpose, 2, {R3(2, 3, 4, -1, 1), R1(3, -1, 1)}},
    {"reduce_sum", build_sums, 1, {R3(2, 3, 4, -1, 1)}},
    {"reduce_prod", build_products, 1, {R3(2, 3, 2, -1.5, 1.5)}},
    {"reduce_max", build_extrema, 1, {R3(2, 3, 4, -2, 2)}},
    {"matmul",
     build_matmul,
     4,
     {R2(2, 3, -1, 1), R2(3, 4, -1, 1), R3(2, 3, 2, -1, 1), R3(1, 2, 3, -1, 1)}},
    {"matrix_vector", build_matrix_vector, 3, {R2(3, 3, -1, 1), R2(3, 1, -1, 1), R2(1, 3, -1, 1)}},
    {"slice", build_slice, 2, {R2(3, 4, -1, 1), I0(one)}},
    {"parts", build_parts, 2, {R1(9, -1, 1), I0(two)}},
    {"reverse", build_reverse, 1, {R2(3, 4, -1, 1)}},
    {"gather", build_gather, 3, {R2(3, 4, -1, 1), I1(5, repeats), I2(2, 3, pairs_of)}},
    {"batched_gather",
     build_batched_gather,
     3,
     {R3(2, 3, 3, -1, 1), I2(2, 3, pairs_of), R3(2, 3, 3, -1, 1)}},
    {"scatter",
     build_scatter,
     5,
     {R2(4, 2, -1, 1), I1(5, repeats), R2(5, 2, -1, 1), I1(3, apart), R2(3, 2, -1, 1)}},
    {"concat", build_concat, 3, {R2(2, 3, -1, 1), R2(4, 3, -1, 1), R2(2, 1, -1, 1)}},
    {"cumsum", build_cumsum, 1, {R2(3, 4, -1, 1)}},
    {"sort", build_sort, 1, {R1(6, -1, 1)}},
    {"nothing", build_nothing, 2, {R1(0, -1, 1), R0(-1, 1)}},
    {"constants", build_constants, 2, {R1(2, -1, 1), R0(-1, 1)}},
    {"recurrence", build_recurrence, 3, {R1(5, -1, 0.5), R0(-1, 1), R0(-1, 1)}},
    {"backwards", build_backwards, 3, {R1(5, -1, 1), R0(-1, 1), R0(-1, 1)}},
    {"captures", build_captures, 4, {R1(4, -1, 1), R2(4, 4, -1, 1), R0(-1, 1), I1(3, repeats)}},
    {"while", build_while, 3, {R0(4, 5), R0(0.5, 0.6), R1(20, -1, 1)}},
    {"idle", build_idle, 3, {R0(4, 5), R0(0.5, 0.6), I0(zero)}},
    {"once", build_idle, 3, {R0(4, 5), R0(0.5, 0.6), I0(one)}},
    {"four_times", build_idle, 3, {R0(4, 5), R0(0.5, 0.6), I0(four)}},
    {"nested", build_nested, 2, {R1(4, 0.5, 1), R0(-1, 1)}},
    {"square", build_square, 2, {R2(3, 4, -1, 1), R0(0.5, 1)}},
    {"if_true", build_if, 4, {R1(4, -1, 1), R0(-1, 1), R0(-1, 1), B0(yes)}},
    {"if_false", build_if, 4, {R1(4, -1, 1), R0(-1, 1), R0(-1, 1), B0(no)}},
    {"if_in_loop", build_if_in_loop, 3, {R1(4, -1, 1), R0(-1, 1), R0(-1, 1)}},
};

enum { CASES = sizeof cases / sizeof *cases };

START_TEST(by_differences) { check_gradients(&cases[_i], true); }
END_TEST

/* ---- every row is tested ---- */

static void mark_ops(const IrFunction *f, bool *seen) {
  for (int i = 0; i < f->node_count; i++) {
    seen[f->nodes[i]->op] = true;
    for (int k = 0; k < 2; k++)
      if (f->nodes[i]->body[k]) mark_ops(f->nodes[i]->body[k], seen);
  }
}

START_TEST(every_row) {
  bool seen[IR_OP_COUNT] = {false};
  Arena *a = arena_new();
  IrModule *m = ir_module_new(a, (IrOptions){.no_algebra = true});
  for (int k = 0; k < CASES; k++) mark_ops(grad_function(m, &cases[k], false), seen);
  seen[IR_CALL] = true; /* below */
  for (int op = 0; op < IR_OP_COUNT; op++)
    ck_assert_msg(!is_differentiable(op) || maps_reals(op) || seen[op],
                  "no case differentiates '%s'", ir_op_name((IrOp)op));
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ir_grad");
  TCase *t = tcase_create("rules");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, elementwise, 0, IR_OP_COUNT);
  tcase_add_loop_test(t, by_differences, 0, CASES);
  tcase_add_test(t, every_row);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
