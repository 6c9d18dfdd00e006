/* Where models come from: .onnx files, or Stan programs that are compiled on the spot. */
#ifndef STAN2ONNX_RUNTIME_SOURCE_H
#define STAN2ONNX_RUNTIME_SOURCE_H

#include "base/text.h"
#include "runtime/ort.h"
#include "stan2onnx.h"

typedef struct {
  const char *path;
  const char *name; /* of the file, without folders and suffix */
  bool is_program;
  Text program, data; /* of a program */
  const char *data_path;
  const char **include_paths;
  size_t include_path_count;
  bool reproducible; /* whether models are to be */
} Source;

/* Reads what is needed of a program; a .onnx file is read when it is loaded. `include_paths` has
 * commas between folders, or is NULL. Returns NULL or, in `a`, what is wrong; so do the others. */
const char *source_open(Arena *a, const char *path, const char *data_path,
                        const char *include_paths, bool reproducible, Source *out);
/* Whether a program has parameters. */
const char *source_has_parameters(const Source *s, Arena *a, bool *out);
/* What is asked of a model; of those that sample, what they sample with. */
typedef struct {
  Stan2onnxEntry entry;
  Stan2onnxMetric metric;
  Stan2onnxEngine engine;
} SourceModel;

/* A model of the source. Warnings go to *warnings when it is not NULL. */
const char *source_load(const Source *s, Arena *a, Ort *ort, SourceModel wanted, OrtModel **out,
                        const char **warnings);

#endif
