/* Models made with --emit generate: generated quantities of draws. */
#ifndef STAN2ONNX_RUNTIME_QUANTITIES_H
#define STAN2ONNX_RUNTIME_QUANTITIES_H

#include "runtime/columns.h"
#include "runtime/threefry.h"

typedef struct {
  OrtModel *model;
  OrtTensor *inputs;     /* data; of parameters the shape, with no draw */
  size_t **sources;      /* for an input that is a parameter, the column of each of its elements */
  int state, draw_count; /* which inputs they are, or -1 */
  Columns columns;       /* what is generated */
} Quantities;

/* A model for draws that have columns of these names. Data inputs get their values from `data`
 * (NULL: none). Returns NULL or, in `a`, what is wrong. */
const char *quantities_open(Arena *a, OrtModel *m, json_t *data, const char *const *names,
                            size_t count, Quantities *out);
/* The quantities of `count` draws. Draw i is the numbers from rows + i * stride; what is generated
 * goes to the numbers from out + i * stride. Several threads may do so at once, each with an arena
 * of its own. */
const char *quantities_run(const Quantities *q, Arena *a, const double *rows, double *out,
                           size_t stride, int64_t count, RandomState state);

#endif
