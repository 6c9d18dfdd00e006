/* What changes between the runs of a body. */
#ifndef STAN2ONNX_IR_CHANGES_H
#define STAN2ONNX_IR_CHANGES_H

#include "ir/ir.h"

/* Of the values of a function, by id. */
typedef struct {
  bool *same;    /* does not change between runs */
  bool *outside; /* nor is anything that changes needed to compute it, and that cannot fail */
  bool *fixed;   /* its shape does not change */
} Changes;

/* For f, whose parameters from `first` up to `end` do not change; nor do the shapes of others, if
 * fixed. */
Changes changes_of(Arena *a, const IrFunction *f, int first, int end, bool fixed);

/* Ops that have a value whatever their operands are, so that it does no harm to compute them where
 * the program would not come to them. */
bool is_total(const IrNode *n);
/* Whether operand k of n says how large something is. */
bool is_size_operand(const IrNode *n, int k);

#endif
