#include "runtime/sampler.h"

#include "runtime/threefry.h"
#include "runtime/values.h"

#include <string.h>

enum { ABSENT = -1, SETTINGS = 4 };

static const struct {
  const char *name;
  OrtElement element;
  int rank;
} contract_inputs[SAMPLER_INPUTS] = {
    [SAMPLER_PRNG_STATE] = {"prng_state", ORT_I64, 1},
    [SAMPLER_CHAINS] = {"chains", ORT_I64, 0},
    [SAMPLER_INIT] = {"init", ORT_F64, 2},
    [SAMPLER_WARMUP] = {"warmup", ORT_I64, 0},
    [SAMPLER_SAMPLES] = {"samples", ORT_I64, 0},
    [SAMPLER_ITERATIONS] = {"iterations", ORT_I64, 0},
    [SAMPLER_SETTINGS] = {"settings", ORT_F64, 1},
    [SAMPLER_STATE] = {"sampler_state", ORT_F64, 2},
    [SAMPLER_KEYS] = {"sampler_keys", ORT_I64, 2},
};

static const char *const output_names[SAMPLER_OUTPUTS] = {
    [SAMPLER_NEXT_STATE] = "next_sampler_state",
    [SAMPLER_NEXT_KEYS] = "next_sampler_keys",
    [SAMPLER_STEPSIZE] = "stepsize",
    [SAMPLER_METRIC] = "inverse_metric",
    [SAMPLER_STATUS] = "status",
};

static const SamplerStatistic nuts_statistics[] = {
    {"lp__", false},        {"accept_stat__", false}, {"stepsize__", false}, {"treedepth__", true},
    {"n_leapfrog__", true}, {"divergent__", true},    {"energy__", false}};
static const SamplerStatistic static_statistics[] = {{"lp__", false},
                                                     {"accept_stat__", false},
                                                     {"stepsize__", false},
                                                     {"int_time__", false},
                                                     {"energy__", false}};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The first is that of models that do not tell. */
static const SamplerEngine engines[] = {
    {"nuts", false, nuts_statistics, COUNT(nuts_statistics)},
    {"static", true, static_statistics, COUNT(static_statistics)}};

static int find_port(const OrtPort *ports, size_t count, const char *name) {
  for (size_t k = 0; k < count; k++)
    if (strcmp(ports[k].name, name) == 0) return (int)k;
  return ABSENT;
}

static const char *property(const Sampler *s, const char *key) {
  size_t count;
  const OrtProperty *p = ort_properties(s->model, &count);
  for (size_t k = 0; k < count; k++)
    if (strcmp(p[k].key, key) == 0) return p[k].value;
  return NULL;
}

static const char *find_engine(Arena *a, Sampler *s) {
  const char *name = property(s, "stan.engine");
  for (size_t k = 0; k < COUNT(engines); k++)
    if (!name || strcmp(engines[k].name, name) == 0) {
      s->engine = &engines[k];
      return NULL;
    }
  return arena_printf(a, "the model has an engine that is not known here: %s", name);
}

static const char *find_output(Arena *a, const OrtPort *out, size_t count, const char *name,
                               size_t *where) {
  int at = find_port(out, count, name);
  if (at == ABSENT) return arena_printf(a, "the model is no sampler: it has no output %s", name);
  *where = (size_t)at;
  return NULL;
}

static const char *find_contract(Arena *a, Sampler *s) {
  size_t inputs, outputs;
  const OrtPort *in = ort_inputs(s->model, &inputs), *out = ort_outputs(s->model, &outputs);
  for (size_t k = 0; k < SAMPLER_INPUTS; k++) {
    int at = find_port(in, inputs, contract_inputs[k].name);
    if (at == ABSENT || in[at].element != contract_inputs[k].element ||
        in[at].rank != contract_inputs[k].rank)
      return arena_printf(a,
                          "the model is no sampler: its input %s is missing or not as it should "
                          "be",
                          contract_inputs[k].name);
    s->in[k] = (size_t)at;
  }
  const char *error = find_engine(a, s);
  for (size_t k = 0; k < SAMPLER_OUTPUTS && !error; k++)
    error = find_output(a, out, outputs, output_names[k], &s->out[k]);
  for (size_t k = 0; !error && k < s->engine->statistic_count; k++)
    error = find_output(a, out, outputs, s->engine->statistics[k].name, &s->statistics[k]);
  return error;
}

static bool is_contract(const Sampler *s, size_t input) {
  for (size_t k = 0; k < SAMPLER_INPUTS; k++)
    if (s->in[k] == input) return true;
  return false;
}

const char *sampler_open(Arena *a, OrtModel *m, json_t *data, Sampler *out) {
  *out = (Sampler){.model = m};
  const char *error = find_contract(a, out);
  if (error) return error;
  size_t inputs;
  const OrtPort *in = ort_inputs(m, &inputs);
  out->inputs = ARENA_ARRAY(a, OrtTensor, inputs);
  for (size_t k = 0; k < inputs && !error; k++)
    if (!is_contract(out, k)) error = data_tensor_for(a, data, &in[k], &out->inputs[k]);
  return error;
}

const char *sampler_metric(const Sampler *s) {
  size_t count;
  const OrtPort *out = ort_outputs(s->model, &count);
  if (out[s->out[SAMPLER_METRIC]].rank == 3) return "dense";
  const char *metric = property(s, "stan.metric");
  return metric ? metric : "diag";
}

int64_t sampler_dimension(const Sampler *s) {
  size_t count;
  return ort_inputs(s->model, &count)[s->in[SAMPLER_INIT]].dims[1];
}

static void set_integer(Arena *a, OrtTensor *t, int64_t value) {
  int64_t *x = ARENA_ARRAY(a, int64_t, 1);
  *x = value;
  *t = (OrtTensor){.element = ORT_I64, .data = x};
}

static void set_state(Arena *a, OrtTensor *t, RandomState state) {
  RandomState *copy = ARENA_NEW(a, RandomState);
  *copy = state;
  *t = (OrtTensor){.element = ORT_I64, .rank = 1, .dims = {2}, .data = copy->words};
}

static OrtTensor rows(OrtElement element, int64_t count, int64_t width, void *data) {
  return (OrtTensor){.element = element, .rank = 2, .dims = {count, width}, .data = data};
}

/* The inputs of a call, in `a`; the caller sets those of the chains. */
static OrtTensor *call_inputs(const Sampler *s, Arena *a, int64_t chains, int64_t iterations) {
  size_t count;
  ort_inputs(s->model, &count);
  OrtTensor *in = ARENA_ARRAY(a, OrtTensor, count);
  memcpy(in, s->inputs, count * sizeof *in);
  double *settings = ARENA_ARRAY(a, double, SETTINGS);
  const SamplerSettings *given = &s->settings;
  double length = s->engine->has_time ? given->int_time : given->max_depth;
  memcpy(settings, (double[]){given->delta, length, given->step_size, given->radius},
         SETTINGS * sizeof *settings);
  in[s->in[SAMPLER_SETTINGS]] =
      (OrtTensor){.element = ORT_F64, .rank = 1, .dims = {SETTINGS}, .data = settings};
  set_state(a, &in[s->in[SAMPLER_PRNG_STATE]], (RandomState){{0, 0}});
  set_integer(a, &in[s->in[SAMPLER_CHAINS]], chains);
  set_integer(a, &in[s->in[SAMPLER_WARMUP]], given->warmup);
  set_integer(a, &in[s->in[SAMPLER_SAMPLES]], given->samples);
  set_integer(a, &in[s->in[SAMPLER_ITERATIONS]], iterations);
  int64_t dimension = sampler_dimension(s);
  in[s->in[SAMPLER_INIT]] = rows(ORT_F64, 0, dimension < 0 ? 0 : dimension, NULL);
  in[s->in[SAMPLER_STATE]] = rows(ORT_F64, 0, 0, NULL);
  in[s->in[SAMPLER_KEYS]] = rows(ORT_I64, 0, 2, NULL);
  return in;
}

const char *sampler_result(const Sampler *s, const OrtCall *call, Arena *a, SamplerOutput which,
                           OrtTensor *out) {
  return ort_result(call, a, s->out[which], out);
}

/* The states after a call, into memory that has room for them. */
static const char *take_states(const Sampler *s, Arena *a, const OrtCall *call,
                               ChainStates *chains) {
  OrtTensor state, keys;
  const char *error = sampler_result(s, call, a, SAMPLER_NEXT_STATE, &state);
  if (!error) error = sampler_result(s, call, a, SAMPLER_NEXT_KEYS, &keys);
  if (error) return error;
  size_t count = (size_t)(chains->chains * chains->size);
  if (state.element != ORT_F64 || keys.element != ORT_I64 || ort_count(&state) != (int64_t)count ||
      ort_count(&keys) != 2 * chains->chains)
    return "the model returned no state of its chains";
  memcpy(chains->state, state.data, count * sizeof *chains->state);
  memcpy(chains->keys, keys.data, 2 * (size_t)chains->chains * sizeof *chains->keys);
  return NULL;
}

/* The columns of a row, from the shapes of a call's results. */
static const char *take_layout(Sampler *s, Arena *a, const OrtCall *call) {
  SamplerSlice slice;
  size_t outputs;
  const char *error = sampler_slice(s, a, call, -1, 0, &slice);
  if (error) return error;
  NamedTensors named = {.tensors = slice.tensors, .lead = 2};
  named.ports = ort_outputs(s->model, &outputs);
  named.count = outputs;
  json_t *description = model_description(s->model);
  error = add_columns(a, &s->columns, description, "parameters", false, &named);
  if (!error)
    error = add_columns(a, &s->columns, description, "transformed_parameters", true, &named);
  json_decref(description);
  if (error) return error;
  Columns statistics = {0};
  for (size_t k = 0; k < s->engine->statistic_count; k++) {
    const SamplerStatistic *statistic = &s->engine->statistics[k];
    Column c = {statistic->name, s->statistics[k], 0, statistic->integer};
    ARENA_PUSH(a, statistics.items, statistics.count, statistics.capacity, c);
  }
  s->layout = layout_with(a, layout_with(a, (RowLayout){0}, &statistics), &s->columns);
  return NULL;
}

const char *sampler_start(Sampler *s, Arena *a, uint64_t seed, int64_t chains,
                          const OrtTensor *init, ChainStates *out) {
  OrtCall *call = NULL;
  OrtTensor *in = call_inputs(s, a, chains, 0), state;
  set_state(a, &in[s->in[SAMPLER_PRNG_STATE]], random_state(seed));
  if (init) in[s->in[SAMPLER_INIT]] = *init;
  const char *error = ort_bind(s->model, a, in, &call);
  if (error) return error;
  error = ort_call(call, a);
  if (!error) error = take_layout(s, a, call);
  if (!error) error = sampler_result(s, call, a, SAMPLER_NEXT_STATE, &state);
  if (!error && (state.rank != 2 || state.dims[0] != chains))
    error = "the model returned no state of its chains";
  if (!error) {
    *out = (ChainStates){.chains = chains, .size = state.dims[1]};
    out->state = ARENA_ARRAY(a, double, (size_t)(chains * out->size));
    out->keys = ARENA_ARRAY(a, int64_t, 2 * (size_t)chains);
    error = take_states(s, a, call, out);
  }
  ort_release(call);
  return error;
}

ChainStates chain_states_part(const ChainStates *all, int64_t first, int64_t count) {
  return (ChainStates){count, all->size, all->state + first * all->size, all->keys + 2 * first};
}

const char *sampler_advance(const Sampler *s, Arena *a, ChainStates *chains, int64_t iterations,
                            OrtCall **call) {
  OrtTensor *in = call_inputs(s, a, chains->chains, iterations);
  in[s->in[SAMPLER_STATE]] = rows(ORT_F64, chains->chains, chains->size, chains->state);
  in[s->in[SAMPLER_KEYS]] = rows(ORT_I64, chains->chains, 2, chains->keys);
  *call = NULL;
  const char *error = ort_bind(s->model, a, in, call);
  if (!error) error = ort_call(*call, a);
  if (!error) error = take_states(s, a, *call, chains);
  if (error && *call) {
    ort_release(*call);
    *call = NULL;
  }
  return error;
}

/* ---- results ---- */

const char *sampler_slice(const Sampler *s, Arena *a, const OrtCall *call, int64_t chains,
                          int64_t iterations, SamplerSlice *out) {
  size_t count;
  const OrtPort *ports = ort_outputs(s->model, &count);
  *out = (SamplerSlice){s, ARENA_ARRAY(a, OrtTensor, count), chains, iterations};
  for (size_t k = 0; k < count; k++) {
    OrtTensor *t = &out->tensors[k];
    const char *error = ort_result(call, a, k, t);
    if (error) return error;
    bool per_iteration = t->rank >= 2 && strcmp(ports[k].dim_names[1], "iteration") == 0;
    if (per_iteration && (t->element != ORT_F64 || t->dims[1] != iterations ||
                          (chains >= 0 && t->dims[0] != chains)))
      return arena_printf(a, "the model's output %s is not as it should be", ports[k].name);
  }
  return NULL;
}

static double at(const SamplerSlice *slice, size_t tensor, int64_t row, int64_t offset) {
  const OrtTensor *t = &slice->tensors[tensor];
  int64_t size = t->rank >= 2 ? draw_size(t, 2) : 0;
  return offset < size ? ((const double *)t->data)[row * size + offset] : 0;
}

void sampler_row(const SamplerSlice *slice, int64_t chain, int64_t iteration, double *row) {
  const Sampler *s = slice->sampler;
  int64_t at_row = chain * slice->iterations + iteration;
  for (size_t k = 0; k < s->engine->statistic_count; k++)
    *row++ = at(slice, s->statistics[k], at_row, 0);
  for (size_t k = 0; k < s->columns.count; k++)
    *row++ = at(slice, s->columns.items[k].tensor, at_row, s->columns.items[k].offset);
}
