/* Between which numbers the elements of a value lie. */
#ifndef STAN2ONNX_IR_BOUNDS_H
#define STAN2ONNX_IR_BOUNDS_H

#include "ir/ir.h"

typedef struct {
  double low, high;
} Bounds;

/* Every element of v, an f64, is NaN or from low to high; infinities where nothing is known. */
Bounds bounds_of(const IrValue *v);

#endif
