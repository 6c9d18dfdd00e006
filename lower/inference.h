/* What the algorithms of inference, which the library has in Stan, are given by the compiler. */
#ifndef STAN2ONNX_LOWER_INFERENCE_H
#define STAN2ONNX_LOWER_INFERENCE_H

#include "lower/trace.h"

/* The density that log_density_gradient stands for: a function of a point and of `rest`. */
typedef struct Target Target;
struct Target {
  IrFunction *density;
  int rest_count;
  IrValue **rest;
};

/* Calls t->target. */
SVal trace_target_call(Tracer *t, SVal point, const StanType *type);
/* n numbers from (0, 1), of the generator's key and of a number that tells them from all others. */
Tr draw_numbered(Tracer *t, Tr number, Tr n);

#endif
