/* What the body of a loop computes, for all iterations at once; and how it depends on what is
 * carried. */
#ifndef STAN2ONNX_IR_ITERATIONS_H
#define STAN2ONNX_IR_ITERATIONS_H

#include "ir/ir.h"

/* A value in all iterations. */
typedef struct {
  IrValue *value; /* NULL: zero */
  bool stacked;   /* along the leading axes, else the same in all of them */
} Lifted;

/* A loop without a condition. Arrays are by value id of its body. */
typedef struct {
  IrBuilder *b;
  const IrNode *loop;
  const IrFunction *body;
  IrValue **in; /* the loop's operands, in b */
  IrValue *count;
  int carried;
  uint64_t *depends; /* carried values on which a value depends, by bit */
  uint64_t known;    /* carried values that are known for all iterations */
  Lifted *lifted;    /* values that are, [n, ...]; value NULL: not yet asked for */
} Iterations;

Iterations iterations_new(IrBuilder *b, const IrNode *loop, IrValue **in);
/* Makes v known: stack is [n, ...]. */
void iterations_know(Iterations *t, const IrValue *v, IrValue *stack);
/* v for all iterations; value NULL where that cannot be had. */
Lifted iterations_lift(Iterations *t, const IrValue *v);
/* Whether the op of n may be applied to values that are all the same in all iterations, which might
 * be none: then it has to have a value whatever they are. */
bool iterations_may_apply(const Iterations *t, const IrNode *n);
/* The size of v's axis, or NULL. */
IrValue *iterations_size(Iterations *t, const IrValue *v, int axis);
/* The carried values, of those not known, on which v depends. */
uint64_t iterations_open(const Iterations *t, const IrValue *v);
static inline const IrValue *iterations_param(const Iterations *t, int k) {
  return t->body->params[1 + k];
}
static inline const IrValue *iterations_result(const Iterations *t, int k) {
  return t->body->results[k];
}
static inline IrValue *iterations_initial(const Iterations *t, int k) { return t->in[1 + k]; }

/* v = factor * seed + offset */
typedef struct {
  Lifted factor, offset;
} LinearForm;

/* v as a linear function of the values `seed`, elementwise; false where it is not, or where that
 * takes shapes that are not the seed's. */
bool linear_elementwise(Iterations *t, const IrValue *v, const IrValue *seed, LinearForm *form);
/* v as a linear function of all elements of some carried values, except along a leading axis that
 * is not known, each element of which is a problem of its own. factor has an axis of `columns`
 * before the iterations', one for each element of the seeds, and offset one of size 1. seeds: bits
 * of the carried values; columns: what linear_columns says. */
bool linear_general(Iterations *t, const IrValue *v, uint64_t seeds, int columns, LinearForm *form);
/* v as the logarithms of a linear function, without offset, of the exponentials of carried value k,
 * whose elements lie along one axis. factor has the logarithms of the matrix, as above. */
bool log_linear(Iterations *t, const IrValue *v, int k, int columns, LinearForm *form);
/* How many elements these carried values have together for each of the leading axis that is not
 * known; 0 where that does not hold of them. */
int linear_columns(const Iterations *t, uint64_t seeds);

#endif
