/* The pipeline: source, front end, lowering, emission. */
#include "stan2onnx.h"

#include "data/data.h"
#include "emit/emit.h"
#include "frontend/frontend.h"
#include "frontend/info.h"
#include "lower/lower.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Stan2onnxResult {
  Arena *arena;
  Stan2onnxStatus status;
  const char *diagnostics;
  const void *output;
  size_t output_size;
  EmittedModel model;
  Sources *sources;
  Stan2onnxStatistics statistics;
};

typedef struct {
  const Stan2onnxOptions *options;
  Stan2onnxResult *result;
  Arena *arena;
  Diagnostics *diagnostics;
  DataSet *data;
} Compilation;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void set_text(Stan2onnxResult *r, const Text *text) {
  r->output = text->data ? text->data : "";
  r->output_size = text->length;
}

/* 64-bit FNV-1a of the source, for the metadata: tells versions of a program apart, no more. */
static const char *source_hash(Arena *a, const char *source, size_t length) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t k = 0; k < length; k++) h = (h ^ (unsigned char)source[k]) * UINT64_C(1099511628211);
  return arena_printf(a, "fnv1a64:%016llx", (unsigned long long)h);
}

static const char *entry_name(Stan2onnxEntry entry) {
  static const char *const names[] = {"log-density", "constrain", "unconstrain", "generate",
                                      "sample"};
  return names[entry];
}

static const char *metric_name(Stan2onnxMetric metric) {
  static const char *const names[] = {"diag", "dense", "unit"};
  return names[metric];
}

static const char *engine_name(Stan2onnxEngine engine) {
  static const char *const names[] = {"nuts", "static"};
  return names[engine];
}

/* "dir/model.stan" -> "model" */
static const char *graph_name(Arena *a, const char *file) {
  const char *base = strrchr(file, '/'), *dot;
  base = base ? base + 1 : file;
  dot = strrchr(base, '.');
  size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
  return n ? arena_strndup(a, base, n) : "model";
}

static EmitPort *emit_ports(Arena *a, const LoweredPort *ports, int count) {
  EmitPort *out = ARENA_ARRAY(a, EmitPort, (size_t)count);
  for (int k = 0; k < count; k++) {
    out[k].name = ports[k].name;
    memcpy(out[k].dim_names, ports[k].dim_names, sizeof out[k].dim_names);
  }
  return out;
}

static bool emit(Compilation *c, const Lowered *lowered) {
  const Stan2onnxOptions *o = c->options;
  Arena *a = c->arena;
  EmitProperty properties[] = {{"stan.model", lowered->model_json},
                               {"stan.source_hash", source_hash(a, o->source, o->source_length)},
                               {"stan.entry", entry_name(o->entry)},
                               {"stan.data", o->data ? "baked" : "inputs"},
                               {"stan.reproducible", o->reproducible ? "true" : "false"},
                               {"stan.metric", metric_name(o->metric)},
                               {"stan.engine", engine_name(o->engine)}};
  size_t property_count = sizeof properties / sizeof *properties;
  if (o->entry != STAN2ONNX_SAMPLE) property_count -= 2; /* the last ones are of samplers only */
  EmitOptions options = {.graph_name = graph_name(a, o->name),
                         .producer_version = stan2onnx_version(),
                         .inputs = emit_ports(a, lowered->inputs, lowered->input_count),
                         .input_count = lowered->input_count,
                         .outputs = emit_ports(a, lowered->outputs, lowered->output_count),
                         .output_count = lowered->output_count,
                         .properties = properties,
                         .property_count = property_count,
                         .prob_dialect = o->prob_dialect != 0,
                         .external_name = o->external_name};
  EmittedModel *m = &c->result->model;
  const char *error = emit_model(a, lowered->function, &options, m);
  if (error) {
    diag_nowhere(c->diagnostics, DIAG_UNSUPPORTED, "%s", error);
    return false;
  }
  c->result->output = m->bytes;
  c->result->output_size = m->size;
  Stan2onnxStatistics *s = &c->result->statistics;
  s->nodes = m->statistics.nodes;
  s->initializers = m->statistics.initializers;
  s->initializer_bytes = m->statistics.initializer_bytes;
  s->functions = m->statistics.functions;
  s->model_bytes = m->size;
  return true;
}

static bool ends_with(const char *s, const char *suffix) {
  size_t n = strlen(s), m = strlen(suffix);
  return n >= m && !strcmp(s + n - m, suffix);
}

static LowerOptions lower_options(Compilation *c) {
  static const Metric metrics[] = {[STAN2ONNX_METRIC_DIAG] = METRIC_DIAGONAL,
                                   [STAN2ONNX_METRIC_DENSE] = METRIC_DENSE,
                                   [STAN2ONNX_METRIC_UNIT] = METRIC_UNIT};
  static const Engine engines[] = {
      [STAN2ONNX_ENGINE_NUTS] = ENGINE_NUTS, [STAN2ONNX_ENGINE_STATIC] = ENGINE_STATIC};
  const Stan2onnxOptions *o = c->options;
  LowerOptions l = {.entry = (EntryPoint)o->entry,
                    .keep_constants = o->keep_constants != 0,
                    .no_jacobian = o->no_jacobian != 0,
                    .no_gradient = o->no_gradient != 0,
                    .reproducible = o->reproducible != 0,
                    .metric = metrics[o->metric],
                    .engine = engines[o->engine],
                    .keep_algorithms = o->prob_dialect != 0,
                    .data = c->data,
                    .ir.no_squares = o->prob_dialect != 0}; /* it is to show the distributions */
  for (size_t k = 0; k < o->disabled_pass_count; k++) {
    l.ir.no_fold |= !strcmp(o->disabled_passes[k], "fold");
    l.ir.no_cse |= !strcmp(o->disabled_passes[k], "cse");
    l.ir.no_algebra |= !strcmp(o->disabled_passes[k], "algebra");
    l.ir.no_economy |= !strcmp(o->disabled_passes[k], "economy");
    l.ir.no_scan |= !strcmp(o->disabled_passes[k], "scan");
    l.ir.no_squares |= !strcmp(o->disabled_passes[k], "squares");
  }
  return l;
}

static bool produce(Compilation *c, const Program *program) {
  const Stan2onnxOptions *o = c->options;
  Stan2onnxStatistics *s = &c->result->statistics;
  double start = now();
  if (o->data) {
    c->data = data_parse(c->arena, o->data, o->data_length, o->data_name ? o->data_name : "data",
                         c->diagnostics);
    if (!c->data) return false;
  }
  LowerOptions options = lower_options(c);
  Lowered *lowered = lower_program(c->arena, program, &options, c->result->sources, c->diagnostics);
  s->lower_seconds = now() - start;
  if (o->output == STAN2ONNX_DUMP_IR) {
    Text text = text_new(c->arena);
    ir_print(&text, lowered->function);
    set_text(c->result, &text);
    return true;
  }
  start = now();
  bool ok = emit(c, lowered);
  s->emit_seconds = now() - start;
  return ok;
}

static bool front_end(Compilation *c, Program **program) {
  const Stan2onnxOptions *o = c->options;
  Stan2onnxResult *r = c->result;
  double start = now();
  sources_set_include_paths(r->sources, o->include_paths, o->include_path_count);
  uint32_t file = sources_add(r->sources, o->name, o->source, o->source_length);
  ParseOptions parse = {.functions_only = ends_with(o->name, ".stanfunctions")};
  *program = parse_program(c->arena, r->sources, file, parse, c->diagnostics);
  r->statistics.parse_seconds = now() - start;
  if (!*program) return false;
  if (o->output == STAN2ONNX_DUMP_AST) {
    Text text = text_new(c->arena);
    ast_print(&text, *program);
    set_text(r, &text);
    return true;
  }
  start = now();
  CheckOptions check = {.allow_undefined = o->allow_undefined != 0};
  bool ok = check_program(c->arena, *program, check, c->diagnostics);
  r->statistics.check_seconds = now() - start;
  return ok;
}

static bool run(Compilation *c) {
  Program *program;
  if (!front_end(c, &program)) return false;
  switch (c->options->output) {
  case STAN2ONNX_CHECK:
  case STAN2ONNX_DUMP_AST: return true;
  case STAN2ONNX_INFO: {
    Text text = text_new(c->arena);
    program_info(&text, program);
    set_text(c->result, &text);
    return true;
  }
  default: return produce(c, program);
  }
}

static Stan2onnxStatus status_of(const Diagnostics *d, bool warnings_are_errors) {
  size_t count;
  const Diagnostic *list = diag_list(d, &count);
  Stan2onnxStatus status = STAN2ONNX_OK;
  for (size_t k = 0; k < count; k++) {
    switch (list[k].kind) {
    case DIAG_NOTE: break;
    case DIAG_WARNING:
      if (warnings_are_errors && status == STAN2ONNX_OK) status = STAN2ONNX_INVALID;
      break;
    case DIAG_UNSUPPORTED: return STAN2ONNX_UNSUPPORTED;
    case DIAG_INTERNAL: return STAN2ONNX_FAILED;
    default: return STAN2ONNX_INVALID;
    }
  }
  return status;
}

static const char *print_diagnostics(Compilation *c) {
  Text text = text_new(c->arena);
  size_t count;
  const Diagnostic *list = diag_list(c->diagnostics, &count);
  for (size_t k = 0; k < count; k++) diagnostic_print(&text, &list[k], c->result->sources);
  return text.data ? text.data : "";
}

Stan2onnxResult *stan2onnx_compile(const Stan2onnxOptions *options) {
  Arena *arena = arena_new();
  Stan2onnxResult *r = arena ? calloc(1, sizeof *r) : NULL;
  if (!r) {
    arena_free(arena);
    return NULL;
  }
  r->arena = arena;
  r->status = STAN2ONNX_FAILED;
  r->diagnostics = "stan2onnx: out of memory\n";
  if (options->struct_size != sizeof *options || !options->name || !options->source) {
    r->status = STAN2ONNX_USAGE;
    r->diagnostics =
        "stan2onnx: the options were made for another version of the library, or lack a source\n";
    return r;
  }
  jmp_buf exhausted, fatal;
  Compilation *volatile c = NULL;
  arena_on_exhaustion(arena, &exhausted);
  if (setjmp(exhausted) == 0) {
    c = ARENA_NEW(arena, Compilation);
    *c = (Compilation){
        .options = options, .result = r, .arena = arena, .diagnostics = diagnostics_new(arena)};
    r->sources = sources_new(arena);
    diag_on_fatal(c->diagnostics, &fatal);
    bool ok = setjmp(fatal) == 0 && run(c);
    Stan2onnxStatus status = status_of(c->diagnostics, options->warnings_are_errors != 0);
    r->diagnostics = print_diagnostics(c);
    r->status = !ok && status == STAN2ONNX_OK ? STAN2ONNX_FAILED : status;
  }
  if (c) data_free(c->data);
  r->statistics.arena_bytes = arena_used(arena);
  return r;
}

void stan2onnx_free(Stan2onnxResult *r) {
  if (!r) return;
  arena_free(r->arena);
  free(r);
}

Stan2onnxStatus stan2onnx_status(const Stan2onnxResult *r) { return r->status; }
const char *stan2onnx_diagnostics(const Stan2onnxResult *r) { return r->diagnostics; }
const Stan2onnxStatistics *stan2onnx_statistics(const Stan2onnxResult *r) { return &r->statistics; }

const void *stan2onnx_output(const Stan2onnxResult *r, size_t *size) {
  *size = r->status == STAN2ONNX_OK ? r->output_size : 0;
  return r->status == STAN2ONNX_OK ? r->output : NULL;
}

const void *stan2onnx_external_piece(const Stan2onnxResult *r, size_t k, size_t *size) {
  if (r->status != STAN2ONNX_OK || k >= r->model.piece_count) return NULL;
  *size = r->model.pieces[k].size;
  return r->model.pieces[k].bytes;
}

const char *stan2onnx_included_file(const Stan2onnxResult *r, size_t k) {
  return r->sources && k + 1 < sources_count(r->sources)
             ? sources_name(r->sources, (uint32_t)(k + 1))
             : NULL;
}

const char *stan2onnx_version(void) { return STAN2ONNX_VERSION; }
