/* Affine recurrences x' = a x + b, for all iterations at once. */
#ifndef STAN2ONNX_IR_SCAN_H
#define STAN2ONNX_IR_SCAN_H

#include "ir/ir.h"

/* n maps. Of single numbers (size 0): a is [n or 1, ...] and b [n, ...], with the shape of x
 * behind, or for a one that broadcasts to it. Of vectors (size K): a is the matrices and b the
 * vectors together, [K, K + 1, n, ...], and b NULL. */
typedef struct {
  IrValue *a, *b;
} AffineMaps;

typedef struct {
  IrBuilder *b;
  int size;     /* 0, or K */
  bool reverse; /* the last map comes first */
  IrValue *count;
} Scan;

/* x after each of the maps: [n, ...], or [K, n, ...]. x0, what it is before the first: of the same
 * shape with n = 1. */
IrValue *scan_affine(const Scan *s, AffineMaps maps, IrValue *x0);

#endif
