#include "runtime/fourier.h"

#include <math.h>

void fourier_init(Fourier *out, Arena *a, size_t length) {
  size_t n = 1;
  while (n < length) n *= 2;
  *out = (Fourier){.length = n};
  out->cosines = ARENA_ARRAY(a, double, n / 2 + 1);
  out->sines = ARENA_ARRAY(a, double, n / 2 + 1);
  for (size_t k = 0; k < n / 2; k++) {
    double angle = 2 * acos(-1) * (double)k / (double)n;
    out->cosines[k] = cos(angle);
    out->sines[k] = sin(angle);
  }
}

/* Radix two, decimation in frequency: halves become sums and turned differences. */
void fourier_forward(const Fourier *f, double *re, double *im) {
  size_t n = f->length;
  for (size_t half = n / 2, turn = 1; half; half /= 2, turn *= 2)
    for (size_t block = 0; block < n; block += 2 * half)
      for (size_t k = 0; k < half; k++) {
        size_t i = block + k, j = i + half;
        double c = f->cosines[k * turn], s = f->sines[k * turn];
        double x = re[i] - re[j], y = im[i] - im[j];
        re[i] += re[j];
        im[i] += im[j];
        re[j] = x * c + y * s;
        im[j] = y * c - x * s;
      }
}

/* The same steps undone, last one first. */
void fourier_backward(const Fourier *f, double *re, double *im) {
  size_t n = f->length;
  for (size_t half = 1, turn = n / 2; half < n; half *= 2, turn /= 2)
    for (size_t block = 0; block < n; block += 2 * half)
      for (size_t k = 0; k < half; k++) {
        size_t i = block + k, j = i + half;
        double c = f->cosines[k * turn], s = f->sines[k * turn];
        double x = re[j] * c - im[j] * s, y = re[j] * s + im[j] * c;
        re[j] = re[i] - x;
        im[j] = im[i] - y;
        re[i] += x;
        im[i] += y;
      }
}
