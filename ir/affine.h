/* Indices that move with a loop's iterations. */
#ifndef STAN2ONNX_IR_AFFINE_H
#define STAN2ONNX_IR_AFFINE_H

#include "ir/ir.h"

/* Indices slope * i + offset[k] in iteration i; offset NULL: they are not of this kind. With a
 * width, which is not known, they are those of a row of a matrix that lies there row by row, that
 * is, (slope * i + offset[0]) * width + 0, 1, ..., length - 1; or only the first of these where
 * length is NULL. */
typedef struct {
  int64_t slope;
  int64_t *offset;
  int64_t count;
  const IrValue *width, *length; /* of the body */
} Affine;

/* For the values of a loop's body, by id. */
Affine *affine_values(Arena *a, const IrNode *loop);
/* Whether indices are start, start + 1, ... */
bool affine_consecutive(const Affine *index);
/* Whether v, outside of the loop, is 0, 1, 2, ..., each with *offset added. */
bool affine_numbers(const IrValue *v, int64_t *offset);

#endif
