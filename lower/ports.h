/* The inputs and outputs of the function being traced. */
#ifndef STAN2ONNX_LOWER_PORTS_H
#define STAN2ONNX_LOWER_PORTS_H

#include "lower/trace.h"

typedef struct {
  Arena *arena;
  LoweredPort *inputs, *outputs;
  size_t input_count, input_capacity, output_count, output_capacity;
  bool *batched; /* inputs: carry the leading axis */
  size_t batched_count, batched_capacity;
  IrValue **results;
  size_t result_count, result_capacity;
} Ports;

/* What the tensor of a Stan variable is called: where it bears the name of one of the entry point's
 * own tensors, it gives way. */
const char *tensor_name(const Tracer *t, const char *stan_name);
void add_input(Ports *p, LoweredPort port, bool batched);
void add_output(Ports *p, LoweredPort port, IrValue *value);
/* Binds the data variables: to the data given, checked against their declarations, or else to
 * inputs. */
void trace_data(Tracer *t, Ports *p, const Block *block);
/* Binds the parameters to inputs by their names, one a tensor. */
void trace_parameter_inputs(Tracer *t, Ports *p);
/* Every variable that the block declares at its top level becomes an output. Unsupported where one
 * has no value. */
void output_block(Tracer *t, Ports *p, BlockKind kind);
/* The same, without those that have none: a warning names each. Unsupported where none is left. */
void output_available(Tracer *t, Ports *p, BlockKind kind);

#endif
