/* Where chains start: --init. */
#ifndef STAN2ONNX_RUNTIME_INITIAL_H
#define STAN2ONNX_RUNTIME_INITIAL_H

#include "runtime/source.h"

typedef struct {
  double radius; /* of random points */
  const char **files;
  size_t file_count;
  OrtTensor points; /* [chain, D] from the files; without data where there are none */
} Initial;

/* Takes the option's text apart: a radius, or files; NULL: a radius of 2. Returns NULL or, in `a`,
 * what is wrong. */
const char *initial_read(Arena *a, const char *text, Initial *out);
/* Reads the files: one for all chains, or one for each. They have values of parameters by name,
 * which takes the program (those that are left out are random), or points as "unconstrained"; of
 * `dimension` numbers, -1: not known. */
const char *initial_points(Arena *a, Initial *initial, Ort *ort, const Source *source,
                           uint64_t seed, int64_t dimension, int64_t chains);

#endif
