#include "runtime/initial.h"

#include "runtime/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double USUAL_RADIUS = 2;

const char *initial_read(Arena *a, const char *text, Initial *out) {
  char *end;
  size_t capacity = 0;
  *out = (Initial){.radius = USUAL_RADIUS};
  if (!text) return NULL;
  double x = strtod(text, &end);
  if (end != text && !*end) {
    out->radius = x;
    return x >= 0 && isfinite(x)
               ? NULL
               : arena_printf(a, "--init takes a radius of 0 or more, not %s", text);
  }
  for (const char *p = text; *p;) {
    size_t n = strcspn(p, ",");
    ARENA_PUSH(a, out->files, out->file_count, capacity, arena_strndup(a, p, n));
    p += n + (p[n] == ',');
  }
  return out->file_count ? NULL : "--init names no file";
}

/* ---- values by name ---- */

static const char *bind_values(Arena *a, const OrtModel *m, json_t *values, const char *file,
                               OrtTensor *in) {
  size_t count;
  const OrtPort *ports = ort_inputs(m, &count);
  for (size_t k = 0; k < count; k++) {
    const char *rest, *error;
    json_t *value = find_value(values, ports[k].name, &rest);
    if (!value) return arena_printf(a, "%s has no value for %s", file, ports[k].name);
    error = tensor_from_json(a, value, rest, &ports[k], ports[k].rank > 0, &in[k]);
    if (error) return arena_printf(a, "%s: %s", file, error);
  }
  return NULL;
}

/* The unconstrained point of values of the parameters. */
static const char *unconstrain(Arena *a, OrtModel *m, json_t *values, const char *file,
                               OrtTensor *point) {
  size_t count;
  ort_inputs(m, &count);
  OrtTensor *in = ARENA_ARRAY(a, OrtTensor, count + 1), result;
  OrtCall *call = NULL;
  const char *error = bind_values(a, m, values, file, in);
  if (!error) error = ort_bind(m, a, in, &call);
  if (!error) error = ort_call(call, a);
  if (!error) error = ort_result(call, a, 0, &result);
  if (!error && (result.rank != 2 || result.dims[0] != 1 || result.element != ORT_F64))
    error = arena_printf(a, "%s has more than one point", file);
  if (!error) {
    size_t n = (size_t)result.dims[1];
    *point = result;
    point->data = ARENA_ARRAY(a, double, n + 1);
    memcpy(point->data, result.data, n * sizeof(double));
  }
  if (call) ort_release(call);
  return error;
}

/* ---- files ---- */

static const char *read_points(Arena *a, Ort *ort, const Source *source, OrtModel **model,
                               const char *file, int64_t dimension, OrtTensor *out) {
  OrtPort port = {.name = "unconstrained",
                  .element = ORT_F64,
                  .rank = 2,
                  .dims = {-1, dimension},
                  .dim_names = {"chain", "D"}};
  json_t *values = NULL;
  const char *error = read_json_object(a, file, &values);
  if (error) return error;
  json_t *points = json_object_get(values, port.name);
  if (points) {
    error = tensor_from_json(a, points, "", &port, true, out);
  } else if (!source->is_program) {
    error =
        arena_printf(a,
                     "%s has no 'unconstrained' point; values by name need the program, a .stan "
                     "file, instead of a model",
                     file);
  } else {
    if (!*model)
      error =
          source_load(source, a, ort, STAN2ONNX_UNCONSTRAIN, STAN2ONNX_METRIC_DIAG, model, NULL);
    if (!error) error = unconstrain(a, *model, values, file, out);
  }
  json_decref(values);
  return error;
}

static const char *check_finite(Arena *a, const OrtTensor *t, const char *file) {
  for (int64_t i = 0; i < ort_count(t); i++)
    if (!isfinite(((const double *)t->data)[i]))
      return arena_printf(a, "the values in %s do not fit the parameters' constraints", file);
  return NULL;
}

/* The points of all files one after the other; a single one for all chains. */
static const char *assemble(Arena *a, Initial *initial, const OrtTensor *read, int64_t chains) {
  int64_t width = read[0].dims[1], rows = 0;
  double *x = ARENA_ARRAY(a, double, (size_t)(chains * width) + 1);
  for (size_t k = 0; k < initial->file_count; k++) {
    if (read[k].dims[1] != width) return "the files of --init have points of different sizes";
    for (int64_t i = 0; i < read[k].dims[0]; i++, rows++)
      if (rows < chains)
        memcpy(x + rows * width, (const double *)read[k].data + i * width,
               (size_t)width * sizeof *x);
  }
  if (rows != 1 && rows != chains)
    return arena_printf(a, "--init has %lld points for %lld chains: it takes one, or one for each",
                        (long long)rows, (long long)chains);
  for (; rows < chains; rows++) memcpy(x + rows * width, x, (size_t)width * sizeof *x);
  initial->points = (OrtTensor){.element = ORT_F64, .rank = 2, .dims = {chains, width}, .data = x};
  return NULL;
}

const char *initial_points(Arena *a, Initial *initial, Ort *ort, const Source *source,
                           int64_t dimension, int64_t chains) {
  if (!initial->file_count) return NULL;
  OrtTensor *read = ARENA_ARRAY(a, OrtTensor, initial->file_count);
  OrtModel *model = NULL;
  const char *error = NULL;
  for (size_t k = 0; k < initial->file_count && !error; k++) {
    error = read_points(a, ort, source, &model, initial->files[k], dimension, &read[k]);
    if (!error) error = check_finite(a, &read[k], initial->files[k]);
  }
  ort_unload(model);
  return error ? error : assemble(a, initial, read, chains);
}
