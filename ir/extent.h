/* Sizes that are not known, and how they compare. */
#ifndef STAN2ONNX_IR_EXTENT_H
#define STAN2ONNX_IR_EXTENT_H

#include "ir/ir.h"

/* base + offset, where that is not negative; else 0. base NULL: offset is all. */
typedef struct {
  const IrValue *base;
  int64_t offset;
} Size;

Size size_of(const IrValue *v);
/* Where the extent of v's axis comes from, which may be another value's. */
IrValue *extent_of(IrBuilder *b, IrValue *v, int axis);

/* Whether the extent of v's axis is known to be count, or 0 where that is negative. */
bool has_extent(const IrValue *v, int axis, const IrValue *count);

/* Whether v, of b or a builder around it, is known to be the same for all elements of a batch,
 * because it and a number make the size of something. */
bool is_shared_size(const IrBuilder *b, const IrValue *v);
/* The same of a value of f, where that is a whole function. */
bool makes_size(const IrFunction *f, const IrValue *v);

#endif
