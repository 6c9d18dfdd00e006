/* Draws made together. A call of the generator takes 130 nodes whether it draws one number or a
 * thousand; so those draws of a function that are few and whose counters are known while it is
 * traced are made in one call, at its start. While it is traced, parameters stand for their
 * numbers. */
#ifndef STAN2ONNX_LOWER_DRAWS_H
#define STAN2ONNX_LOWER_DRAWS_H

#include "lower/ports.h"
#include "lower/trace.h"

/* From here on the draws of t's generator, whose state is parameter `state` of the function that
 * t->b builds, are collected. */
void collect_draws(Tracer *t, Ports *p, IrValue *state);
/* The uniform numbers of keys t->key + offset and these counters, if they can be collected. */
bool collect_draw(Tracer *t, Tr offset, Tr counter, Tr *result);
/* f with the numbers drawn in the place of the parameters that stand for them. */
IrFunction *make_draws(Tracer *t, IrFunction *f, Ports *p);

#endif
