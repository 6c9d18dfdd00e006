/* Variables as columns of a table of draws, named and ordered as in CmdStan's CSV files: theta.1,
 * column-major over all axes; members of tuples as t:1, of an array of tuples element by element.
 */
#ifndef STAN2ONNX_RUNTIME_COLUMNS_H
#define STAN2ONNX_RUNTIME_COLUMNS_H

#include "runtime/ort.h"

#include <jansson.h>

typedef struct {
  const char *name;
  size_t tensor;  /* which one holds its values */
  int64_t offset; /* where, in what a draw has of the tensor */
  bool integer;
} Column;

typedef struct {
  Column *items;
  size_t count, capacity;
} Columns;

/* Tensors by name; their first `lead` axes are those of draws. */
typedef struct {
  const OrtPort *ports;
  const OrtTensor *tensors;
  size_t count;
  int lead;
} NamedTensors;

/* The model's description of its variables (metadata `stan.model`), or NULL; json_decref. */
json_t *model_description(const OrtModel *m);
/* Adds the columns of the variables that the member `block` of a description lists, in order. With
 * `partial`, variables may be missing from the tensors. Returns NULL or, in `a`, what is wrong. */
const char *add_columns(Arena *a, Columns *out, const json_t *description, const char *block,
                        bool partial, const NamedTensors *in);
/* How many numbers a draw has of a tensor. */
int64_t draw_size(const OrtTensor *t, int lead);

/* What a row of a table of draws holds. */
typedef struct {
  const char **names;
  bool *integers;
  size_t count; /* of columns */
} RowLayout;

/* A layout with columns added at its end. */
RowLayout layout_with(Arena *a, RowLayout layout, const Columns *more);

/* A column's name taken apart: "t.2:1.3" is element [2, 3] of tensor "t:1". */
typedef struct {
  const char *tensor;
  int rank;
  int64_t index[ORT_MAX_RANK]; /* from 1 */
} Element;

/* False where a name has no such form. */
bool parse_column(Arena *a, const char *name, Element *out);
/* A column's name as people read it: "theta[1,2]", "t[2].1[3]". */
const char *column_label(Arena *a, const char *name);

#endif
