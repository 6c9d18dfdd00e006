/* IR functions as ONNX models: opset 21, IR version 10, standard operators only. */
#ifndef STAN2ONNX_EMIT_EMIT_H
#define STAN2ONNX_EMIT_EMIT_H

#include "ir/ir.h"

/* An input or output of the model: the function's parameter or result of the same position. */
typedef struct {
  const char *name;
  /* Name of each axis whose size is dynamic, as "chain"; NULL entries make an axis anonymous. */
  const char *dim_names[IR_MAX_RANK];
  const char *doc; /* may be NULL */
} EmitPort;

typedef struct {
  const char *key, *value;
} EmitProperty;

typedef struct {
  const char *graph_name;
  const char *producer_version;
  const char *doc;                  /* may be NULL */
  const EmitPort *inputs, *outputs; /* one per parameter and result of the function */
  int input_count, output_count;
  const EmitProperty *properties; /* metadata, in the order written */
  int property_count;
  /* Calls of library functions (IrScope) become functions of the domain ai.onnx.prob, with bodies
   * of standard operators. */
  bool prob_dialect;
  /* File name, relative to the model, of the data of large constants where the model would pass 2
   * GiB; NULL makes such a model an error. */
  const char *external_name;
  /* Tensor data of at least this many bytes in all goes to the external file; 0 means just under 2
   * GiB. */
  size_t external_threshold;
} EmitOptions;

typedef struct {
  int nodes; /* bodies of control flow and functions included */
  int initializers;
  size_t initializer_bytes;
  int functions;
} EmitStatistics;

typedef struct {
  unsigned char *bytes; /* the serialized ModelProto */
  size_t size;
  /* Contents of the external file: pieces to be written one after the other; none when piece_count
   * is 0. */
  struct {
    const void *bytes;
    size_t size;
  } * pieces;
  size_t piece_count;
  EmitStatistics statistics;
} EmittedModel;

/* Emits f, whose CALLs must be of functions with a role (see ir_expand_calls), as a model;
 * everything in *model is in `arena` or borrowed from f's constants. Equal inputs give equal bytes.
 * Returns NULL, or what prevents emission, in `arena`. */
const char *emit_model(Arena *arena, const IrFunction *f, const EmitOptions *options,
                       EmittedModel *model);

#endif
