/* The `stan.model` metadata. */
#ifndef STAN2ONNX_LOWER_DESCRIBE_H
#define STAN2ONNX_LOWER_DESCRIBE_H

#include "lower/trace.h"

/* A JSON object that lists data, parameters, transformed parameters and generated quantities: Stan
 * name, tensor name, type, dims (numbers where known, else the sizes as written), constraint, and
 * for parameters their place in the unconstrained vector where known. Called while the traced
 * program's variables are bound. */
const char *describe_model(Tracer *t, const Program *program);

#endif
