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

/* What the files' points are made with. */
typedef struct {
  Arena *arena;
  Ort *ort;
  const Source *source;
  uint64_t seed;
  int64_t dimension, chains;
  OrtModel *unconstrain, *constrain; /* loaded when they are needed */
  OrtTensor random;                  /* points of all chains, for parameters that have no value */
} Maker;

static const char *load(Maker *m, Stan2onnxEntry entry, OrtModel **out) {
  return *out ? NULL
              : source_load(m->source, m->arena, m->ort, (SourceModel){.entry = entry}, out, NULL);
}

static const char *copy_result(Arena *a, const OrtCall *call, size_t k, OrtTensor *out) {
  const char *error = ort_result(call, a, k, out);
  if (error) return error;
  size_t bytes = (size_t)ort_count(out) * ort_element_size(out->element);
  void *copy = arena_alloc(a, bytes + 1);
  memcpy(copy, out->data, bytes);
  out->data = copy;
  return NULL;
}

/* All results of one evaluation. */
static const char *evaluate(Arena *a, OrtModel *m, const OrtTensor *in, OrtTensor **out) {
  size_t count;
  OrtCall *call = NULL;
  ort_outputs(m, &count);
  *out = ARENA_ARRAY(a, OrtTensor, count + 1);
  const char *error = ort_bind(m, a, in, &call);
  if (!error) error = ort_call(call, a);
  for (size_t k = 0; k < count && !error; k++) error = copy_result(a, call, k, &(*out)[k]);
  if (call) ort_release(call);
  return error;
}

/* The parameters of a chain's random point. */
static const char *random_values(Maker *m, int64_t chain, OrtTensor **out) {
  const char *error = load(m, STAN2ONNX_CONSTRAIN, &m->constrain);
  if (error) return error;
  size_t count;
  int64_t n = ort_inputs(m->constrain, &count)->dims[1];
  if (n < 0) return "the number of unconstrained parameters is not known";
  if (!m->random.data) random_points(m->arena, m->seed, m->chains, n, &m->random);
  OrtTensor point = m->random;
  point.dims[0] = 1;
  point.data = (double *)m->random.data + chain * n;
  return evaluate(m->arena, m->constrain, &point, out);
}

static const OrtTensor *value_of(const OrtModel *m, const OrtTensor *results, const char *name) {
  size_t count;
  const OrtPort *ports = ort_outputs(m, &count);
  for (size_t k = 0; k < count; k++)
    if (strcmp(ports[k].name, name) == 0) return &results[k];
  return NULL;
}

/* Parameters from a file, and, as in CmdStan, at random those that it lacks. */
static const char *bind_values(Maker *m, json_t *values, int64_t chain, OrtTensor *in,
                               bool *complete) {
  size_t count;
  const OrtPort *ports = ort_inputs(m->unconstrain, &count);
  OrtTensor *random = NULL;
  const char *rest, *error = NULL;
  *complete = true;
  for (size_t k = 0; k < count && !error; k++) {
    json_t *value = find_value(values, ports[k].name, &rest);
    if (value) {
      error = tensor_from_json(m->arena, value, rest, &ports[k], ports[k].rank > 0, &in[k]);
      continue;
    }
    *complete = false;
    if (!random) error = random_values(m, chain, &random);
    const OrtTensor *drawn = error ? NULL : value_of(m->constrain, random, ports[k].name);
    if (drawn)
      in[k] = *drawn;
    else if (!error)
      error = arena_printf(m->arena, "there is no value for %s", ports[k].name);
  }
  return error;
}

/* The unconstrained point of values of the parameters. */
static const char *unconstrain(Maker *m, json_t *values, int64_t chain, OrtTensor *point,
                               bool *complete) {
  size_t count;
  const char *error = load(m, STAN2ONNX_UNCONSTRAIN, &m->unconstrain);
  if (error) return error;
  ort_inputs(m->unconstrain, &count);
  OrtTensor *in = ARENA_ARRAY(m->arena, OrtTensor, count + 1), *results;
  error = bind_values(m, values, chain, in, complete);
  if (!error) error = evaluate(m->arena, m->unconstrain, in, &results);
  if (error) return error;
  *point = results[0];
  return point->rank == 2 && point->dims[0] == 1 && point->element == ORT_F64
             ? NULL
             : "there is more than one point";
}

/* One point for all chains, or, where some of it is random, one for each from `first` on. */
static const char *named_points(Maker *m, json_t *values, int64_t first, int64_t count,
                                OrtTensor *out) {
  bool complete;
  const char *error = unconstrain(m, values, first, out, &complete);
  if (error || complete || count == 1) return error;
  int64_t width = out->dims[1];
  double *x = ARENA_ARRAY(m->arena, double, (size_t)(count * width) + 1);
  for (int64_t k = 0; k < count && !error; k++) {
    OrtTensor point;
    error = unconstrain(m, values, first + k, &point, &complete);
    if (!error) memcpy(x + k * width, point.data, (size_t)width * sizeof *x);
  }
  out->dims[0] = count;
  out->data = x;
  return error;
}

/* ---- files ---- */

static const char *read_points(Maker *m, const char *file, int64_t first, int64_t count,
                               OrtTensor *out) {
  OrtPort port = {.name = "unconstrained",
                  .element = ORT_F64,
                  .rank = 2,
                  .dims = {-1, m->dimension},
                  .dim_names = {"chain", "D"}};
  json_t *values = NULL;
  const char *error = read_json_object(m->arena, file, &values);
  if (error) return error;
  json_t *points = json_object_get(values, port.name);
  if (points)
    error = tensor_from_json(m->arena, points, "", &port, true, out);
  else if (m->source->is_program)
    error = named_points(m, values, first, count, out);
  else
    error = "there is no 'unconstrained' point; values by name need the program, a .stan file, "
            "instead of a model";
  json_decref(values);
  return error ? arena_printf(m->arena, "%s: %s", file, error) : NULL;
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
                           uint64_t seed, int64_t dimension, int64_t chains) {
  if (!initial->file_count) return NULL;
  OrtTensor *read = ARENA_ARRAY(a, OrtTensor, initial->file_count);
  Maker m = {.arena = a,
             .ort = ort,
             .source = source,
             .seed = seed,
             .dimension = dimension,
             .chains = chains};
  bool one = initial->file_count == 1;
  const char *error = NULL;
  for (size_t k = 0; k < initial->file_count && !error; k++) {
    if ((int64_t)k >= chains) return "--init has more files than there are chains";
    error = read_points(&m, initial->files[k], (int64_t)k, one ? chains : 1, &read[k]);
    if (!error) error = check_finite(a, &read[k], initial->files[k]);
  }
  ort_unload(m.unconstrain);
  ort_unload(m.constrain);
  return error ? error : assemble(a, initial, read, chains);
}
