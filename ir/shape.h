/* The shape rules that ops.def names. */
#ifndef STAN2ONNX_IR_SHAPE_H
#define STAN2ONNX_IR_SHAPE_H

#include "ir/builder.h"

/* Rules of ops that map elements to elements with broadcasting, and the others. */
enum {
  ELEMENTWISE_arithmetic = true,
  ELEMENTWISE_real = true,
  ELEMENTWISE_logical = true,
  ELEMENTWISE_predicate = true,
  ELEMENTWISE_comparison = true,
  ELEMENTWISE_select = true,
  ELEMENTWISE_cast = true,
  ELEMENTWISE_bits = true,
  ELEMENTWISE_bits_to_real = true,
  ELEMENTWISE_constant = false,
  ELEMENTWISE_broadcast = false,
  ELEMENTWISE_reshape = false,
  ELEMENTWISE_transpose = false,
  ELEMENTWISE_reduce = false,
  ELEMENTWISE_matmul = false,
  ELEMENTWISE_slice = false,
  ELEMENTWISE_same = false,
  ELEMENTWISE_gather = false,
  ELEMENTWISE_scatter = false,
  ELEMENTWISE_concat = false,
  ELEMENTWISE_argsort = false,
  ELEMENTWISE_iota = false,
  ELEMENTWISE_nonzero = false,
  ELEMENTWISE_shape = false,
  ELEMENTWISE_region = false
};

#define SHAPE_RULE(name)                                                                           \
  const char *shape_##name(Arena *a, const IrAttr *attr, IrValue *const *in, int count, IrType *out)

SHAPE_RULE(constant);
SHAPE_RULE(arithmetic); /* f64 or i64, all operands alike, as the result */
SHAPE_RULE(real);       /* f64 */
SHAPE_RULE(logical);    /* bool */
SHAPE_RULE(predicate);  /* f64 to bool */
SHAPE_RULE(comparison); /* operands alike, to bool */
SHAPE_RULE(select);
SHAPE_RULE(cast);
SHAPE_RULE(bits);         /* i64 */
SHAPE_RULE(bits_to_real); /* i64 to f64 */
SHAPE_RULE(broadcast);
SHAPE_RULE(reshape);
SHAPE_RULE(transpose);
SHAPE_RULE(reduce);
SHAPE_RULE(matmul);
SHAPE_RULE(slice);
SHAPE_RULE(same); /* the type of the operand, which has the axis */
SHAPE_RULE(gather);
SHAPE_RULE(scatter);
SHAPE_RULE(concat);
SHAPE_RULE(argsort);
SHAPE_RULE(iota);
SHAPE_RULE(nonzero);
SHAPE_RULE(shape);
SHAPE_RULE(region);

#endif
