/* What the ending of a function's name says of it. */
#ifndef STAN2ONNX_FRONTEND_SUFFIX_H
#define STAN2ONNX_FRONTEND_SUFFIX_H

#include "base/arena.h"

#include <stdbool.h>

typedef enum {
  SUFFIX_NONE,
  SUFFIX_RNG,      /* foo_rng: draws random numbers */
  SUFFIX_LP,       /* foo_lp: may change the target */
  SUFFIX_JACOBIAN, /* foo_jacobian: may add Jacobian terms */
  SUFFIX_LPDF,     /* foo_lpdf, foo_lupdf: a log density */
  SUFFIX_LPMF      /* foo_lpmf, foo_lupmf: a log mass */
} Suffix;

bool name_ends(const char *name, const char *suffix);
Suffix name_suffix(const char *name);
/* foo_lupdf, foo_lupmf */
bool name_is_unnormalised(const char *name);
/* Whether a call separates the first argument by a bar: foo_lpdf, foo_lpmf, foo_lupdf, foo_lupmf,
 * foo_cdf, foo_lcdf, foo_lccdf. */
bool name_is_conditioned(const char *name);
/* foo_lupdf -> foo_lpdf, foo_lupmf -> foo_lpmf; other names as they are. */
const char *name_normalised(Arena *a, const char *name);

#endif
