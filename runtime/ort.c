#include "runtime/ort.h"

#include "runtime/ort_abi.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct Ort {
  void *library;
  const AbiBase *base;
  Abi abi;
  void *env, *memory, *allocator;
};

struct OrtModel {
  Ort *ort;
  void *session, *run_options;
  OrtPort *inputs, *outputs;
  size_t input_count, output_count, property_count;
  OrtProperty *properties;
  const char **input_names, **output_names;
};

struct OrtCall {
  OrtModel *model;
  void **inputs, **outputs; /* values; outputs are NULL before the first call */
};

/* NULL for success, else the status' message on one line, in the arena; the status is released. */
static const char *failure(const Ort *ort, Arena *a, Status status) {
  if (!status) return NULL;
  char *message = arena_strdup(a, ort->abi.get_error_message(status));
  for (char *p = message; *p; p++)
    if (*p == '\n' || *p == '\r') *p = ' ';
  ort->abi.release_status(status);
  return message;
}

/* ---- the library ---- */

static void fill(Abi *abi, const AnyFunction *table) {
#define X(place, name, result, parameters) abi->name = (result(*) parameters)table[place];
  ABI_FUNCTIONS(X)
#undef X
}

static const char *start(Ort *ort, Arena *a) {
  const char *error = failure(ort, a, ort->abi.create_env(ABI_LOG_FATAL, "stan2onnx", &ort->env));
  if (!error) error = failure(ort, a, ort->abi.create_cpu_memory(1, 0, &ort->memory));
  if (!error) error = failure(ort, a, ort->abi.default_allocator(&ort->allocator));
  return error;
}

/* dlsym gives an object pointer where a function pointer is meant; POSIX has their representations
 * agree. */
static bool exported(void *library, const char *name, AnyFunction *f) {
  void *p = dlsym(library, name);
  if (p) memcpy(f, &p, sizeof p);
  return p != NULL;
}

const char *ort_open(Arena *a, const char *path, Ort **out) {
  const char *name = path ? path : "libonnxruntime.so.1";
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) return arena_printf(a, "cannot load ONNX Runtime: %s", dlerror());
  AnyFunction entry;
  if (!exported(library, "OrtGetApiBase", &entry)) {
    dlclose(library);
    return arena_printf(a, "%s is not ONNX Runtime: it has no OrtGetApiBase", name);
  }
  const AbiBase *base = ((const AbiBase *(*)(void))entry)();
  const AnyFunction *table = base ? base->get_api(ABI_VERSION) : NULL;
  if (!table) {
    dlclose(library);
    return arena_printf(a, "%s has no ONNX Runtime C ABI of version %d", name, ABI_VERSION);
  }
  Ort *ort = calloc(1, sizeof *ort);
  if (!ort) {
    dlclose(library);
    return "out of memory";
  }
  ort->library = library;
  ort->base = base;
  fill(&ort->abi, table);
  const char *error = start(ort, a);
  if (error) {
    ort_close(ort);
    return error;
  }
  *out = ort;
  return NULL;
}

/* The library stays loaded: its threads may outlive what they were started for. */
void ort_close(Ort *ort) {
  if (!ort) return;
  if (ort->memory) ort->abi.release_memory(ort->memory);
  if (ort->env) ort->abi.release_env(ort->env);
  free(ort);
}

const char *ort_version(const Ort *ort) { return ort->base->version(); }

/* ---- models ---- */

static OrtElement element_of(int abi) {
  switch (abi) {
  case ABI_FLOAT64: return ORT_F64;
  case ABI_INT64: return ORT_I64;
  case ABI_BOOLEAN: return ORT_BOOL;
  default: return ORT_OTHER;
  }
}

static int abi_element(OrtElement e) {
  static const int abi[] = {
      [ORT_F64] = ABI_FLOAT64, [ORT_I64] = ABI_INT64, [ORT_BOOL] = ABI_BOOLEAN, [ORT_OTHER] = 0};
  return abi[e];
}

size_t ort_element_size(OrtElement e) {
  static const size_t sizes[] = {[ORT_F64] = 8, [ORT_I64] = 8, [ORT_BOOL] = 1, [ORT_OTHER] = 0};
  return sizes[e];
}

int64_t ort_count(const OrtTensor *t) {
  int64_t n = 1;
  for (int i = 0; i < t->rank; i++) n *= t->dims[i];
  return n;
}

static const char *shape_of_info(const Ort *ort, Arena *a, const void *info, OrtElement *element,
                                 int *rank, int64_t *dims) {
  int abi = 0;
  size_t n = 0;
  const char *error = failure(ort, a, ort->abi.element_type(info, &abi));
  if (!error) error = failure(ort, a, ort->abi.rank(info, &n));
  if (!error && n > ORT_MAX_RANK) error = "a tensor has more axes than are supported";
  if (!error) error = failure(ort, a, ort->abi.dims(info, dims, n));
  *element = element_of(abi);
  *rank = (int)n;
  return error;
}

static const char *port_type(const Ort *ort, Arena *a, void *type, OrtPort *port) {
  int kind = 0;
  const void *info = NULL;
  const char *names[ORT_MAX_RANK] = {0};
  port->element = ORT_OTHER;
  const char *error = failure(ort, a, ort->abi.value_kind(type, &kind));
  if (error || kind != ABI_TENSOR) return error;
  error = failure(ort, a, ort->abi.tensor_info(type, &info));
  if (!error) error = shape_of_info(ort, a, info, &port->element, &port->rank, port->dims);
  if (!error) error = failure(ort, a, ort->abi.dim_names(info, names, (size_t)port->rank));
  if (error) return error;
  for (int i = 0; i < port->rank; i++)
    port->dim_names[i] = arena_strdup(a, names[i] ? names[i] : "");
  return NULL;
}

static const char *take_string(const Ort *ort, Arena *a, char *s) {
  const char *copy = arena_strdup(a, s ? s : "");
  if (s) {
    Status status = ort->abi.allocator_free(ort->allocator, s);
    if (status) ort->abi.release_status(status);
  }
  return copy;
}

typedef Status (*CountPorts)(const void *, size_t *);
typedef Status (*PortType)(const void *, size_t, void **);
typedef Status (*PortName)(const void *, size_t, void *, char **);

static const char *list_ports(OrtModel *m, Arena *a, CountPorts count_ports, PortType type_of,
                              PortName name_of, OrtPort **ports, const char ***names,
                              size_t *count) {
  const Ort *ort = m->ort;
  const char *error = failure(ort, a, count_ports(m->session, count));
  if (error) return error;
  *ports = ARENA_ARRAY(a, OrtPort, *count);
  *names = ARENA_ARRAY(a, const char *, *count);
  for (size_t k = 0; k < *count && !error; k++) {
    char *name = NULL;
    void *type = NULL;
    error = failure(ort, a, name_of(m->session, k, ort->allocator, &name));
    if (error) return error;
    (*ports)[k].name = (*names)[k] = take_string(ort, a, name);
    error = failure(ort, a, type_of(m->session, k, &type));
    if (error) return error;
    error = port_type(ort, a, type, &(*ports)[k]);
    ort->abi.release_type(type);
  }
  return error;
}

static const char *list_properties(OrtModel *m, Arena *a) {
  const Ort *ort = m->ort;
  void *metadata = NULL;
  char **keys = NULL;
  int64_t count = 0;
  const char *error = failure(ort, a, ort->abi.model_metadata(m->session, &metadata));
  if (error) return error;
  error = failure(ort, a, ort->abi.metadata_keys(metadata, ort->allocator, &keys, &count));
  if (!error && count > 0) m->properties = ARENA_ARRAY(a, OrtProperty, (size_t)count);
  for (int64_t k = 0; !error && k < count; k++) {
    char *value = NULL;
    const char *key = take_string(ort, a, keys[k]);
    error = failure(ort, a, ort->abi.metadata_lookup(metadata, ort->allocator, key, &value));
    m->properties[m->property_count++] = (OrtProperty){key, take_string(ort, a, value)};
  }
  if (keys) failure(ort, a, ort->abi.allocator_free(ort->allocator, keys));
  ort->abi.release_metadata(metadata);
  return error;
}

static const char *describe(OrtModel *m, Arena *a) {
  const Abi *abi = &m->ort->abi;
  const char *error = list_ports(m, a, abi->input_count, abi->input_type, abi->input_name,
                                 &m->inputs, &m->input_names, &m->input_count);
  if (!error)
    error = list_ports(m, a, abi->output_count, abi->output_type, abi->output_name, &m->outputs,
                       &m->output_names, &m->output_count);
  return error ? error : list_properties(m, a);
}

/* Where a model is: in a file or, where `path` is NULL, in memory. */
typedef struct {
  const char *path;
  const void *bytes;
  size_t size;
} Place;

/* Our compiler leaves little to optimise: for a sampler, ONNX Runtime's optimiser takes longer than
 * all the rest of a session's creation, and the run is no faster for it. Its memory arena has one
 * lock for all threads, and is no faster than malloc when there is but one. */
static const char *set_compiled(const Ort *ort, Arena *a, void *options) {
  const char *error = failure(ort, a, ort->abi.set_optimisation(options, ABI_OPTIMISE_NOTHING));
  return error ? error : failure(ort, a, ort->abi.disable_arena(options));
}

static const char *load(Ort *ort, Arena *a, Place at, int threads, bool compiled, OrtModel **out) {
  void *options = NULL;
  OrtModel *m = ARENA_NEW(a, OrtModel);
  m->ort = ort;
  const char *error = failure(ort, a, ort->abi.create_session_options(&options));
  if (error) return error;
  error = failure(ort, a, ort->abi.set_threads(options, threads));
  if (!error && compiled) error = set_compiled(ort, a, options);
  if (!error)
    error = failure(ort, a,
                    at.path ? ort->abi.create_session(ort->env, at.path, options, &m->session)
                            : ort->abi.create_session_from_array(ort->env, at.bytes, at.size,
                                                                 options, &m->session));
  ort->abi.release_session_options(options);
  if (!error) error = failure(ort, a, ort->abi.create_run_options(&m->run_options));
  if (!error) error = describe(m, a);
  if (error)
    ort_unload(m);
  else
    *out = m;
  return error;
}

const char *ort_load_file(Ort *ort, Arena *a, const char *path, int threads, OrtModel **out) {
  return load(ort, a, (Place){.path = path}, threads, false, out);
}

const char *ort_load_bytes(Ort *ort, Arena *a, const void *bytes, size_t size, int threads,
                           OrtModel **out) {
  return load(ort, a, (Place){.bytes = bytes, .size = size}, threads, false, out);
}

const char *ort_load_compiled(Ort *ort, Arena *a, const char *path, const void *bytes, size_t size,
                              OrtModel **out) {
  return load(ort, a, (Place){path, bytes, size}, 1, true, out);
}

void ort_unload(OrtModel *m) {
  if (!m) return;
  if (m->session) m->ort->abi.release_session(m->session);
  if (m->run_options) m->ort->abi.release_run_options(m->run_options);
  m->session = m->run_options = NULL;
}

void ort_stop(OrtModel *m) {
  Status status = m->ort->abi.set_terminate(m->run_options);
  if (status) m->ort->abi.release_status(status);
}

const OrtPort *ort_inputs(const OrtModel *m, size_t *count) {
  *count = m->input_count;
  return m->inputs;
}

const OrtPort *ort_outputs(const OrtModel *m, size_t *count) {
  *count = m->output_count;
  return m->outputs;
}

const OrtProperty *ort_properties(const OrtModel *m, size_t *count) {
  *count = m->property_count;
  return m->properties;
}

/* ---- evaluation ---- */

const char *ort_bind(OrtModel *m, Arena *a, const OrtTensor *inputs, OrtCall **out) {
  static int64_t nothing; /* data of an empty tensor: the ABI refuses NULL */
  OrtCall *c = ARENA_NEW(a, OrtCall);
  c->model = m;
  c->inputs = ARENA_ARRAY(a, void *, m->input_count);
  c->outputs = ARENA_ARRAY(a, void *, m->output_count);
  const char *error = NULL;
  for (size_t k = 0; k < m->input_count && !error; k++) {
    const OrtTensor *t = &inputs[k];
    size_t bytes = (size_t)ort_count(t) * ort_element_size(t->element);
    error = failure(m->ort, a,
                    m->ort->abi.create_tensor(m->ort->memory, bytes ? t->data : &nothing, bytes,
                                              t->dims, (size_t)t->rank, abi_element(t->element),
                                              &c->inputs[k]));
  }
  if (error)
    ort_release(c);
  else
    *out = c;
  return error;
}

static void release_outputs(OrtCall *c) {
  for (size_t k = 0; k < c->model->output_count; k++) {
    if (c->outputs[k]) c->model->ort->abi.release_value(c->outputs[k]);
    c->outputs[k] = NULL;
  }
}

const char *ort_call(OrtCall *c, Arena *a) {
  OrtModel *m = c->model;
  release_outputs(c);
  return failure(m->ort, a,
                 m->ort->abi.run(m->session, m->run_options, m->input_names,
                                 (const void *const *)c->inputs, m->input_count, m->output_names,
                                 m->output_count, c->outputs));
}

const char *ort_result(const OrtCall *c, Arena *a, size_t k, OrtTensor *out) {
  const Ort *ort = c->model->ort;
  void *info = NULL;
  const char *error = failure(ort, a, ort->abi.type_and_shape(c->outputs[k], &info));
  if (error) return error;
  error = shape_of_info(ort, a, info, &out->element, &out->rank, out->dims);
  ort->abi.release_info(info);
  if (!error) error = failure(ort, a, ort->abi.tensor_data(c->outputs[k], &out->data));
  return error;
}

void ort_release(OrtCall *c) {
  release_outputs(c);
  for (size_t k = 0; k < c->model->input_count; k++)
    if (c->inputs[k]) c->model->ort->abi.release_value(c->inputs[k]);
}
