/* What the coordinates of the unconstrained vector are called. */
#ifndef STAN2ONNX_RUNTIME_LABELS_H
#define STAN2ONNX_RUNTIME_LABELS_H

#include "runtime/ort.h"

/* Names of `count` coordinates, as "mu", "theta[3]" (counted within the parameter, in unconstrained
 * order), from the model's metadata; NULL where they do not tell. In `a`. */
const char *const *coordinate_labels(Arena *a, const OrtModel *m, int64_t count);

#endif
