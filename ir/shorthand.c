/* Shorthands for emission. */
#include "ir/builder.h"

#include <string.h>

IrValue *ir_f64(IrBuilder *b, double x) {
  return ir_constant(b, ir_tensor_f64(b->module->arena, x));
}

IrValue *ir_i64(IrBuilder *b, int64_t x) {
  return ir_constant(b, ir_tensor_i64(b->module->arena, x));
}

IrValue *ir_bool(IrBuilder *b, bool x) {
  IrTensor *t = ir_tensor_new(b->module->arena, ir_scalar(IR_BOOL));
  t->data.boolean[0] = x;
  return ir_constant(b, t);
}

IrValue *ir_unary(IrBuilder *b, IrOp op, IrValue *x) { return ir_emit(b, op, (IrAttr){0}, &x, 1); }

IrValue *ir_binary(IrBuilder *b, IrOp op, IrValue *x, IrValue *y) {
  return ir_emit(b, op, (IrAttr){0}, (IrValue *[]){x, y}, 2);
}

IrValue *ir_select(IrBuilder *b, IrValue *c, IrValue *x, IrValue *y) {
  return ir_emit(b, IR_SELECT, (IrAttr){0}, (IrValue *[]){c, x, y}, 3);
}

IrValue *ir_cast(IrBuilder *b, IrValue *x, IrDtype dtype) {
  if (x->type.dtype == dtype) return x;
  return ir_emit(b, IR_CAST, (IrAttr){.dtype = dtype}, &x, 1);
}

/* ---- shapes ---- */

static IrValue *with_sizes(IrBuilder *b, IrOp op, IrValue *x, IrValue *const *dims, int rank) {
  IrValue *in[IR_MAX_RANK + 1] = {x};
  if (rank > IR_MAX_RANK) {
    module_error(b->module, "%s: a tensor of %d axes", ir_op_name(op), rank);
    rank = IR_MAX_RANK;
  }
  for (int k = 0; k < rank; k++) in[k + 1] = dims[k];
  return ir_emit(b, op, (IrAttr){0}, in, rank + 1);
}

IrValue *ir_broadcast(IrBuilder *b, IrValue *x, IrValue *const *dims, int rank) {
  return with_sizes(b, IR_BROADCAST, x, dims, rank);
}

IrValue *ir_broadcast_like(IrBuilder *b, IrValue *x, IrValue *y) {
  IrValue *dims[IR_MAX_RANK];
  for (int k = 0; k < y->type.rank; k++) dims[k] = ir_dim(b, y, k);
  return ir_broadcast(b, x, dims, y->type.rank);
}

IrValue *ir_reshape(IrBuilder *b, IrValue *x, IrValue *const *dims, int rank) {
  return with_sizes(b, IR_RESHAPE, x, dims, rank);
}

IrValue *ir_unsqueeze(IrBuilder *b, IrValue *x, int axis) {
  IrValue *dims[IR_MAX_RANK + 1];
  int rank = x->type.rank;
  for (int k = 0; k < axis; k++) dims[k] = ir_dim(b, x, k);
  dims[axis] = ir_i64(b, 1);
  for (int k = axis; k < rank; k++) dims[k + 1] = ir_dim(b, x, k);
  return ir_reshape(b, x, dims, rank + 1);
}

IrValue *ir_squeeze(IrBuilder *b, IrValue *x, int axis) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  for (int k = 0; k < x->type.rank; k++)
    if (k != axis) dims[rank++] = ir_dim(b, x, k);
  return ir_reshape(b, x, dims, rank);
}

IrValue *ir_transpose(IrBuilder *b, IrValue *x, const int8_t *permutation) {
  IrAttr attr = {.axis_count = x->type.rank};
  memcpy(attr.axes, permutation, sizeof *permutation * (size_t)x->type.rank);
  return ir_emit(b, IR_TRANSPOSE, attr, &x, 1);
}

IrValue *ir_dim(IrBuilder *b, IrValue *x, int axis) {
  int64_t n = axis < x->type.rank ? x->type.dim[axis] : IR_DYNAMIC;
  if (n != IR_DYNAMIC) return ir_i64(b, n);
  return ir_emit(b, IR_SHAPE, (IrAttr){.axis = axis}, &x, 1);
}

IrValue *ir_iota(IrBuilder *b, IrValue *count) {
  return ir_emit(b, IR_IOTA, (IrAttr){0}, &count, 1);
}

IrValue *ir_zero_row(IrBuilder *b, IrValue *x, int axis) {
  IrValue *dims[IR_MAX_RANK], *zero = ir_cast(b, ir_i64(b, 0), x->type.dtype);
  for (int k = 0; k < x->type.rank; k++) dims[k] = k == axis ? ir_i64(b, 1) : ir_dim(b, x, k);
  return ir_broadcast(b, zero, dims, x->type.rank);
}

IrValue *ir_move_axis(IrBuilder *b, IrValue *x, int from, int to) {
  int8_t permutation[IR_MAX_RANK];
  int next = 0;
  for (int k = 0; k < x->type.rank; k++) {
    if (next == from) next++;
    permutation[k] = (int8_t)(k == to ? from : next++);
  }
  return ir_transpose(b, x, permutation);
}

/* ---- the rest ---- */

IrValue *ir_reduce(IrBuilder *b, IrOp op, IrValue *x, const int8_t *axes, int axis_count) {
  IrAttr attr = {.axis_count = axis_count};
  if (axis_count) memcpy(attr.axes, axes, sizeof *axes * (size_t)axis_count);
  return axis_count ? ir_emit(b, op, attr, &x, 1) : x;
}

IrValue *ir_reduce_all(IrBuilder *b, IrOp op, IrValue *x) {
  int8_t axes[IR_MAX_RANK];
  for (int k = 0; k < x->type.rank; k++) axes[k] = (int8_t)k;
  return ir_reduce(b, op, x, axes, x->type.rank);
}

IrValue *ir_matmul(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_MATMUL, x, y); }

IrValue *ir_slice(IrBuilder *b, IrValue *x, int axis, IrValue *start, IrValue *length) {
  return ir_emit(b, IR_SLICE, (IrAttr){.axis = axis}, (IrValue *[]){x, start, length}, 3);
}

IrValue *ir_gather(IrBuilder *b, IrValue *x, IrValue *index, int axis, int batch) {
  return ir_emit(b, IR_GATHER, (IrAttr){.axis = axis, .batch = batch}, (IrValue *[]){x, index}, 2);
}

IrValue *ir_scatter(IrBuilder *b, IrOp op, IrValue *x, IrValue *index, IrValue *updates, int axis,
                    int batch) {
  return ir_emit(b, op, (IrAttr){.axis = axis, .batch = batch}, (IrValue *[]){x, index, updates},
                 3);
}

IrValue *ir_concat(IrBuilder *b, IrValue *const *parts, int count, int axis) {
  return ir_emit(b, IR_CONCAT, (IrAttr){.axis = axis}, parts, count);
}
