/* Sums of many terms, rebuilt as a whole while a function is copied. */
#ifndef STAN2ONNX_IR_LINEAR_H
#define STAN2ONNX_IR_LINEAR_H

#include "ir/builder.h"

/* What is known of the function that is being copied, by value id. */
typedef struct {
  IrValue *const *map; /* the copies */
  const int *uses;     /* how often values are read */
  const bool *live;    /* whether they are copied here; NULL: all are */
} LinearSource;

static inline IrValue *linear_mapped(const LinearSource *s, const IrValue *v) {
  return s->map[v->id];
}
static inline int linear_uses(const LinearSource *s, const IrValue *v) { return s->uses[v->id]; }

/* The sum that ends in `root`, an ADD or SUB of f64 whose operands are copied already, with fewer
 * nodes; NULL where it cannot be had for fewer. */
IrValue *linear_rebuild(IrBuilder *b, const IrNode *root, const LinearSource *source);

#endif
