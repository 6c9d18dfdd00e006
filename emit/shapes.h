/* Shapes and dimensions as ONNX values. Internal to emit/. */
#ifndef STAN2ONNX_EMIT_SHAPES_H
#define STAN2ONNX_EMIT_SHAPES_H

#include "emit/writer.h"

/* An i64 scalar of the IR as an i64[1]. */
const char *dim_vector(Frame *f, const IrValue *dim);
/* i64 scalars of the IR as one i64[count]. */
const char *shape_vector(Frame *f, IrValue *const *dims, int count);
/* Sizes [first, last) of a tensor as an i64 vector. */
const char *shape_of(Graph *g, const char *x, int first, int last);
/* Whether dim is a known number; *value is then that. */
bool known_dim(const IrValue *dim, int64_t *value);
/* Whether dim is the size of axis `axis` of x. */
bool is_size_of(const IrValue *dim, const IrValue *x, int axis);
/* The number of elements of the axes [first, last) of a type; -1 when unknown. */
int64_t static_extent(const IrType *t, int first, int last);

/* x with axes of size 1 inserted before the places given, which count in the result. */
const char *unsqueeze(Graph *g, const char *x, const int64_t *axes, size_t count);
const char *squeeze_axis(Graph *g, const char *x, int64_t axis);
/* Reshape to a shape, whose entries mean what ONNX's Reshape takes them to mean without allowzero.
 */
const char *reshape_to(Graph *g, const char *x, const int64_t *shape, size_t count);
const char *transpose_by(Graph *g, const char *x, const int64_t *permutation, size_t rank);

#endif
