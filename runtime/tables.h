/* What stan2onnx-run prints. */
#ifndef STAN2ONNX_RUNTIME_TABLES_H
#define STAN2ONNX_RUNTIME_TABLES_H

#include "base/text.h"
#include "runtime/ort.h"

/* Inputs, outputs and metadata, for people or as JSON. */
void print_info(Text *out, const OrtModel *m);
void print_info_json(Text *out, const OrtModel *m);
/* A tensor for people: one line per element, one column per entry of the first axis (chain or
 * draw), or a summary where those are many. Elements are called by `labels`, one for each, or where
 * it is NULL by name and indices. */
void print_tensor(Text *out, const char *name, const OrtTensor *t, const char *first_axis,
                  const char *const *labels);
/* A tensor as nested JSON arrays; numbers that JSON lacks are "NaN", "Infinity" and "-Infinity". */
void print_tensor_json(Text *out, const OrtTensor *t);
/* Time per evaluation, in seconds, of `chains` chains. */
void print_time(Text *out, double seconds, int64_t chains);

#endif
