/* Data files: CmdStan's JSON format, read into tensors as a program's declarations ask for them. */
#ifndef STAN2ONNX_DATA_DATA_H
#define STAN2ONNX_DATA_DATA_H

#include "base/diagnostics.h"
#include "ir/ir.h"

typedef struct DataSet DataSet;

/* Parses a JSON object of variables. `name` is what messages call the file. NaN and infinities may
 * be bare words or strings
 * ("NaN", "Inf", "-Infinity", ...). NULL when the text is no such object (reported to d as
 * DIAG_DATA). Must be freed with data_free; tensors made from it live on in their arena. */
DataSet *data_parse(Arena *arena, const char *text, size_t length, const char *name,
                    Diagnostics *d);
void data_free(DataSet *data);
bool data_has(const DataSet *data, const char *variable);

/* Where the values of a tensor are: a variable and, inside tuples, the members (from 1) that lead
 * to it. */
typedef struct {
  const char *variable;
  int member_count;
  const int *members;
} DataPath;

/* The values at `path` as a tensor of exactly `type` (f64 or i64; no dynamic dimension), row-major;
 * arrays of tuples give one tensor a member. NULL with a DIAG_DATA that names the variable, the
 * index and what was found, when they do not fit. */
const IrTensor *data_tensor(Arena *arena, const DataSet *data, DataPath path, IrType type,
                            Diagnostics *d);

#endif
