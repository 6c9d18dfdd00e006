/* From a checked Stan program to an IR function: one entry point of the program, with data baked in
 * or as parameters, differentiated and batched over chains. */
#ifndef STAN2ONNX_LOWER_LOWER_H
#define STAN2ONNX_LOWER_LOWER_H

#include "data/data.h"
#include "frontend/frontend.h"
#include "ir/ir.h"

typedef enum {
  ENTRY_LOG_DENSITY,
  ENTRY_CONSTRAIN,
  ENTRY_UNCONSTRAIN,
  ENTRY_GENERATE,
  ENTRY_SAMPLE
} EntryPoint;

typedef enum { METRIC_UNIT, METRIC_DIAGONAL, METRIC_DENSE } Metric;
typedef enum { ENGINE_NUTS, ENGINE_STATIC, ENGINES } Engine;

typedef struct {
  EntryPoint entry;
  bool keep_constants; /* --no-propto: `~` keeps the terms that hold no parameter */
  bool no_jacobian, no_gradient;
  Metric metric;        /* ENTRY_SAMPLE: the kind of inverse metric that is adapted */
  Engine engine;        /* ENTRY_SAMPLE: what decides how long trajectories are */
  const DataSet *data;  /* NULL: data are parameters of the function */
  bool keep_algorithms; /* ENTRY_SAMPLE: the sampler is a function that is given the density */
  bool reproducible;    /* the same bits from every runtime */
  IrOptions ir;
  bool disable_expand; /* keep IR calls (for dumps) */
} LowerOptions;

/* An input or output of the lowered function, in order of its parameters or results. */
typedef struct {
  const char *name;      /* tensor name */
  const char *stan_name; /* the Stan variable, or NULL for the contract's own tensors */
  const char
      *dim_names[IR_MAX_RANK]; /* names of dynamic dimensions; NULL where static or unnamed */
} LoweredPort;

typedef struct {
  IrFunction *function; /* batched over the leading axis, calls expanded, simplified */
  int input_count, output_count;
  LoweredPort *inputs, *outputs;
  const char
      *model_json;   /* the `stan.model` metadata: variables, types, dims, constraints, offsets */
  bool shapes_known; /* data were given, so that model_json has sizes and offsets */
} Lowered;

/* Lowers one entry point of a program that check_program accepted. Leaves through diag_fatal (with
 * DIAG_UNSUPPORTED, DIAG_DATA, ...) when it cannot. Everything lives in `arena`. */
Lowered *lower_program(Arena *arena, const Program *program, const LowerOptions *options,
                       Sources *sources, Diagnostics *d);

#endif
