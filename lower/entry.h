/* The functions that entry points are made of: of one chain, not yet batched. */
#ifndef STAN2ONNX_LOWER_ENTRY_H
#define STAN2ONNX_LOWER_ENTRY_H

#include "lower/ports.h"

/* A function of a program, with its inputs (of which the data come from outside) and outputs. */
typedef struct {
  IrFunction *ir;
  Ports ports;
} EntryFunction;

/* A tracer with what functions of one module share, and nothing traced yet. */
Tracer *tracer_new(Arena *arena, const Program *program, const LowerOptions *options,
                   Diagnostics *d);
/* One for another function of the same module. */
Tracer *tracer_another(const Tracer *t);
/* Binds data and transformed data; then, how long the unconstrained vector is (i64). */
void trace_given(Tracer *t, Ports *p);
Tr total_free_size(Tracer *t);
/* unconstrained, data... -> log_density, gradient, for samplers: what is not finite tells them that
 * a point is lost; the log density is -inf or NaN where Stan would throw */
EntryFunction sampled_density_function(Tracer *t);
/* unconstrained, data... -> parameters and transformed parameters */
EntryFunction constrain_function(Tracer *t);

/* --emit sample (sampler.c) */
Lowered *lower_sampler(Arena *arena, const Program *program, const LowerOptions *options,
                       Diagnostics *d);

#endif
