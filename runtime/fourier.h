/* Discrete Fourier transforms of complex sequences whose length is a power of two. */
#ifndef STAN2ONNX_RUNTIME_FOURIER_H
#define STAN2ONNX_RUNTIME_FOURIER_H

#include "base/arena.h"

typedef struct {
  size_t length;
  double *cosines, *sines; /* of 2 pi k / length, for k below length / 2 */
} Fourier;

/* Tables for sequences of at least `length` numbers: out->length is the power of two. In `a`. */
void fourier_init(Fourier *out, Arena *a, size_t length);
/* Transforms in place; the result is in bit-reversed order. */
void fourier_forward(const Fourier *f, double *re, double *im);
/* From that order back to the sequence, times its length. */
void fourier_backward(const Fourier *f, double *re, double *im);

#endif
