#include "runtime/quantities.h"

#include "runtime/values.h"

#include <math.h>
#include <string.h>

enum { ABSENT = -1 };

static bool is_parameter(const OrtPort *p) {
  return p->rank > 0 && strcmp(p->dim_names[0], "draw") == 0;
}

/* A tensor that gave way to one of the contract's has a suffix. */
static bool names_tensor(const OrtPort *p, const char *tensor) {
  size_t n = strlen(tensor);
  return strncmp(p->name, tensor, n) == 0 && (!p->name[n] || strcmp(p->name + n, ".stan") == 0);
}

/* The shape of a parameter from the names of its elements. */
static const char *shape_of(Arena *a, const OrtPort *p, const Element *elements, size_t count,
                            OrtTensor *t) {
  bool found = false;
  *t = (OrtTensor){.element = ORT_F64, .rank = p->rank};
  for (size_t c = 0; c < count; c++) {
    const Element *e = &elements[c];
    if (!e->tensor || !names_tensor(p, e->tensor)) continue;
    if (e->rank != p->rank - 1)
      return arena_printf(a, "the draws have %s with %d indices, the model with %d", p->name,
                          e->rank, p->rank - 1);
    found = true;
    for (int k = 0; k < e->rank; k++)
      if (e->index[k] > t->dims[k + 1]) t->dims[k + 1] = e->index[k];
  }
  for (int k = 1; k < p->rank; k++) {
    if (!found && p->dims[k] > 0) t->dims[k] = p->dims[k];
    if (p->dims[k] >= 0 && p->dims[k] != t->dims[k])
      return arena_printf(a, "the draws' %s does not have the size that the model's has", p->name);
  }
  if (!found && draw_size(t, 1) > 0)
    return arena_printf(a, "the draws lack the parameter %s", p->name);
  return NULL;
}

/* Which column has which element, in the tensor's order. */
static const char *sources_of(Arena *a, const OrtPort *p, const Element *elements, size_t count,
                              const OrtTensor *t, size_t **out) {
  int64_t size = draw_size(t, 1), found = 0;
  if (size < 0 || (uint64_t)size > count)
    return arena_printf(a, "the draws lack elements of the parameter %s", p->name);
  *out = ARENA_ARRAY(a, size_t, (size_t)size + 1);
  for (size_t c = 0; c < count; c++) {
    const Element *e = &elements[c];
    if (!e->tensor || !names_tensor(p, e->tensor)) continue;
    int64_t offset = 0;
    for (int k = 0; k < e->rank; k++) offset = offset * t->dims[k + 1] + e->index[k] - 1;
    (*out)[offset] = c;
    found++;
  }
  return found == size ? NULL
                       : arena_printf(a, "the draws lack elements of the parameter %s", p->name);
}

/* The product of sizes may be too large for what a hostile file names; each is below 2^31. */
static bool is_plausible(const OrtTensor *t, size_t count) {
  int64_t n = 1;
  for (int k = 1; k < t->rank; k++) {
    n *= t->dims[k];
    if (n > (int64_t)count) return false;
  }
  return true;
}

static const char *bind_parameter(Arena *a, Quantities *q, size_t k, const OrtPort *p,
                                  const Element *elements, size_t count) {
  const char *error = shape_of(a, p, elements, count, &q->inputs[k]);
  if (error) return error;
  if (!is_plausible(&q->inputs[k], count))
    return arena_printf(a, "the draws lack elements of the parameter %s", p->name);
  return sources_of(a, p, elements, count, &q->inputs[k], &q->sources[k]);
}

static const char *bind_inputs(Arena *a, Quantities *q, json_t *data, const char *const *names,
                               size_t count) {
  size_t inputs;
  const OrtPort *in = ort_inputs(q->model, &inputs);
  Element *elements = ARENA_ARRAY(a, Element, count + 1);
  for (size_t c = 0; c < count; c++)
    if (!parse_column(a, names[c], &elements[c])) elements[c].tensor = NULL;
  q->inputs = ARENA_ARRAY(a, OrtTensor, inputs);
  q->sources = ARENA_ARRAY(a, size_t *, inputs);
  const char *error = NULL;
  for (size_t k = 0; k < inputs && !error; k++) {
    if (strcmp(in[k].name, "prng_state") == 0)
      q->state = (int)k;
    else if (strcmp(in[k].name, "draw_count") == 0)
      q->draw_count = (int)k;
    else if (is_parameter(&in[k]))
      error = bind_parameter(a, q, k, &in[k], elements, count);
    else
      error = data_tensor_for(a, data, &in[k], &q->inputs[k]);
  }
  return error;
}

/* ---- calls ---- */

/* The elements of a parameter, draw after draw. */
static double *gather(Arena *a, const size_t *sources, int64_t size, const double *rows,
                      size_t stride, int64_t count) {
  double *x = ARENA_ARRAY(a, double, (size_t)(count * size)), *p = x;
  for (int64_t i = 0; i < count; i++)
    for (int64_t e = 0; e < size; e++) *p++ = rows[(size_t)i * stride + sources[e]];
  return x;
}

static const char *call_model(const Quantities *q, Arena *a, const double *rows, size_t stride,
                              int64_t count, RandomState state, OrtCall **call) {
  size_t inputs;
  ort_inputs(q->model, &inputs);
  OrtTensor *in = ARENA_ARRAY(a, OrtTensor, inputs);
  RandomState *key = ARENA_NEW(a, RandomState);
  int64_t *number = ARENA_NEW(a, int64_t);
  *key = state;
  *number = count;
  for (size_t k = 0; k < inputs; k++) {
    in[k] = q->inputs[k];
    if (!q->sources[k]) continue;
    in[k].dims[0] = count;
    in[k].data = gather(a, q->sources[k], draw_size(&in[k], 1), rows, stride, count);
  }
  if (q->state != ABSENT)
    in[q->state] = (OrtTensor){.element = ORT_I64, .rank = 1, .dims = {2}, .data = key->words};
  if (q->draw_count != ABSENT) in[q->draw_count] = (OrtTensor){.element = ORT_I64, .data = number};
  const char *error = ort_bind(q->model, a, in, call);
  if (!error) error = ort_call(*call, a);
  if (error && *call) {
    ort_release(*call);
    *call = NULL;
  }
  return error;
}

static const char *results(const Quantities *q, Arena *a, const OrtCall *call, OrtTensor **out) {
  size_t outputs;
  ort_outputs(q->model, &outputs);
  *out = ARENA_ARRAY(a, OrtTensor, outputs);
  const char *error = NULL;
  for (size_t k = 0; k < outputs && !error; k++) error = ort_result(call, a, k, &(*out)[k]);
  return error;
}

static bool has_open_size(const OrtPort *p) {
  for (int k = 1; k < p->rank; k++)
    if (p->dims[k] < 0) return true;
  return false;
}

/* The shapes of the outputs: where some depend on the data, those of no draws at all. */
static const char *output_shapes(const Quantities *q, Arena *a, OrtTensor **out) {
  size_t outputs;
  const OrtPort *ports = ort_outputs(q->model, &outputs);
  bool open = false;
  *out = ARENA_ARRAY(a, OrtTensor, outputs);
  for (size_t k = 0; k < outputs; k++) {
    (*out)[k].rank = ports[k].rank;
    memcpy((*out)[k].dims, ports[k].dims, sizeof ports[k].dims);
    open = open || has_open_size(&ports[k]);
  }
  if (!open) return NULL;
  OrtCall *call = NULL;
  const char *error = call_model(q, a, NULL, 0, 0, random_state(0), &call);
  if (!error) error = results(q, a, call, out);
  if (call) ort_release(call);
  return error;
}

const char *quantities_open(Arena *a, OrtModel *m, json_t *data, const char *const *names,
                            size_t count, Quantities *out) {
  *out = (Quantities){.model = m, .state = ABSENT, .draw_count = ABSENT};
  NamedTensors generated = {.lead = 1};
  OrtTensor *shapes;
  const char *error = bind_inputs(a, out, data, names, count);
  if (!error) error = output_shapes(out, a, &shapes);
  if (error) return error;
  generated.ports = ort_outputs(m, &generated.count);
  generated.tensors = shapes;
  json_t *description = model_description(m);
  error = add_columns(a, &out->columns, description, "generated_quantities", true, &generated);
  json_decref(description);
  return error;
}

/* The least of Stan's integers stands for no value. */
static double number_of_integer(int64_t x) { return x == INT32_MIN ? NAN : (double)x; }

static double number(const OrtTensor *t, int64_t i) {
  switch (t->element) {
  case ORT_F64: return ((const double *)t->data)[i];
  case ORT_I64: return number_of_integer(((const int64_t *)t->data)[i]);
  case ORT_BOOL: return ((const uint8_t *)t->data)[i];
  case ORT_OTHER: break;
  }
  return 0;
}

const char *quantities_run(const Quantities *q, Arena *a, const double *rows, double *out,
                           size_t stride, int64_t count, RandomState state) {
  OrtCall *call = NULL;
  OrtTensor *generated;
  const char *error = call_model(q, a, rows, stride, count, state, &call);
  if (!error) error = results(q, a, call, &generated);
  for (size_t c = 0; !error && c < q->columns.count; c++) {
    const Column *column = &q->columns.items[c];
    const OrtTensor *t = &generated[column->tensor];
    int64_t size = draw_size(t, 1);
    if (t->dims[0] != count || column->offset >= size) {
      error = "the model returned quantities of another size";
      break;
    }
    for (int64_t i = 0; i < count; i++)
      out[(size_t)i * stride + c] = number(t, i * size + column->offset);
  }
  if (call) ort_release(call);
  return error;
}
