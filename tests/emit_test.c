/* Every op, emitted as ONNX, against the evaluator: with all sizes known, and with all sizes open.
 * A new row of ops.def that maps elements to elements is tested by being there. */
#include "emit_check.h"

#include <math.h>
#include <string.h>

/* ---- elementwise ops: from the table ---- */

static const double reals[] = {-INFINITY, -700.5, -2.5, -1, -0.5,  -0.0,     0,
                               0.25,      1,      2,    3,  20.75, INFINITY, NAN};
static const double more_reals[] = {3, 0.5, -1, NAN, 2, -0.0, INFINITY, 1, -2, 0, 7.25};
/* At 0, at and next to zeros of the cosine, and far away. */
static const double angles[] = {0,
                                -0.0,
                                1e-300,
                                -1e-9,
                                1.5707963267948966,
                                -1.5707963267948968,
                                4.71238898038469,
                                11,
                                3.141592653589793,
                                -1e6,
                                1e22,
                                INFINITY,
                                NAN};
static const double near_zero[] = {0, 1, -3, 1e-200};
static const double integers[] = {-7, -2, -1, 0, 1, 2, 3, 9, 100};
static const double divisors[] = {3, -2, 1, 5, -7};
static const double truths[] = {0, 1, 1, 0, 0, 1, 0};

/* Element types that ops of a shape rule take. */
static const struct {
  const char *rule;
  bool takes[3];
} rules[] = {
    {"arithmetic", {[IR_F64] = true, [IR_I64] = true}},
    {"real", {[IR_F64] = true}},
    {"logical", {[IR_BOOL] = true}},
    {"predicate", {[IR_F64] = true}},
    {"comparison", {[IR_F64] = true, [IR_I64] = true}},
};

static const char *const shape_rules[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = #shape,
#include "ir/ops.def"
#undef OP
};

static const int operand_counts[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = operands,
#include "ir/ops.def"
#undef OP
};

static bool takes(IrOp op, IrDtype dtype) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (strcmp(rules[i].rule, shape_rules[op]) == 0) return rules[i].takes[dtype];
  return false;
}

static Input elementwise_input(IrDtype dtype, bool second, int rank, int64_t d0, int64_t d1) {
  Input x = {.dtype = dtype, .rank = rank, .dims = {d0, d1}, .values = truths, .value_count = 7};
  if (dtype == IR_F64) {
    x.values = second ? more_reals : reals;
    x.value_count = second ? 11 : 14;
  } else if (dtype == IR_I64) {
    x.values = second ? divisors : integers;
    x.value_count = second ? 5 : 9;
  }
  return x;
}

static void check_elementwise(IrOp op, IrDtype dtype) {
  Input x = elementwise_input(dtype, false, 2, 14, 11),
        y = elementwise_input(dtype, true, 2, 1, 11);
  Input inputs[2] = {x, y};
  for (int open_sizes = 0; open_sizes < 2; open_sizes++) {
    Arena *a = arena_new();
    IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, ir_op_name(op));
    IrValue *in[2];
    const IrTensor *args[2];
    for (int k = 0; k < operand_counts[op]; k++) {
      IrType t = ir_type(dtype, 2, inputs[k].dims);
      for (int i = 0; i < 2; i++)
        if (open_sizes && t.dim[i] != 1) t.dim[i] = IR_DYNAMIC;
      in[k] = ir_param(b, t, NULL);
      args[k] = tensor_of(a, &inputs[k]);
    }
    IrValue *out = ir_emit(b, op, (IrAttr){0}, in, operand_counts[op]);
    check_function(a, ir_function_end(b, &out, NULL, 1), args, false);
    arena_free(a);
  }
}

START_TEST(elementwise) {
  int checked = 0;
  for (int op = 0; op < IR_OP_COUNT; op++)
    for (int dtype = 0; dtype < 3; dtype++)
      if (takes((IrOp)op, (IrDtype)dtype)) {
        check_elementwise((IrOp)op, (IrDtype)dtype);
        checked++;
      }
  ck_assert_int_gt(checked, 40);
}
END_TEST

/* ---- the other ops ---- */

static IrValue *n(IrBuilder *b, int64_t x) { return ir_i64(b, x); }

static int build_casts(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_cast(b, in[0], IR_I64);
  out[1] = ir_cast(b, in[0], IR_BOOL);
  out[2] = ir_cast(b, in[1], IR_F64);
  out[3] = ir_cast(b, in[1], IR_I64);
  return 4;
}

/* Numbers that single precision takes for 0 and 1. */
static int build_nearly_neutral(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *x = ir_unary(b, IR_ABS, in[0]), *tiny = ir_f64(b, 1e-150), *one = ir_f64(b, 1 + 1e-9);
  out[0] = ir_binary(b, IR_MUL, ir_binary(b, IR_ADD, x, tiny), ir_f64(b, 1e150));
  out[1] = ir_binary(b, IR_MUL, ir_binary(b, IR_SUB, x, tiny), ir_f64(b, 1e150));
  out[2] = ir_binary(b, IR_SUB, ir_binary(b, IR_MUL, x, one), x);
  out[3] = ir_binary(b, IR_SUB, ir_binary(b, IR_DIV, x, one), x);
  return 4;
}

/* Cosines, whose error is to be small beside 1. */
static int build_cosines(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_binary(b, IR_ADD, ir_unary(b, IR_COS, in[0]), ir_f64(b, 2));
  return 1;
}

/* Arithmetic with a constant of no elements. */
static int build_empty_constants(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const IrOp ops[] = {IR_ADD, IR_SUB, IR_MUL, IR_DIV};
  int64_t dims[] = {0};
  IrValue *empty = ir_constant(
      b, ir_tensor_new(ir_module_arena(ir_builder_module(b)), ir_type(IR_F64, 1, dims)));
  for (int k = 0; k < 4; k++) {
    IrValue *x = k % 2 ? in[0] : empty, *y = k % 2 ? empty : in[0];
    out[k] = ir_reduce(b, IR_REDUCE_SUM, ir_binary(b, ops[k], x, y), (int8_t[]){1}, 1);
  }
  return 4;
}

/* Products of transposes, and of what is computed from them. */
static int build_transposed_factors(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *t = ir_transpose(b, in[0], (int8_t[]){0, 2, 1});
  out[0] = ir_matmul(b, t, in[0]);
  out[1] = ir_matmul(b, in[0], ir_binary(b, IR_MUL, t, ir_f64(b, 3)));
  return 2;
}

/* Numbers that are not 0, and one that is compared with them. */
static int build_not_zero(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_binary(b, IR_NE, in[0], ir_f64(b, 0));
  out[1] = ir_binary(b, IR_NE, in[1], n(b, 0));
  out[2] = ir_binary(b, IR_NE, in[1], n(b, 2));
  out[3] = ir_binary(b, IR_NE, in[2], ir_broadcast_like(b, ir_f64(b, 0), in[0]));
  return 4;
}

/* Sums of squares: short ones, with the axis put back, long ones, and of squares that are kept. */
static int build_squares(IrBuilder *b, IrValue *const *in, IrValue **out) {
  for (int k = 0; k < 3; k++) {
    IrValue *square = ir_binary(b, IR_MUL, in[k], in[k]);
    out[k] = ir_reduce(b, IR_REDUCE_SUM, square, (int8_t[]){1}, 1);
    if (k == 0) out[0] = ir_binary(b, IR_SUB, in[0], ir_unsqueeze(b, out[0], 1));
    if (k == 2) out[3] = square;
  }
  return 4;
}

static int build_select(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_select(b, in[0], in[1], ir_f64(b, 4));
  out[1] = ir_select(b, in[0], in[2], ir_binary(b, IR_MUL, in[2], n(b, 3)));
  out[2] = ir_select(b, in[0], in[3], ir_unary(b, IR_NOT, in[0]));
  return 3;
}

static int build_bool_equality(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_binary(b, IR_EQ, in[0], in[1]);
  out[1] = ir_binary(b, IR_NE, in[0], in[1]);
  return 2;
}

static int build_broadcast(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *dims[] = {n(b, 2), ir_dim(b, in[1], 0), ir_dim(b, in[0], 1)};
  out[0] = ir_broadcast(b, in[0], dims, 3);
  out[1] = ir_broadcast(b, ir_f64(b, 2.5), dims, 3);
  out[2] = ir_broadcast(b, in[2], dims + 1, 2);
  return 3;
}

static int build_broadcast_to_nothing(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *dims[] = {ir_dim(b, in[0], 0), n(b, 0)};
  IrValue *x = ir_unary(b, IR_NEG, in[0]);
  out[0] = ir_unary(b, IR_NEG, ir_broadcast(b, x, dims, 2));
  dims[1] = in[1];
  out[1] = ir_unary(b, IR_NEG, ir_broadcast(b, x, dims, 2));
  return 2;
}

static int build_reshape(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *rows = ir_dim(b, in[0], 0), *columns = ir_dim(b, in[0], 1);
  IrValue *flat[] = {ir_binary(b, IR_MUL, rows, columns)};
  IrValue *unit[] = {rows, n(b, 1), columns};
  IrValue *split[] = {rows, n(b, 2), n(b, 3)};
  IrValue *swapped[] = {columns, rows};
  out[0] = ir_reshape(b, in[0], flat, 1);
  out[1] = ir_reshape(b, in[0], unit, 3);
  out[2] = ir_reshape(b, in[0], split, 3);
  out[3] = ir_reshape(b, in[0], swapped, 2);
  return 4;
}

static int build_unit_reshape(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_unsqueeze(b, ir_squeeze(b, in[0], 1), 0);
  out[1] = ir_reshape(b, in[1], NULL, 0);
  return 2;
}

static int build_transpose(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t permutation[] = {2, 0, 1};
  out[0] = ir_transpose(b, in[0], permutation);
  return 1;
}

static int build_real_reductions(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t last[] = {1}, first[] = {0};
  out[0] = ir_reduce(b, IR_REDUCE_SUM, in[0], last, 1);
  out[1] = ir_reduce(b, IR_REDUCE_PROD, in[0], first, 1);
  out[2] = ir_reduce(b, IR_REDUCE_MAX, in[0], last, 1);
  out[3] = ir_reduce(b, IR_REDUCE_MIN, in[0], last, 1);
  return 4;
}

/* What puts the reduced axes back, everywhere or in some places only. */
static int build_kept_axes(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t last[1] = {1}, both[2] = {0, 1};
  IrValue *sum = ir_reduce(b, IR_REDUCE_SUM, in[0], last, 1);
  IrValue *most = ir_reduce(b, IR_REDUCE_MAX, in[0], last, 1);
  IrValue *any = ir_reduce(b, IR_REDUCE_ANY, ir_binary(b, IR_LT, in[0], in[1]), both, 2);
  IrValue *ones[2] = {n(b, 1), n(b, 1)};
  out[0] = ir_binary(b, IR_DIV, in[0], ir_unsqueeze(b, sum, 1));
  out[1] = ir_binary(b, IR_SUB, in[0], ir_unsqueeze(b, most, 1));
  out[2] = ir_unary(b, IR_NEG, most);
  out[3] = ir_reshape(b, any, ones, 2);
  return 4;
}

static int build_full_reductions(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_reduce_all(b, IR_REDUCE_SUM, in[0]);
  out[1] = ir_reduce_all(b, IR_REDUCE_PROD, in[0]);
  out[2] = ir_reduce_all(b, IR_REDUCE_MAX, in[0]);
  out[3] = ir_reduce_all(b, IR_REDUCE_MIN, in[0]);
  return 4;
}

static int build_sum_prod(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t axes[] = {1};
  out[0] = ir_reduce(b, IR_REDUCE_SUM, in[0], axes, 1);
  out[1] = ir_reduce(b, IR_REDUCE_PROD, in[0], axes, 1);
  return 2;
}

static int build_logical_reductions(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t last[] = {1};
  out[0] = ir_reduce(b, IR_REDUCE_ANY, in[0], last, 1);
  out[1] = ir_reduce(b, IR_REDUCE_ALL, in[0], last, 1);
  out[2] = ir_reduce_all(b, IR_REDUCE_ANY, in[0]);
  out[3] = ir_reduce_all(b, IR_REDUCE_ALL, in[0]);
  return 4;
}

static int build_matmul(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_matmul(b, in[0], in[1]);
  out[1] = ir_matmul(b, in[2], in[1]);
  return 2;
}

static int build_one_matmul(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_matmul(b, in[0], in[1]);
  return 1;
}

static int build_slice(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_slice(b, in[0], 1, n(b, 1), n(b, 2));
  out[1] = ir_slice(b, in[0], 0, in[1], n(b, 2));
  out[2] = ir_slice(b, in[0], 0, n(b, 0), in[1]);
  out[3] = ir_slice(b, in[0], 1, in[1], n(b, 0));
  return 4;
}

/* Neighbours and gaps; parts of others; all of an axis in two; elements of rows. */
static int build_pieces(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *parts[4] = {
      ir_slice(b, in[0], 1, n(b, 7), n(b, 3)), ir_slice(b, in[0], 1, n(b, 1), n(b, 1)),
      ir_slice(b, in[0], 1, n(b, 2), n(b, 2)), ir_slice(b, in[0], 1, n(b, 1), n(b, 6))};
  out[0] = ir_concat(b, parts, 4, 1);
  out[1] = parts[1];
  parts[0] = ir_slice(b, in[1], 0, n(b, 1), n(b, 2));
  parts[1] = ir_slice(b, in[1], 0, n(b, 0), n(b, 1));
  out[2] = ir_concat(b, parts, 2, 0);
  for (int k = 0; k < 3; k++) parts[k] = ir_slice(b, in[2], 0, n(b, 2 - k), n(b, 1));
  out[3] = ir_concat(b, parts, 3, 0);
  return 4;
}

static int build_reverse(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrAttr first = {.axis = 0}, second = {.axis = 1};
  out[0] = ir_emit(b, IR_REVERSE, first, in, 1);
  out[1] = ir_emit(b, IR_REVERSE, second, in, 1);
  return 2;
}

static int build_concat(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *parts[] = {in[0], in[1], in[0]};
  out[0] = ir_concat(b, parts, 3, 1);
  return 1;
}

static int build_cumsum(IrBuilder *b, IrValue *const *in, IrValue **out) {
  for (int k = 0; k < 4; k++) {
    IrAttr attr = {.axis = k / 2 == 0 ? 1 : 0, .exclusive = k % 2, .reverse = k / 2};
    out[k] = ir_emit(b, IR_CUMSUM, attr, in, 1);
  }
  return 4;
}

static int build_argsort(IrBuilder *b, IrValue *const *in, IrValue **out) {
  for (int k = 0; k < 4; k++)
    out[k] = ir_emit(b, IR_ARGSORT, (IrAttr){.reverse = k % 2}, in + k / 2, 1);
  return 4;
}

static int build_sources(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_iota(b, in[0]);
  out[1] = ir_emit(b, IR_NONZERO, (IrAttr){0}, in + 1, 1);
  out[2] = ir_iota(b, ir_dim(b, in[1], 0));
  out[3] = ir_binary(b, IR_ADD, ir_dim(b, in[2], 1), in[0]);
  return 4;
}

static int build_constants(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *many[] = {n(b, 100)};
  out[0] = ir_broadcast(b, ir_f64(b, 0.1), many, 1);
  out[1] = ir_iota(b, n(b, 5));
  out[2] = in[0];
  out[3] = in[0];
  return 4;
}

/* ---- indexing ---- */

static int build_gather_first(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 0, 0);
  out[1] = ir_gather(b, in[0], in[1], 1, 0);
  out[2] = ir_gather(b, in[0], in[2], 1, 0);
  out[3] = ir_gather(b, in[0], n(b, 1), 1, 0);
  return 4;
}

static int build_gather_vector(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 0, 0);
  out[1] = ir_gather(b, in[0], in[2], 0, 0);
  out[2] = ir_gather(b, in[0], n(b, 2), 0, 0);
  return 3;
}

static int build_gather_batch(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 1, 1);
  out[1] = ir_gather(b, in[0], in[2], 1, 1);
  out[2] = ir_gather(b, in[0], in[1], 2, 1);
  out[3] = ir_gather(b, in[0], in[3], 1, 1);
  return 4;
}

static int build_gather_batch_flat(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 1, 1);
  out[1] = ir_gather(b, in[0], in[2], 1, 1);
  out[2] = ir_gather(b, in[0], in[3], 1, 1);
  return 3;
}

static int build_gather_two_batches(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 2, 2);
  out[1] = ir_gather(b, in[0], in[1], 3, 2);
  return 2;
}

static int scatters(IrBuilder *b, IrValue *x, IrValue *index, int axis, int batch, IrValue **out) {
  IrValue *updates = ir_gather(b, ir_unary(b, IR_NEG, x), index, axis, batch);
  out[0] = ir_scatter(b, IR_SCATTER_ADD, x, index, updates, axis, batch);
  out[1] = ir_scatter(b, IR_SCATTER_SET, x, index, updates, axis, batch);
  return 2;
}

static int build_scatter_vector(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 0, 0, out);
  return 2 + scatters(b, in[0], in[2], 0, 0, out + 2);
}

static int build_scatter_rows(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 0, 0, out);
  return 2 + scatters(b, in[0], in[2], 0, 0, out + 2);
}

static int build_scatter_columns(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 1, 0, out);
  return 2 + scatters(b, in[0], in[2], 1, 0, out + 2);
}

static int build_scatter_single(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], n(b, 1), 1, 0, out);
  return 2 + scatters(b, in[0], n(b, 2), 0, 0, out + 2);
}

static int build_scatter_batch(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 1, 1, out);
  return 2 + scatters(b, in[0], in[1], 2, 1, out + 2);
}

static int build_scatter_batch_more(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 1, 1, out);
  return 2 + scatters(b, in[0], in[2], 1, 1, out + 2);
}

/* A sum with duplicates in order tells whether the last of two writes wins and whether none is
 * lost. */
static int build_scatter_apart(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_scatter(b, IR_SCATTER_SET, in[0], in[1], in[2], 0, 0);
  out[1] = ir_scatter(b, IR_SCATTER_ADD, in[0], in[1], in[2], 0, 0);
  return 2;
}

static const double rows_of_4[] = {3, 0, 1, 0};
static const double rows_of_3[] = {2, 0, 1, 0, 2};
static const double rows_of_2[] = {1, 0, 0, 1};
static const double nan_rows[] = {1, NAN, 3, 4, 5, 6, INFINITY, -INFINITY, 2, 7, 8, 9};
static const double ties[] = {3, 1, NAN, 3, 1, -INFINITY, 2, 2, INFINITY, NAN};
static const double two[] = {2};
static const double false_only[] = {0};
static const double nothing[] = {0};

static const Case cases[] = {
    {"casts", {{F64, 1, {5}, SPREAD(integers)}, {BOOL, 1, {6}, SPREAD(truths)}}, build_casts},
    {"not_zero",
     {{F64, 1, {14}, SPREAD(reals)}, {I64, 1, {9}, SPREAD(integers)}, {F64, 0, {0}, SPREAD(two)}},
     build_not_zero},
    {"squares",
     {{F64, 2, {3, 8}, SPREAD(reals)}, {F64, 2, {3, 50}, NULL, 0}, {F64, 2, {3, 4}, NULL, 0}},
     build_squares},
    {"select",
     {{BOOL, 2, {3, 4}, SPREAD(truths)},
      {F64, 1, {4}, SPREAD(reals)},
      {I64, 2, {3, 4}, NULL, 0},
      {BOOL, 1, {4}, SPREAD(truths)}},
     build_select},
    {"kept_axes",
     {{F64, 2, {3, 4}, SPREAD(reals)}, {F64, 1, {4}, SPREAD(more_reals)}},
     build_kept_axes},
    {"bool_equality",
     {{BOOL, 2, {7, 4}, SPREAD(truths)}, {BOOL, 1, {4}, SPREAD(truths)}},
     build_bool_equality},
    {"broadcast",
     {{F64, 2, {1, 3}, NULL, 0}, {F64, 1, {4}, NULL, 0}, {I64, 2, {4, 1}, NULL, 0}},
     build_broadcast},
    {"broadcast_to_nothing",
     {{F64, 2, {3, 1}, NULL, 0}, {I64, 0, {0}, SPREAD(nothing)}},
     build_broadcast_to_nothing},
    {"reshape", {{F64, 2, {4, 6}, NULL, 0}}, build_reshape},
    {"reshape_empty", {{F64, 2, {0, 6}, NULL, 0}}, build_reshape},
    {"unit_reshape",
     {{F64, 3, {4, 1, 6}, NULL, 0}, {BOOL, 2, {1, 1}, NULL, 0}},
     build_unit_reshape},
    {"transpose", {{BOOL, 3, {2, 3, 4}, SPREAD(truths)}}, build_transpose},
    {"reductions", {{F64, 2, {4, 3}, SPREAD(nan_rows)}}, build_real_reductions},
    {"full_reductions", {{F64, 2, {3, 7}, NULL, 0}}, build_full_reductions},
    {"integer_reductions", {{I64, 2, {4, 3}, SPREAD(integers)}}, build_real_reductions},
    {"empty_reductions", {{F64, 2, {4, 0}, NULL, 0}}, build_sum_prod},
    {"logical_reductions", {{BOOL, 2, {5, 3}, SPREAD(truths)}}, build_logical_reductions},
    {"false_reductions", {{BOOL, 2, {5, 3}, SPREAD(false_only)}}, build_logical_reductions},
    {"empty_logical_reductions", {{BOOL, 2, {5, 0}, SPREAD(truths)}}, build_logical_reductions},
    {"matmul",
     {{F64, 2, {4, 3}, NULL, 0}, {F64, 2, {3, 5}, NULL, 0}, {F64, 3, {2, 4, 3}, NULL, 0}},
     build_matmul},
    {"matmul_batches",
     {{F64, 3, {2, 4, 3}, NULL, 0}, {F64, 3, {2, 3, 5}, NULL, 0}},
     build_one_matmul},
    {"matmul_nothing",
     {{F64, 2, {4, 0}, NULL, 0}, {F64, 2, {0, 5}, NULL, 0}, {F64, 3, {2, 4, 0}, NULL, 0}},
     build_matmul},
    {"matmul_nothing_batches",
     {{F64, 3, {9, 4, 0}, NULL, 0}, {F64, 3, {9, 0, 5}, NULL, 0}},
     build_one_matmul},
    {"slice", {{F64, 2, {5, 4}, NULL, 0}, {I64, 0, {0}, SPREAD(two)}}, build_slice},
    {"slice_bools", {{BOOL, 2, {5, 4}, SPREAD(truths)}, {I64, 0, {0}, SPREAD(two)}}, build_slice},
    {"pieces",
     {{F64, 2, {3, 12}, NULL, 0}, {I64, 2, {3, 2}, NULL, 0}, {BOOL, 1, {4}, SPREAD(truths)}},
     build_pieces},
    {"reverse", {{F64, 2, {3, 4}, NULL, 0}}, build_reverse},
    {"reverse_nothing", {{I64, 2, {0, 4}, NULL, 0}}, build_reverse},
    {"concat", {{F64, 2, {3, 2}, NULL, 0}, {F64, 2, {3, 4}, NULL, 0}}, build_concat},
    {"concat_nothing", {{BOOL, 2, {3, 0}, NULL, 0}, {BOOL, 2, {3, 4}, NULL, 0}}, build_concat},
    {"cumsum", {{F64, 2, {3, 4}, NULL, 0}}, build_cumsum},
    {"cumsum_integers", {{I64, 2, {3, 4}, NULL, 0}}, build_cumsum},
    {"cumsum_nothing", {{F64, 2, {3, 0}, NULL, 0}}, build_cumsum},
    {"argsort", {{F64, 2, {2, 10}, SPREAD(ties)}, {I64, 1, {9}, SPREAD(divisors)}}, build_argsort},
    {"argsort_nothing", {{F64, 2, {2, 0}, NULL, 0}, {I64, 1, {0}, NULL, 0}}, build_argsort},
    {"sources",
     {{I64, 0, {0}, SPREAD(two)}, {BOOL, 1, {7}, SPREAD(truths)}, {F64, 2, {3, 5}, NULL, 0}},
     build_sources},
    {"no_sources",
     {{I64, 0, {0}, SPREAD(nothing)},
      {BOOL, 1, {7}, SPREAD(false_only)},
      {F64, 2, {3, 0}, NULL, 0}},
     build_sources},
    {"constants", {{F64, 1, {3}, NULL, 0}}, build_constants},
    {"gather",
     {{F64, 2, {4, 4}, NULL, 0},
      {I64, 1, {20}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_gather_first},
    {"gather_deep",
     {{I64, 3, {4, 4, 3}, NULL, 0},
      {I64, 1, {4}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_gather_first},
    {"gather_vector",
     {{BOOL, 1, {4}, SPREAD(truths)},
      {I64, 1, {5}, SPREAD(rows_of_4)},
      {I64, 2, {2, 2}, SPREAD(rows_of_4)}},
     build_gather_vector},
    {"gather_nothing",
     {{F64, 1, {4}, NULL, 0}, {I64, 1, {0}, NULL, 0}, {I64, 2, {2, 0}, NULL, 0}},
     build_gather_vector},
    {"gather_batch",
     {{F64, 3, {4, 3, 3}, NULL, 0},
      {I64, 2, {4, 5}, SPREAD(rows_of_3)},
      {I64, 3, {4, 2, 2}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_gather_batch},
    {"gather_batch_flat",
     {{F64, 2, {4, 3}, NULL, 0},
      {I64, 2, {4, 5}, SPREAD(rows_of_3)},
      {I64, 3, {4, 2, 2}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_gather_batch_flat},
    {"gather_two_batches",
     {{F64, 4, {2, 3, 2, 2}, NULL, 0}, {I64, 3, {2, 3, 5}, SPREAD(rows_of_2)}},
     build_gather_two_batches},
    {"scatter_vector",
     {{F64, 1, {4}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_vector},
    {"scatter_nothing",
     {{F64, 1, {4}, NULL, 0}, {I64, 1, {0}, NULL, 0}, {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_vector},
    {"scatter_rows",
     {{F64, 3, {4, 2, 3}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_rows},
    {"scatter_columns",
     {{I64, 3, {2, 4, 3}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_columns},
    {"scatter_last",
     {{F64, 2, {2, 4}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_columns},
    {"scatter_single", {{F64, 3, {3, 4, 2}, NULL, 0}}, build_scatter_single},
    {"scatter_batch",
     {{F64, 3, {4, 3, 3}, NULL, 0}, {I64, 2, {4, 5}, SPREAD(rows_of_3)}},
     build_scatter_batch},
    {"scatter_batch_more",
     {{F64, 3, {4, 3, 2}, NULL, 0},
      {I64, 3, {4, 2, 2}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_scatter_batch_more},
    {"scatter_batch_flat",
     {{F64, 2, {4, 3}, NULL, 0},
      {I64, 2, {4, 5}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_scatter_batch_more},
    {"cosines", {{F64, 1, {13}, SPREAD(angles)}}, build_cosines},
    {"empty_constants", {{F64, 2, {3, 1}, NULL, 0}}, build_empty_constants},
    {"transposed_factors", {{F64, 3, {2, 3, 4}, NULL, 0}}, build_transposed_factors},
    {"nearly_neutral", {{F64, 1, {4}, SPREAD(near_zero)}}, build_nearly_neutral},
    {"scatter_apart",
     {{F64, 1, {4}, NULL, 0}, {I64, 1, {4}, SPREAD(rows_of_4)}, {F64, 1, {4}, SPREAD(divisors)}},
     build_scatter_apart},
};

START_TEST(op) { check_case(&cases[_i]); }
END_TEST

int main(void) {
  Suite *s = suite_create("emit ops");
  TCase *t = tcase_create("ops");
  tcase_add_test(t, elementwise);
  tcase_add_loop_test(t, op, 0, (int)(sizeof cases / sizeof *cases));
  suite_add_tcase(s, t);
  return run_with_runtime(s);
}
