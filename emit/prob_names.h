/* Names of the functions of the prob domain. Internal to emit/. */
#ifndef STAN2ONNX_EMIT_PROB_NAMES_H
#define STAN2ONNX_EMIT_PROB_NAMES_H

#include "base/arena.h"

#include <stdbool.h>

/* normal_lpdf -> NormalLogProb, normal_lccdf -> NormalLogSurvival, cholesky_decompose ->
 * CholeskyDecompose; with "Gradient" at the end for what differentiation made of it. In `a`. */
const char *prob_function_name(Arena *a, const char *scope_name, bool adjoint);

#endif
