/* ONNX Runtime through its C ABI, loaded when the program runs: nothing of it is needed to build.
 */
#ifndef STAN2ONNX_RUNTIME_ORT_H
#define STAN2ONNX_RUNTIME_ORT_H

#include "base/arena.h"

#include <stdbool.h>

enum { ORT_MAX_RANK = 16 };

typedef enum { ORT_F64, ORT_I64, ORT_BOOL, ORT_OTHER } OrtElement;

/* A tensor, row-major. */
typedef struct {
  OrtElement element;
  int rank;
  int64_t dims[ORT_MAX_RANK];
  void *data; /* double, int64_t, or one byte per bool */
} OrtTensor;

/* An input or output of a model. */
typedef struct {
  const char *name;
  OrtElement element;
  int rank;
  int64_t dims[ORT_MAX_RANK];          /* -1 where the size is open */
  const char *dim_names[ORT_MAX_RANK]; /* "" where an axis has no name */
} OrtPort;

typedef struct {
  const char *key, *value;
} OrtProperty;

typedef struct Ort Ort;
typedef struct OrtModel OrtModel;
typedef struct OrtCall OrtCall;

/* The library's file: `asked` (a file or a directory, as of --ort) alone if given, else
 * $STAN2ONNX_ORT alone if set, else the first there is of: the place known when this program was
 * built, a virtual environment or node_modules beside this program or in the folders above it,
 * those of the user and the system. NULL when there is none; then *tried, when not NULL, says where
 * it was looked for. */
const char *ort_find(Arena *a, const char *asked, const char **tried);

/* Loads the library at `path` (or, for NULL, the system's). Returns NULL, or what went wrong, in
 * `a`; so do the others. */
const char *ort_open(Arena *a, const char *path, Ort **out);
void ort_close(Ort *ort);
/* The library's version, as "1.32.0". */
const char *ort_version(const Ort *ort);

/* Loads a model; `threads` per operator (0: as many as there are cores). Unloaded with ort_unload
 * before ort_close. */
const char *ort_load_file(Ort *ort, Arena *a, const char *path, int threads, OrtModel **out);
const char *ort_load_bytes(Ort *ort, Arena *a, const void *bytes, size_t size, int threads,
                           OrtModel **out);
/* The same for models of our own compiler, of which many threads may make small calls at once: with
 * one thread per operator, and as they are. From a file, or, where `path` is NULL, from memory. */
const char *ort_load_compiled(Ort *ort, Arena *a, const char *path, const void *bytes, size_t size,
                              OrtModel **out);
void ort_unload(OrtModel *m);
/* Ends the calls of a model that are under way, which then fail, as do those to come. From any
 * thread. */
void ort_stop(OrtModel *m);
const OrtPort *ort_inputs(const OrtModel *m, size_t *count);
const OrtPort *ort_outputs(const OrtModel *m, size_t *count);
const OrtProperty *ort_properties(const OrtModel *m, size_t *count);

/* Number of elements of a tensor. */
int64_t ort_count(const OrtTensor *t);
size_t ort_element_size(OrtElement e);

/* Binds tensors, in the order of the inputs, to a model: their data are read by every ort_call
 * until ort_release. */
const char *ort_bind(OrtModel *m, Arena *a, const OrtTensor *inputs, OrtCall **out);
/* Evaluates; ort_result(k) is then output k, whose data stand until the next call or the release.
 */
const char *ort_call(OrtCall *c, Arena *a);
const char *ort_result(const OrtCall *c, Arena *a, size_t k, OrtTensor *out);
void ort_release(OrtCall *c);

#endif
