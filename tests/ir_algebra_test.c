/* Identities: each leaves as few nodes as it promises, and the values that the ops have without it,
 * for numbers, infinities and NaN, with sizes known and open. */
#include "ir/eval.h"
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 4, ROUNDS = 12 };

typedef IrValue *V;

typedef struct {
  const char *name;
  const char *inputs; /* "f2x3 b i": dtype and dims of each */
  V (*build)(IrBuilder *b, V *in);
  int nodes;      /* that are left, constants apart */
  int open_nodes; /* with sizes that are not known; SIZE ops not counted */
  bool finite;    /* holds of finite numbers only, which the inputs are assumed to be */
} Case;

/* ---- building ---- */

static V num(IrBuilder *b, double x) { return ir_f64(b, x); }
static V n(IrBuilder *b, int64_t x) { return ir_i64(b, x); }
static V un(IrBuilder *b, IrOp op, V x) { return ir_unary(b, op, x); }
static V bin(IrBuilder *b, IrOp op, V x, V y) { return ir_binary(b, op, x, y); }

static V constants(IrBuilder *b, int count, const double *values) {
  IrTensor *t =
      ir_tensor_new(ir_module_arena(ir_builder_module(b)), ir_type(IR_F64, 1, (int64_t[]){count}));
  memcpy(t->data.f64, values, sizeof *values * (size_t)count);
  return ir_constant(b, t);
}

static V indices(IrBuilder *b, int count, const int64_t *values) {
  IrTensor *t =
      ir_tensor_new(ir_module_arena(ir_builder_module(b)), ir_type(IR_I64, 1, (int64_t[]){count}));
  memcpy(t->data.i64, values, sizeof *values * (size_t)count);
  return ir_constant(b, t);
}

static V spread(IrBuilder *b, V x, int64_t rows, int64_t columns) {
  return ir_broadcast(b, x, (V[]){n(b, rows), n(b, columns)}, 2);
}

static V sum(IrBuilder *b, V x, int axis) {
  return ir_reduce(b, IR_REDUCE_SUM, x, (int8_t[]){(int8_t)axis}, 1);
}

#define CASE(name) static V name(IrBuilder *b, V *in)

/* arithmetic */
CASE(add_zero) { return bin(b, IR_ADD, in[0], num(b, 0)); }
CASE(zero_plus) { return bin(b, IR_ADD, num(b, 0), in[0]); }
CASE(sub_zero) { return bin(b, IR_SUB, in[0], num(b, 0)); }
CASE(zero_minus) { return bin(b, IR_SUB, num(b, 0), in[0]); }
CASE(mul_one) { return bin(b, IR_MUL, in[0], num(b, 1)); }
CASE(mul_minus_one) { return bin(b, IR_MUL, in[0], num(b, -1)); }
CASE(div_one) { return bin(b, IR_DIV, in[0], num(b, 1)); }
CASE(div_four) { return bin(b, IR_DIV, in[0], num(b, 4)); }
CASE(mul_zero) { return bin(b, IR_MUL, in[0], num(b, 0)); }
CASE(neg_neg) { return un(b, IR_NEG, un(b, IR_NEG, in[0])); }
CASE(minus_minus) { return bin(b, IR_SUB, in[0], un(b, IR_NEG, in[1])); }
CASE(plus_minus) { return bin(b, IR_ADD, un(b, IR_NEG, in[0]), in[1]); }
CASE(neg_difference) { return un(b, IR_NEG, bin(b, IR_SUB, in[0], in[1])); }
CASE(neg_times_neg) { return bin(b, IR_MUL, un(b, IR_NEG, in[0]), un(b, IR_NEG, in[1])); }
CASE(neg_over_neg) { return bin(b, IR_DIV, un(b, IR_NEG, in[0]), un(b, IR_NEG, in[1])); }
CASE(sub_itself) { return bin(b, IR_SUB, in[0], in[0]); }
CASE(scales) { return bin(b, IR_MUL, num(b, 2), bin(b, IR_MUL, in[0], num(b, 3))); }
CASE(scale_of_ratio) { return bin(b, IR_MUL, bin(b, IR_DIV, in[0], num(b, 3)), num(b, 6)); }
CASE(scale_of_inverse) { return bin(b, IR_MUL, bin(b, IR_DIV, num(b, 3), in[0]), num(b, 2)); }
CASE(scale_outward) {
  V x = bin(b, IR_MUL, bin(b, IR_MUL, in[0], num(b, 3)), in[1]);
  return bin(b, IR_MUL, x, num(b, 2));
}
CASE(square_of_ratio) {
  V x = bin(b, IR_DIV, in[0], num(b, 3));
  return bin(b, IR_MUL, bin(b, IR_MUL, x, x), num(b, -0.5));
}
CASE(ratio_of_ratio) { return bin(b, IR_DIV, bin(b, IR_DIV, in[0], num(b, 3)), num(b, 5)); }
/* A number that is known to be positive and finite, if x is no NaN. */
static V bounded(IrBuilder *b, V x) {
  return bin(b, IR_MAX, bin(b, IR_MIN, un(b, IR_ABS, x), num(b, 8)), num(b, 0.25));
}
CASE(ratio_times_divisor) {
  V y = bounded(b, in[0]);
  return bin(b, IR_MUL, y, bin(b, IR_DIV, in[1], y));
}
CASE(standardised) {
  V y = bounded(b, in[0]), v = bin(b, IR_ADD, bin(b, IR_MUL, y, in[2]), in[1]);
  return bin(b, IR_DIV, bin(b, IR_SUB, v, in[1]), y);
}
CASE(standardised_by_another) {
  V y = bounded(b, in[0]), v = bin(b, IR_ADD, bin(b, IR_MUL, in[0], in[2]), in[1]);
  return bin(b, IR_DIV, bin(b, IR_SUB, v, in[1]), y);
}
CASE(log_of_inverse) {
  V x = bin(b, IR_ADD, un(b, IR_EXP, in[0]), num(b, 1));
  return bin(b, IR_SUB, in[1], un(b, IR_LOG, bin(b, IR_DIV, num(b, 1), x)));
}
CASE(log_of_part_of_exp) {
  V x = un(b, IR_EXP, in[0]);
  ir_assume(x, IR_POSITIVE | IR_FINITE);
  return un(b, IR_LOG, ir_slice(b, x, 0, n(b, 1), n(b, 2)));
}
/* by as many equal numbers as make the result larger */
static V halves(IrBuilder *b) {
  return ir_reshape(b, constants(b, 2, (double[]){0.5, 0.5}), (V[]){n(b, 2), n(b, 1)}, 2);
}
CASE(scaled_to_more) { return bin(b, IR_MUL, un(b, IR_NEG, in[0]), halves(b)); }
CASE(divided_to_more) { return bin(b, IR_DIV, in[0], halves(b)); }
CASE(negated_scale) { return un(b, IR_NEG, bin(b, IR_MUL, in[0], num(b, 3))); }
CASE(shifts) { return bin(b, IR_ADD, num(b, 2), bin(b, IR_ADD, in[0], num(b, 3))); }
CASE(shift_of_difference) { return bin(b, IR_SUB, bin(b, IR_SUB, num(b, 2), in[0]), num(b, -3)); }
CASE(compensated) { return bin(b, IR_SUB, bin(b, IR_ADD, in[0], num(b, 1)), num(b, 1)); }
CASE(sum_of_multiples) {
  return bin(b, IR_ADD, bin(b, IR_MUL, in[0], num(b, 2)), bin(b, IR_MUL, in[0], num(b, 3)));
}
CASE(doubled) { return bin(b, IR_ADD, in[0], in[0]); }
CASE(split_product) { /* Dekker's: its terms must not be collected */
  V t = bin(b, IR_MUL, in[0], num(b, 134217729));
  return bin(b, IR_SUB, t, bin(b, IR_SUB, t, in[0]));
}
CASE(square) { return bin(b, IR_POW, in[0], num(b, 2)); }
CASE(power_of_one) { return bin(b, IR_POW, in[0], num(b, 1)); }
CASE(power_of_zero) { return bin(b, IR_POW, in[0], num(b, 0)); }
CASE(inverse) { return bin(b, IR_POW, in[0], num(b, -1)); }
CASE(root) { return bin(b, IR_POW, un(b, IR_EXP, in[0]), num(b, 0.5)); }
CASE(abs_of_square) { return un(b, IR_ABS, bin(b, IR_MUL, in[0], in[0])); }
CASE(max_itself) { return bin(b, IR_MAX, in[0], in[0]); }
CASE(nested_max) { return bin(b, IR_MAX, bin(b, IR_MAX, in[0], num(b, 1)), num(b, 2)); }
CASE(max_of_square) { return bin(b, IR_MAX, bin(b, IR_MUL, in[0], in[0]), num(b, -1)); }
CASE(min_of_tanh) { return bin(b, IR_MIN, un(b, IR_TANH, in[0]), num(b, 1)); }
CASE(floor_of_integer) { return un(b, IR_FLOOR, ir_cast(b, in[0], IR_F64)); }
CASE(exp_of_log) { return un(b, IR_EXP, un(b, IR_LOG, un(b, IR_ABS, in[0]))); }
CASE(log_of_exp) { return un(b, IR_LOG, un(b, IR_EXP, in[0])); }
CASE(integer_zero) { return bin(b, IR_MUL, in[0], n(b, 0)); }
CASE(integer_modulus) { return bin(b, IR_MOD, in[0], n(b, 1)); }

/* logic */
CASE(not_not) { return un(b, IR_NOT, un(b, IR_NOT, in[0])); }
CASE(not_equal) { return un(b, IR_NOT, bin(b, IR_EQ, in[0], in[1])); }
CASE(not_less) { return un(b, IR_NOT, bin(b, IR_LT, in[0], in[1])); }
CASE(not_less_integer) { return un(b, IR_NOT, bin(b, IR_LT, in[0], in[1])); }
CASE(and_true) { return bin(b, IR_AND, in[0], ir_bool(b, true)); }
CASE(and_false) { return bin(b, IR_AND, ir_bool(b, false), in[0]); }
CASE(or_opposite) { return bin(b, IR_OR, in[0], un(b, IR_NOT, in[0])); }
CASE(and_absorbed) { return bin(b, IR_AND, in[0], bin(b, IR_AND, in[1], in[0])); }
CASE(or_absorbed) { return bin(b, IR_OR, in[0], bin(b, IR_AND, in[1], in[0])); }
CASE(equals_true) { return bin(b, IR_EQ, in[0], ir_bool(b, true)); }
CASE(square_below_zero) { return bin(b, IR_LT, bin(b, IR_MUL, in[0], in[0]), num(b, 0)); }
CASE(tanh_above_two) { return bin(b, IR_GT, un(b, IR_TANH, in[0]), num(b, 2)); }
CASE(below_infinity) { return bin(b, IR_LT, in[0], num(b, INFINITY)); }
CASE(equals_itself) { return bin(b, IR_EQ, in[0], in[0]); }
CASE(is_nan) { return un(b, IR_ISNAN, un(b, IR_TANH, in[0])); }
CASE(select_known) { return ir_select(b, ir_bool(b, false), in[0], in[1]); }
CASE(select_same) { return ir_select(b, in[0], in[1], in[1]); }
CASE(select_not) { return ir_select(b, un(b, IR_NOT, in[0]), in[1], in[2]); }
CASE(select_nested) {
  return ir_select(b, in[0], ir_select(b, in[0], in[1], in[2]), un(b, IR_NEG, in[2]));
}
CASE(select_one_zero) { return ir_select(b, in[0], num(b, 1), num(b, 0)); }
CASE(select_bool) { return ir_select(b, in[0], in[1], ir_bool(b, false)); }
CASE(cast_back) { return ir_cast(b, ir_cast(b, in[0], IR_F64), IR_I64); }
CASE(cast_twice) { return ir_cast(b, ir_cast(b, in[0], IR_I64), IR_F64); }

/* shapes */
CASE(broadcast_nothing) { return spread(b, in[0], 2, 3); }
CASE(broadcast_twice) {
  return ir_broadcast(b, spread(b, in[0], 2, 3), (V[]){n(b, 4), n(b, 2), n(b, 3)}, 3);
}
CASE(broadcast_of_op) { return un(b, IR_EXP, spread(b, in[0], 2, 3)); }
CASE(broadcast_dropped) { return bin(b, IR_ADD, spread(b, in[0], 2, 3), in[1]); }
CASE(broadcasts_of_op) { return bin(b, IR_MUL, spread(b, in[0], 2, 3), spread(b, in[1], 2, 3)); }
CASE(units_dropped) { return bin(b, IR_MUL, ir_unsqueeze(b, in[0], 0), in[1]); }
CASE(reshape_of_op) {
  V x = un(b, IR_EXP, ir_unsqueeze(b, in[0], 1));
  return ir_squeeze(b, bin(b, IR_ADD, x, num(b, 1)), 1);
}
CASE(reshapes_of_op) {
  return ir_squeeze(b, bin(b, IR_ADD, ir_unsqueeze(b, in[0], 1), ir_unsqueeze(b, in[1], 1)), 1);
}
CASE(reshape_twice) {
  V flat = ir_reshape(b, in[0], (V[]){n(b, 6)}, 1);
  return ir_reshape(b, flat, (V[]){ir_dim(b, in[0], 0), ir_dim(b, in[0], 1)}, 2);
}
CASE(reshape_of_broadcast) {
  return bin(b, IR_ADD, ir_unsqueeze(b, spread(b, in[0], 2, 3), 1), in[1]);
}
CASE(transpose_twice) {
  static const int8_t p[] = {1, 2, 0};
  return ir_transpose(b, ir_transpose(b, ir_transpose(b, in[0], p), p), p);
}
CASE(transpose_of_unit) {
  static const int8_t p[] = {1, 0};
  return ir_reshape(b, ir_transpose(b, ir_unsqueeze(b, in[0], 0), p), (V[]){ir_dim(b, in[0], 0)},
                    1);
}
CASE(transpose_of_broadcast) {
  static const int8_t p[] = {1, 0};
  return sum(b, ir_transpose(b, spread(b, in[0], 2, 3), p), 0);
}
CASE(concat_of_transposed) {
  static const int8_t p[] = {1, 0, 2};
  V parts[] = {in[0], ir_transpose(b, in[1], p)};
  return ir_transpose(b, ir_concat(b, parts, 2, 1), p);
}
CASE(gather_of_transposed) {
  static const int8_t p[] = {1, 0, 2};
  V dims[] = {n(b, 3), n(b, 2)};
  V index = bin(b, IR_MOD, ir_reshape(b, ir_iota(b, n(b, 6)), dims, 2), n(b, 4));
  return ir_gather(b, ir_transpose(b, in[0], p), index, 1, 1);
}
CASE(reverse_twice) {
  IrAttr attr = {.axis = 1};
  V x = ir_emit(b, IR_REVERSE, attr, in, 1);
  return ir_emit(b, IR_REVERSE, attr, &x, 1);
}
CASE(size_of_result) {
  V x = bin(b, IR_ADD, in[0], un(b, IR_EXP, in[1]));
  V y = sum(b, ir_transpose(b, x, (int8_t[]){1, 0}), 1);
  return bin(b, IR_SUB, ir_dim(b, y, 0), ir_dim(b, in[0], 1));
}

/* indexing */
CASE(slice_of_all) { return ir_slice(b, in[0], 1, n(b, 0), ir_dim(b, in[0], 1)); }
CASE(slice_of_slice) {
  return ir_slice(b, ir_slice(b, in[0], 0, n(b, 1), n(b, 4)), 0, n(b, 1), n(b, 2));
}
CASE(slice_of_concat) {
  V parts[] = {in[0], un(b, IR_EXP, in[1])};
  return ir_slice(b, ir_concat(b, parts, 2, 0), 0, n(b, 0), n(b, 2));
}
CASE(slice_across_concat) {
  V parts[] = {in[0], in[1], in[0]};
  return ir_slice(b, ir_concat(b, parts, 3, 0), 0, n(b, 1), n(b, 5));
}
CASE(slice_of_broadcast) {
  V x = ir_slice(b, spread(b, in[0], 4, 3), 0, n(b, 1), n(b, 2));
  return bin(b, IR_ADD, x, in[1]);
}
CASE(gather_all) { return ir_gather(b, in[0], indices(b, 3, (int64_t[]){0, 1, 2}), 0, 0); }
CASE(gather_run) { return ir_gather(b, in[0], indices(b, 2, (int64_t[]){1, 2}), 0, 0); }
CASE(gather_gather) {
  V x = ir_gather(b, in[0], indices(b, 4, (int64_t[]){2, 0, 1, 2}), 0, 0);
  return ir_gather(b, x, indices(b, 3, (int64_t[]){3, 0, 1}), 0, 0);
}
CASE(gather_of_concat) {
  V parts[] = {in[0], un(b, IR_EXP, in[1])};
  return ir_gather(b, ir_concat(b, parts, 2, 0), indices(b, 3, (int64_t[]){2, 0, 2}), 0, 0);
}
CASE(gather_of_written) {
  V x = ir_scatter(b, IR_SCATTER_SET, in[0], in[1], in[2], 0, 0);
  return ir_gather(b, x, in[1], 0, 0);
}
CASE(gather_of_rows_written) {
  V x = ir_scatter(b, IR_SCATTER_SET, in[0], indices(b, 2, (int64_t[]){4, 0}), in[1], 0, 0);
  return ir_gather(b, x, indices(b, 2, (int64_t[]){4, 0}), 0, 0);
}
CASE(gather_of_rows_beside) {
  V x = ir_scatter(b, IR_SCATTER_SET, in[0], indices(b, 2, (int64_t[]){4, 0}), in[1], 0, 0);
  return ir_gather(b, x, indices(b, 2, (int64_t[]){3, 1}), 0, 0);
}
CASE(gather_of_rows_mixed) {
  V x = ir_scatter(b, IR_SCATTER_SET, in[0], indices(b, 2, (int64_t[]){4, 0}), in[1], 0, 0);
  return ir_gather(b, x, indices(b, 2, (int64_t[]){4, 1}), 0, 0);
}
CASE(gather_of_row_written_twice) {
  V x = ir_scatter(b, IR_SCATTER_SET, in[0], indices(b, 2, (int64_t[]){4, 4}), in[1], 0, 0);
  return ir_gather(b, x, indices(b, 2, (int64_t[]){4, 4}), 0, 0);
}
CASE(gather_run_as_matrix) {
  V at = ir_reshape(b, indices(b, 4, (int64_t[]){1, 2, 3, 4}), (V[]){n(b, 2), n(b, 2)}, 2);
  return ir_gather(b, in[0], at, 0, 0);
}
CASE(gather_of_added) {
  V x = ir_scatter(b, IR_SCATTER_ADD, in[0], in[1], in[2], 0, 0);
  return ir_gather(b, x, in[1], 0, 0);
}
CASE(gather_of_broadcast) {
  V x = ir_gather(b, spread(b, in[0], 4, 3), indices(b, 3, (int64_t[]){3, 0, 2}), 0, 0);
  return bin(b, IR_ADD, x, in[1]);
}
CASE(gather_of_repeated_column) {
  V x = ir_gather(b, spread(b, in[0], 2, 5), indices(b, 3, (int64_t[]){3, 0, 2}), 1, 0);
  return bin(b, IR_ADD, x, in[1]);
}
CASE(gather_of_numbers) { return ir_gather(b, ir_iota(b, n(b, 4)), in[0], 0, 0); }
CASE(writes_become_concat) {
  V x = ir_scatter(b, IR_SCATTER_SET, in[0], n(b, 0), in[1], 0, 0);
  x = ir_scatter(b, IR_SCATTER_SET, x, n(b, 1), in[2], 0, 0);
  return ir_scatter(b, IR_SCATTER_SET, x, n(b, 2), in[1], 0, 0);
}
CASE(scatter_run) {
  V zeros = ir_broadcast(b, num(b, 0), (V[]){n(b, 4)}, 1);
  return ir_scatter(b, IR_SCATTER_ADD, zeros, indices(b, 3, (int64_t[]){1, 2, 3}), in[0], 0, 0);
}
CASE(concat_of_slices) {
  V parts[] = {ir_slice(b, in[0], 0, n(b, 0), n(b, 2)), ir_slice(b, in[0], 0, n(b, 2), n(b, 4))};
  return ir_concat(b, parts, 2, 0);
}
CASE(concat_of_concat) {
  V parts[] = {in[0], in[1]}, outer[] = {ir_concat(b, parts, 2, 0), in[0]};
  return ir_concat(b, outer, 2, 0);
}
CASE(concat_of_one) { return ir_concat(b, in, 1, 0); }
CASE(concat_of_constants) {
  V parts[] = {in[0], constants(b, 2, (double[]){1, 2}), constants(b, 1, (double[]){3})};
  V x = ir_concat(b, parts, 3, 0);
  return ir_slice(b, x, 0, n(b, 3), n(b, 3));
}

/* reductions */
CASE(sum_of_unit) { return sum(b, ir_unsqueeze(b, in[0], 1), 1); }
CASE(sum_of_sum) { return sum(b, sum(b, in[0], 0), 0); }
CASE(sum_of_broadcast) { return sum(b, spread(b, in[0], 4, 3), 0); }
CASE(sum_of_columns) { return sum(b, spread(b, in[0], 2, 5), 1); }
CASE(max_of_broadcast) {
  return ir_reduce(b, IR_REDUCE_MAX, spread(b, in[0], 4, 3), (int8_t[]){0}, 1);
}
CASE(any_of_false) {
  V x = ir_broadcast(b, ir_bool(b, false), (V[]){ir_dim(b, in[0], 0)}, 1);
  return ir_reduce_all(b, IR_REDUCE_ANY, x);
}
CASE(sum_of_scaled) { return sum(b, bin(b, IR_MUL, in[0], num(b, 3)), 1); }
CASE(sum_of_ratio) {
  V scale = un(b, IR_EXP, ir_unsqueeze(b, in[1], 1));
  return sum(b, bin(b, IR_DIV, in[0], scale), 1);
}
CASE(sum_of_shifted) { return sum(b, bin(b, IR_ADD, in[0], ir_unsqueeze(b, in[1], 1)), 1); }
CASE(sum_of_outer) {
  return sum(b, bin(b, IR_SUB, ir_unsqueeze(b, in[0], 1), ir_unsqueeze(b, in[1], 0)), 1);
}
CASE(sum_in_steps) {
  return ir_reduce_all(b, IR_REDUCE_SUM, bin(b, IR_MUL, in[0], ir_unsqueeze(b, in[1], 1)));
}
CASE(sum_of_transposed) {
  return ir_reduce_all(b, IR_REDUCE_SUM, ir_transpose(b, in[0], (int8_t[]){1, 0}));
}
CASE(sum_of_reshaped) {
  return ir_reduce_all(b, IR_REDUCE_SUM, ir_reshape(b, in[0], (V[]){n(b, 3), n(b, 2)}, 2));
}
CASE(outer_product) { return ir_matmul(b, ir_unsqueeze(b, in[0], 1), ir_unsqueeze(b, in[1], 0)); }
CASE(matmul_of_broadcast) {
  V x = ir_broadcast(b, in[0], (V[]){n(b, 4), n(b, 2), n(b, 3)}, 3);
  return ir_matmul(b, x, in[1]);
}
CASE(cumsum_of_one) {
  V x = ir_unsqueeze(b, in[0], 0);
  return ir_squeeze(b, ir_emit(b, IR_CUMSUM, (IrAttr){0}, &x, 1), 0);
}

static const Case cases[] = {
    {"add_zero", "f3", add_zero, 0, 0, false},
    {"zero_plus", "f3", zero_plus, 0, 0, false},
    {"sub_zero", "f3", sub_zero, 0, 0, false},
    {"zero_minus", "f3", zero_minus, 1, 1, false},
    {"mul_one", "f3", mul_one, 0, 0, false},
    {"mul_minus_one", "f3", mul_minus_one, 1, 1, false},
    {"div_one", "f3", div_one, 0, 0, false},
    {"div_four", "f3", div_four, 1, 1, false},
    {"mul_zero", "f3", mul_zero, 1, 1, false},
    {"mul_zero_finite", "f3", mul_zero, 0, 1, true},
    {"neg_neg", "f3", neg_neg, 0, 0, false},
    {"minus_minus", "f3 f3", minus_minus, 1, 1, false},
    {"plus_minus", "f3 f3", plus_minus, 1, 1, false},
    {"neg_difference", "f3 f3", neg_difference, 1, 1, false},
    {"neg_times_neg", "f3 f3", neg_times_neg, 1, 1, false},
    {"neg_over_neg", "f3 f3", neg_over_neg, 1, 1, false},
    {"sub_itself", "f3", sub_itself, 1, 1, false},
    {"sub_itself_finite", "f3", sub_itself, 0, 1, true},
    {"scales", "f3", scales, 1, 1, false},
    {"scale_of_ratio", "f3", scale_of_ratio, 1, 1, false},
    {"scale_of_inverse", "f3", scale_of_inverse, 1, 1, false},
    {"scale_outward", "f3 f3", scale_outward, 2, 2, false},
    {"negated_scale", "f3", negated_scale, 1, 1, false},
    {"scaled_to_more", "f3", scaled_to_more, 2, 2, false},
    {"divided_to_more", "f3", divided_to_more, 2, 2, false},
    {"shifts", "f3", shifts, 1, 1, false},
    {"shift_of_difference", "f3", shift_of_difference, 1, 1, false},
    {"compensated", "f3", compensated, 2, 2, false},
    {"sum_of_multiples", "f3", sum_of_multiples, 1, 1, false},
    {"doubled", "f3", doubled, 1, 1, false},
    {"split_product", "f3", split_product, 3, 3, false},
    {"square", "f3", square, 1, 1, false},
    {"power_of_one", "f3", power_of_one, 0, 0, false},
    {"power_of_zero", "f3", power_of_zero, 0, 1, false},
    {"inverse", "f3", inverse, 1, 1, false},
    {"root", "f3", root, 2, 2, true},
    {"abs_of_square", "f3", abs_of_square, 2, 2, false},
    {"abs_of_finite_square", "f3", abs_of_square, 1, 1, true},
    {"max_itself", "f3", max_itself, 0, 0, false},
    {"nested_max", "f3", nested_max, 1, 1, false},
    {"max_of_square", "f3", max_of_square, 1, 1, true},
    {"min_of_tanh", "f3", min_of_tanh, 1, 1, true},
    {"floor_of_integer", "i3", floor_of_integer, 1, 1, false},
    {"exp_of_log", "f3", exp_of_log, 1, 1, true},
    {"log_of_exp", "f3", log_of_exp, 2, 2, true},
    {"integer_zero", "i3", integer_zero, 0, 1, false},
    {"integer_modulus", "i3", integer_modulus, 0, 1, false},
    {"not_not", "b3", not_not, 0, 0, false},
    {"not_equal", "f3 f3", not_equal, 1, 1, false},
    {"not_less", "f3 f3", not_less, 2, 2, false},
    {"not_less_number", "f3 f3", not_less, 1, 1, true},
    {"not_less_integer", "i3 i3", not_less_integer, 1, 1, false},
    {"and_true", "b3", and_true, 0, 0, false},
    {"and_false", "b3", and_false, 0, 1, false},
    {"or_opposite", "b3", or_opposite, 0, 1, false},
    {"and_absorbed", "b3 b3", and_absorbed, 1, 1, false},
    {"or_absorbed", "b3 b3", or_absorbed, 0, 0, false},
    {"equals_true", "b3", equals_true, 0, 0, false},
    {"square_below_zero", "f3", square_below_zero, 0, 1, true},
    {"tanh_above_two", "f3", tanh_above_two, 0, 1, true},
    {"below_infinity", "f3", below_infinity, 0, 1, true},
    {"equals_itself", "f3", equals_itself, 1, 1, false},
    {"equals_itself_number", "f3", equals_itself, 0, 1, true},
    {"is_nan", "f3", is_nan, 0, 1, true},
    {"select_known", "f3 f3", select_known, 0, 0, false},
    {"select_same", "b3 f3", select_same, 0, 0, false},
    {"select_not", "b3 f3 f3", select_not, 1, 1, false},
    {"select_nested", "b3 f3 f3", select_nested, 2, 2, false},
    {"select_one_zero", "b3", select_one_zero, 1, 1, false},
    {"select_bool", "b3 b3", select_bool, 1, 1, false},
    {"cast_back", "i3", cast_back, 0, 0, false},
    {"cast_twice", "b3", cast_twice, 1, 1, false},
    {"broadcast_nothing", "f2x3", broadcast_nothing, 0, 0, false},
    {"broadcast_twice", "f3", broadcast_twice, 1, 1, false},
    {"broadcast_of_op", "f3", broadcast_of_op, 2, 2, false},
    {"broadcast_dropped", "f1x3 f2x3", broadcast_dropped, 1, 1, false},
    {"broadcasts_of_op", "f3 f", broadcasts_of_op, 2, 2, false},
    {"units_dropped", "f3 f2x3", units_dropped, 1, 1, false},
    {"reshape_of_op", "f3", reshape_of_op, 2, 2, false},
    {"reshapes_of_op", "f3 f3", reshapes_of_op, 1, 1, false},
    {"reshape_twice", "f2x3", reshape_twice, 0, 0, false},
    {"reshape_of_broadcast", "f3 f2x1x3", reshape_of_broadcast, 1, 1, false},
    {"transpose_twice", "f2x3x4", transpose_twice, 0, 0, false},
    {"transpose_of_unit", "f3", transpose_of_unit, 0, 0, false},
    {"transpose_of_broadcast", "f3", transpose_of_broadcast, 2, 2, false},
    {"concat_of_transposed", "f3x1x2 f4x3x2", concat_of_transposed, 2, 3, false},
    {"gather_of_transposed", "f4x3x2", gather_of_transposed, 2, 7, false},
    {"reverse_twice", "f2x3", reverse_twice, 0, 0, false},
    {"size_of_result", "f2x3 f2x3", size_of_result, 0, 0, false},
    {"slice_of_all", "f2x3", slice_of_all, 0, 0, false},
    {"slice_of_slice", "f6", slice_of_slice, 1, 1, false},
    {"slice_of_concat", "f2 f3", slice_of_concat, 0, 3, false},
    {"slice_across_concat", "f2 f4", slice_across_concat, 2, 2, false},
    {"slice_of_broadcast", "f3 f2x3", slice_of_broadcast, 1, 1, false},
    {"gather_all", "f3", gather_all, 0, 1, false},
    {"gather_run", "f3", gather_run, 1, 1, false},
    {"gather_gather", "f3", gather_gather, 1, 1, false},
    {"gather_of_concat", "f3 f2", gather_of_concat, 1, 3, false},
    {"gather_of_written", "f3 i f", gather_of_written, 0, 0, false},
    {"gather_of_rows_written", "f5 f2", gather_of_rows_written, 0, 2, false},
    {"gather_of_rows_beside", "f5 f2", gather_of_rows_beside, 1, 2, false},
    {"gather_of_rows_mixed", "f5 f2", gather_of_rows_mixed, 2, 2, false},
    {"gather_of_row_written_twice", "f5 f2", gather_of_row_written_twice, 2, 2, false},
    {"gather_run_as_matrix", "f5x2", gather_run_as_matrix, 2, 1, false},
    {"gather_of_added", "f3 i f", gather_of_added, 2, 2, false},
    {"gather_of_broadcast", "f3 f3x3", gather_of_broadcast, 1, 1, false},
    {"gather_of_repeated_column", "f2x1 f2x3", gather_of_repeated_column, 1, 1, false},
    {"gather_of_numbers", "i3", gather_of_numbers, 0, 0, false},
    {"writes_become_concat", "f3 f f", writes_become_concat, 3, 3, false},
    {"scatter_run", "f3", scatter_run, 1, 1, false},
    {"concat_of_slices", "f6", concat_of_slices, 0, 1, false},
    {"concat_of_concat", "f2 f3", concat_of_concat, 1, 1, false},
    {"concat_of_one", "f3", concat_of_one, 0, 0, false},
    {"concat_of_constants", "f3", concat_of_constants, 0, 2, false},
    {"sum_of_unit", "f3", sum_of_unit, 0, 0, false},
    {"sum_of_sum", "f2x3", sum_of_sum, 1, 1, false},
    {"sum_of_broadcast", "f3", sum_of_broadcast, 1, 1, false},
    {"sum_of_columns", "f2x1", sum_of_columns, 2, 2, false},
    {"max_of_broadcast", "f3", max_of_broadcast, 0, 0, false},
    {"any_of_false", "b3", any_of_false, 0, 0, false},
    {"sum_of_scaled", "f2x3", sum_of_scaled, 2, 2, false},
    {"sum_of_ratio", "f2x3 f2", sum_of_ratio, 3, 3, true},
    {"sum_of_shifted", "f2x3 f2", sum_of_shifted, 3, 4, false},
    {"sum_of_outer", "f2 f3", sum_of_outer, 3, 4, false},
    {"sum_in_steps", "f2x3 f2", sum_in_steps, 3, 3, true},
    {"sum_of_transposed", "f2x3", sum_of_transposed, 1, 1, false},
    {"sum_of_reshaped", "f2x3", sum_of_reshaped, 1, 1, false},
    {"outer_product", "f2 f3", outer_product, 2, 2, false},
    {"matmul_of_broadcast", "f2x3 f4x3x2", matmul_of_broadcast, 1, 2, false},
    {"cumsum_of_one", "f3", cumsum_of_one, 0, 0, false},
    {"square_of_ratio", "f3", square_of_ratio, 2, 2, false},
    {"ratio_of_ratio", "f3", ratio_of_ratio, 1, 1, false},
    {"ratio_times_divisor", "f3 f3", ratio_times_divisor, 0, 0, true},
    {"standardised", "f3 f3 f3", standardised, 0, 0, true},
    {"standardised_unsure", "f3 f3 f3", standardised, 7, 7, false},
    {"standardised_by_another", "f3 f3 f3", standardised_by_another, 7, 7, true},
    {"log_of_inverse", "f3 f3", log_of_inverse, 4, 4, true},
    {"log_of_part_of_exp", "f4", log_of_part_of_exp, 1, 1, true},
};

/* ---- running ---- */

static uint64_t state;

static uint32_t below(uint32_t bound) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % bound;
}

static IrTensor *input(Arena *a, const char *spec, bool finite, bool special) {
  static const double odd[] = {INFINITY, -INFINITY, NAN, -0.0};
  int64_t dims[IR_MAX_RANK] = {0};
  int rank = 0;
  for (const char *s = spec + 1; *s && *s != ' '; s++)
    if (*s != 'x') dims[rank++] = *s - '0';
  IrDtype dtype = *spec == 'f' ? IR_F64 : *spec == 'i' ? IR_I64 : IR_BOOL;
  IrTensor *t = ir_tensor_new(a, ir_type(dtype, rank, dims));
  for (int64_t k = 0; k < t->count; k++) {
    if (dtype == IR_F64)
      t->data.f64[k] = !finite && special && below(3) == 0 ? odd[below(4)] : (below(17) - 8.0) / 4;
    else if (dtype == IR_I64)
      t->data.i64[k] = below(3);
    else
      t->data.boolean[k] = below(2) != 0;
  }
  return t;
}

static IrFunction *build(Arena *a, const Case *c, IrOptions options, bool open,
                         IrTensor *const *args, int count) {
  IrModule *m = ir_module_new(a, options);
  IrBuilder *b = ir_function_begin(m, NULL, c->name);
  V in[MOST_INPUTS];
  for (int k = 0; k < count; k++) {
    IrType t = args[k]->type;
    for (int i = 0; i < t.rank && open; i++)
      if (t.dim[i] != 1) t.dim[i] = IR_DYNAMIC;
    in[k] = ir_param(b, t, NULL);
    if (c->finite) ir_assume(in[k], IR_FINITE);
  }
  V v = c->build(b, in);
  ck_assert_msg(!ir_module_error(m), "%s: %s", c->name, ir_module_error(m));
  IrFunction *f = ir_function_end(b, &v, NULL, 1);
  const char *error = ir_verify(f);
  ck_assert_msg(!error, "%s: %s", c->name, error);
  return f;
}

static int count_nodes(const IrFunction *f) {
  int count = 0;
  for (int i = 0; i < f->node_count; i++)
    count += f->nodes[i]->op != IR_CONST && f->nodes[i]->op != IR_SHAPE;
  return count;
}

static double element(const IrTensor *t, int64_t i) {
  return t->type.dtype == IR_F64   ? t->data.f64[i]
         : t->type.dtype == IR_I64 ? (double)t->data.i64[i]
                                   : t->data.boolean[i];
}

static void compare(const Case *c, const IrTensor *x, const IrTensor *y, const char *text) {
  ck_assert_msg(ir_types_equal(&x->type, &y->type), "%s: another type\n%s", c->name, text);
  for (int64_t i = 0; i < x->count; i++) {
    double a = element(x, i), b = element(y, i);
    ck_assert_msg(a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-13 * fabs(a),
                  "%s: element %d is %.17g, not %.17g\n%s", c->name, (int)i, b, a, text);
  }
}

static void check_round(const Case *c, bool open, bool special) {
  Arena *a = arena_new();
  IrTensor *args[MOST_INPUTS], *expected, *got;
  int count = 0;
  for (const char *s = c->inputs; s; s = strchr(s, ' ')) {
    s += *s == ' ';
    args[count++] = input(a, s, c->finite, special);
  }
  IrOptions nothing = {.no_algebra = true, .no_cse = true, .no_fold = true};
  const IrFunction *plain = build(a, c, nothing, open, args, count),
                   *f = build(a, c, (IrOptions){0}, open, args, count);
  Text text = text_new(a);
  ir_print(&text, f);
  int nodes = count_nodes(f);
  ck_assert_msg(nodes == (open ? c->open_nodes : c->nodes), "%s%s: %d nodes\n%s", c->name,
                open ? ", open" : "", nodes, text.data);
  const IrTensor *const *in = (const IrTensor *const *)args;
  const char *error = ir_eval_function(a, plain, in, &expected, 0);
  ck_assert_msg(!error, "%s: %s", c->name, error);
  error = ir_eval_function(a, f, in, &got, 0);
  ck_assert_msg(!error, "%s: %s\n%s", c->name, error, text.data);
  compare(c, expected, got, text.data);
  arena_free(a);
}

/* Numbers of a case of its own, whatever other cases there are. */
static uint64_t seed_of(const char *name) {
  uint64_t h = 1;
  for (; *name; name++) h = h * 31 + (unsigned char)*name;
  return h;
}

START_TEST(identity) {
  state = seed_of(cases[_i].name);
  for (int round = 0; round < ROUNDS; round++)
    for (int open = 0; open < 2; open++) check_round(&cases[_i], open, round % 2);
}
END_TEST

/* In what differentiation makes, a cotangent times 0 is 0, and what is added up is collected. */
START_TEST(adjoints) {
  Arena *a = arena_new();
  IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, "f");
  V x = ir_param(b, ir_scalar(IR_F64), "x");
  ck_assert_ptr_null(bin(b, IR_MUL, x, num(b, 0))->constant);
  ir_set_adjoint(b, true);
  ck_assert_ptr_nonnull(bin(b, IR_MUL, bin(b, IR_MUL, x, x), num(b, 0))->constant);
  V v = bin(b, IR_SUB, bin(b, IR_MUL, x, num(b, 3)), x);
  ck_assert_int_eq(v->node->op, IR_MUL);
  ck_assert_double_eq(v->node->in[1]->constant->data.f64[0], 2);
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("identities");
  TCase *t = tcase_create("identities");
  tcase_add_loop_test(t, identity, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, adjoints);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
