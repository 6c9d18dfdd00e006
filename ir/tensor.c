/* Types and tensors. */
#include "ir/ir.h"

#include <string.h>

IrType ir_type(IrDtype dtype, int rank, const int64_t *dims) {
  IrType t = {.dtype = dtype, .rank = rank};
  for (int k = 0; k < rank; k++) t.dim[k] = dims[k];
  return t;
}

IrType ir_row_type(const IrType *t) { return ir_type(t->dtype, t->rank - 1, t->dim + 1); }

IrType ir_scalar(IrDtype dtype) { return (IrType){.dtype = dtype}; }

bool ir_types_equal(const IrType *a, const IrType *b) {
  return a->dtype == b->dtype && a->rank == b->rank &&
         memcmp(a->dim, b->dim, sizeof *a->dim * (size_t)a->rank) == 0;
}

/* A count beyond what a tensor can hold is INT64_MAX, which no allocation survives. */
int64_t ir_type_count(const IrType *t) {
  int64_t n = 1;
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] == IR_DYNAMIC) return -1;
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] == 0) return 0;
  for (int k = 0; k < t->rank; k++) {
    if (n > INT64_MAX / t->dim[k]) return INT64_MAX;
    n *= t->dim[k];
  }
  return n;
}

size_t ir_dtype_size(IrDtype dtype) {
  static const size_t sizes[] = {[IR_F64] = 8, [IR_I64] = 8, [IR_BOOL] = 1};
  return sizes[dtype];
}

IrTensor *ir_tensor_new(Arena *a, IrType type) {
  int64_t n = ir_type_count(&type);
  IrTensor *t = ARENA_NEW(a, IrTensor);
  t->type = type;
  t->count = n;
  /* A dynamic dimension, which is a caller's mistake, is refused like a size that is too large. */
  t->data.bytes = arena_array(a, n < 0 ? SIZE_MAX : (size_t)n, ir_dtype_size(type.dtype));
  return t;
}

IrTensor *ir_tensor_f64(Arena *a, double x) {
  IrTensor *t = ir_tensor_new(a, ir_scalar(IR_F64));
  t->data.f64[0] = x;
  return t;
}

IrTensor *ir_tensor_i64(Arena *a, int64_t x) {
  IrTensor *t = ir_tensor_new(a, ir_scalar(IR_I64));
  t->data.i64[0] = x;
  return t;
}

bool ir_tensor_uniform(const IrTensor *t) {
  if (t->count < 1) return false;
  size_t size = ir_dtype_size(t->type.dtype);
  return memcmp(t->data.bytes, (const char *)t->data.bytes + size, ((size_t)t->count - 1) * size) ==
         0;
}
