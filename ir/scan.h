/* Affine recurrences x' = a x + b, for all iterations at once. */
#ifndef STAN2ONNX_IR_SCAN_H
#define STAN2ONNX_IR_SCAN_H

#include "ir/ir.h"

typedef enum {
  SCAN_NUMBERS,   /* each element for itself */
  SCAN_VECTORS,   /* of `size` elements */
  SCAN_LOGARITHMS /* of vectors of `size` elements that are not negative: x' = log(A exp(x)) */
} ScanKind;

/* n maps.
 *   numbers: a is [n or 1, ...] and b [n, ...], with the shape of x behind, or for a one that
 *     broadcasts to it
 *   vectors: a is the matrices and b, as a column more, together, [size, size + 1, n, ...]
 *   logarithms: a is exp(-b) times the matrices, [size, size, n, ...], and b is [1, n, ...] */
typedef struct {
  IrValue *a, *b;
} AffineMaps;

typedef struct {
  IrBuilder *b;
  ScanKind kind;
  int size;
  bool reverse; /* the last map comes first */
  IrValue *count;
} Scan;

/* The numbers whose logarithms a scan of logarithms takes. What is too small beside 1 is lost in
 * them: those that are almost none are wrong, unless they should be 0. */
typedef struct {
  IrValue *last; /* of the states: [size, n, ...] */
  IrValue *lost; /* how many on the way there are wrong, if states that are impossible are known to
                    be so; NULL: none can be */
} ScanSums;

/* x after each of the maps: [n, ...], or [size, n, ...]. x0, what it is before the first: of the
 * same shape with n = 1. */
IrValue *scan_affine(const Scan *s, AffineMaps maps, IrValue *x0, ScanSums *sums);
/* How many sums are wrong; impossible: which should be 0. */
IrValue *scan_lost(IrBuilder *b, IrValue *sums, IrValue *impossible);
/* x before each of the maps, from what it is after them. */
IrValue *scan_before(const Scan *s, IrValue *states, IrValue *x0);

#endif
