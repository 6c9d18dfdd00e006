/* Identities that ir_emit applies: rules by op, each a function that gives the value of an
 * application without the op, or NULL.
 *
 * A rule keeps the value but for rounding and the sign of zeros, and does not lose a NaN or an
 * infinity that the operation would give, with two exceptions: products with a constant 0 are 0 in
 * what differentiation makes, and sums are multiplied by a common factor afterwards though it might
 * be infinite, or a divisor 0. */
#ifndef STAN2ONNX_IR_ALGEBRA_H
#define STAN2ONNX_IR_ALGEBRA_H

#include "ir/builder.h"

/* An op about to be emitted. Operands are local to b. */
typedef struct {
  IrBuilder *b;
  IrOp op;
  const IrAttr *attr;
  IrValue *const *in;
  int count;
  const IrType *type; /* of the result */
} Application;

typedef IrValue *(*Rule)(const Application *p);

#define RULE(name) IrValue *rule_##name(const Application *p)

/* algebra_elementwise.c: what holds of every elementwise op */
RULE(order);            /* constants come second in commutative ops */
RULE(strip_broadcasts); /* f(broadcast x) = broadcast f(x) */
RULE(strip_units);      /* leading axes of size 1 that the other operands have anyway */
RULE(reshapes_outward); /* f(reshape x) = reshape f(x) */

/* algebra_arithmetic.c */
RULE(neg);
RULE(abs);
RULE(sign);
RULE(exp);
RULE(log);
RULE(round);
RULE(add);
RULE(sub);
RULE(mul);
RULE(div);
RULE(mod);
RULE(pow);
RULE(extremum);

/* algebra_logic.c */
RULE(negation);
RULE(isnan);
RULE(isinf);
RULE(cast);
RULE(compare);
RULE(connective);
RULE(select);

/* algebra_shape.c */
RULE(broadcast);
RULE(reshape);
RULE(transpose);
RULE(reverse);
RULE(shape);

/* algebra_index.c */
RULE(slice);
RULE(gather);
RULE(scatter);
RULE(concat);
RULE(nonzero);

/* algebra_reduce.c */
RULE(reduce_units);
RULE(reduce_of_reduce);
RULE(reduce_broadcast);
RULE(reduce_moved);
RULE(reduce_linear);
RULE(reduce_known);
RULE(matmul);
RULE(cumsum);

/* ---- what rules ask and build ---- */

/* The node of v when its op is `op`, else NULL. */
const IrNode *made_by(const IrValue *v, IrOp op);
/* Whether all elements of v are known to be one number, and which. */
bool is_splat(const IrValue *v, double *x);
bool is_splat_of(const IrValue *v, double x);
/* An i64 scalar that is known. */
bool is_known_size(const IrValue *v, int64_t *n);
/* A scalar constant of the dtype of the result. */
IrValue *scalar_like(const Application *p, double x);
/* The result as a broadcast of a scalar constant. */
IrValue *splat_result(const Application *p, double x);
/* v as the result of an elementwise application. */
IrValue *fitted(const Application *p, IrValue *v);
/* Whether v has the full shape of a type that it broadcasts to. */
bool covers(const IrType *v, const IrType *full);
/* Whether two i64 scalars are the same size, and whether `size` is the extent of x's axis. */
bool same_size(const IrValue *x, const IrValue *y);
bool is_extent(const IrValue *size, const IrValue *x, int axis);
/* One step from an axis of a value to where its size comes from: another value's axis, or a value
 * that is the size; neither where that is not known. */
typedef struct {
  IrValue *of;
  int axis;
  IrValue *size;
} Origin;
Origin origin_of(const IrValue *v, int axis);
/* Whether a reshape of the reduction to that type puts back the axes that it removed. */
bool keeps_axes(const IrValue *reduction, const IrType *to);
/* Whether a reshape of x only adds and drops axes of size 1. source[k] is then the axis of x that
 * the result's axis k is, or -1 where that has size 1. */
bool is_unit_reshape(const IrValue *x, IrValue *const *sizes, const IrType *to, int *source);
bool node_is_unit_reshape(const IrNode *n, int *source);
/* x reshaped such that its axes are where a result of that rank has them: source[k] is the axis of
 * x at k, or -1 for size 1; axes of size 1 in front are left out. */
IrValue *realigned(IrBuilder *b, IrValue *x, int rank, const int *source);
/* Applies the op of p to other operands. */
IrValue *apply(const Application *p, IrValue *const *in, int count);

#endif
