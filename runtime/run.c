/* stan2onnx-run: evaluates emitted models in ONNX Runtime. */
#include "runtime/command.h"
#include "runtime/labels.h"
#include "runtime/options.h"
#include "runtime/progress.h"
#include "runtime/tables.h"
#include "runtime/threefry.h"
#include "runtime/values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Names of the contract's own inputs. */
static const char *const POINT_INPUT = "unconstrained";
static const char *const STATE_INPUT = "prng_state";
static const char *const COUNT_INPUT = "draw_count";

static const double MEASURE_SECONDS = 0.5;

typedef struct {
  Arena *arena;
  RunOptions options;
  Ort *ort;
  OrtModel *model;
  json_t *data, *params;
  OrtTensor *inputs;
} Run;

static bool leads_with_batch(const OrtPort *p) {
  return p->rank > 0 &&
         (strcmp(p->dim_names[0], "chain") == 0 || strcmp(p->dim_names[0], "draw") == 0);
}

static const char *open_model(Run *r) {
  const char *error = open_runtime(r->arena, r->options.ort, &r->ort);
  if (error) return error;
  FILE *file = fopen(r->options.model, "rb");
  if (!file) return arena_printf(r->arena, "cannot read %s: %s", r->options.model, strerror(errno));
  fclose(file);
  error = ort_load_file(r->ort, r->arena, r->options.model, (int)r->options.threads, &r->model);
  return error ? arena_printf(r->arena, "%s: %s", r->options.model, error) : NULL;
}

static const char *point(Run *r, const OrtPort *port, OrtTensor *out) {
  const RunOptions *o = &r->options;
  if (o->point) return points_from_text(r->arena, o->point, port, out);
  if (port->rank != 2 || port->dims[1] < 0)
    return arena_printf(r->arena, "the size of %s depends on the data: give a point with --point",
                        port->name);
  random_points(r->arena, o->seed, o->chains, port->dims[1], out);
  return NULL;
}

static void prng_state(Run *r, OrtTensor *out) {
  RandomState *state = ARENA_NEW(r->arena, RandomState);
  *state = random_state(r->options.seed);
  *out = (OrtTensor){.element = ORT_I64, .rank = 1, .dims = {2}, .data = state->words};
}

/* How many draws to make, where no parameter has as many values. */
static void draw_count(Run *r, OrtTensor *out) {
  int64_t *count = arena_array(r->arena, 1, sizeof *count);
  *count = r->options.chains;
  *out = (OrtTensor){.element = ORT_I64, .data = count};
}

static const char *input(Run *r, const OrtPort *port, OrtTensor *out) {
  const char *rest;
  json_t *value = r->params ? find_value(r->params, port->name, &rest) : NULL;
  if (value) return tensor_from_json(r->arena, value, rest, port, leads_with_batch(port), out);
  if (r->data && find_value(r->data, port->name, &rest))
    return data_tensor_for(r->arena, r->data, port, out);
  if (strcmp(port->name, POINT_INPUT) == 0) return point(r, port, out);
  if (strcmp(port->name, STATE_INPUT) == 0) {
    prng_state(r, out);
    return NULL;
  }
  if (strcmp(port->name, COUNT_INPUT) == 0) {
    draw_count(r, out);
    return NULL;
  }
  return arena_printf(r->arena, "input %s has no value: give it in %s", port->name,
                      leads_with_batch(port) ? "the file of --params" : "the file of --data");
}

static const char *bind_inputs(Run *r) {
  size_t count;
  const OrtPort *ports = ort_inputs(r->model, &count);
  const char *error = NULL;
  if (r->options.data_path) error = read_json_object(r->arena, r->options.data_path, &r->data);
  if (!error && r->options.params_path)
    error = read_json_object(r->arena, r->options.params_path, &r->params);
  r->inputs = ARENA_ARRAY(r->arena, OrtTensor, count);
  for (size_t k = 0; k < count && !error; k++) error = input(r, &ports[k], &r->inputs[k]);
  return error;
}

/* The least time of an evaluation over half a second of them. */
static const char *measure(Run *r, OrtCall *call, double *best) {
  double end = seconds_now() + MEASURE_SECONDS;
  *best = 1e300;
  for (double start = seconds_now(); start < end;) {
    const char *error = ort_call(call, r->arena);
    if (error) return error;
    double stop = seconds_now();
    if (stop - start < *best) *best = stop - start;
    start = stop;
  }
  return NULL;
}

/* How many chains or draws there are: the size of the first batched input, or 1. */
static int64_t batch_size(const Run *r) {
  size_t count;
  const OrtPort *ports = ort_inputs(r->model, &count);
  for (size_t k = 0; k < count; k++)
    if (leads_with_batch(&ports[k])) return r->inputs[k].dims[0];
  return 1;
}

/* The contract's tensors that have a number for each coordinate of the unconstrained vector. */
static void add_table(Run *r, Text *out, const OrtPort *port, const OrtTensor *t) {
  bool coordinates = strcmp(port->name, POINT_INPUT) == 0 || strcmp(port->name, "gradient") == 0;
  const char *const *labels =
      coordinates && t->rank == 2 ? coordinate_labels(r->arena, r->model, t->dims[1]) : NULL;
  print_tensor(out, port->name, t, port->rank ? port->dim_names[0] : "", labels);
}

static void add_points(Run *r, Text *out) {
  size_t count;
  const OrtPort *ports = ort_inputs(r->model, &count);
  for (size_t k = 0; k < count; k++) {
    if (strcmp(ports[k].name, POINT_INPUT) != 0 || r->options.point) continue;
    if (r->options.json) {
      text_printf(out, "\"%s\": ", POINT_INPUT);
      print_tensor_json(out, &r->inputs[k]);
      text_add(out, ", ");
    } else {
      add_table(r, out, &ports[k], &r->inputs[k]);
      text_add(out, "\n");
    }
  }
}

static const char *add_outputs(Run *r, const OrtCall *call, Text *out) {
  size_t count;
  const OrtPort *ports = ort_outputs(r->model, &count);
  for (size_t k = 0; k < count; k++) {
    OrtTensor t;
    const char *error = ort_result(call, r->arena, k, &t);
    if (error) return error;
    if (r->options.json) {
      if (k) text_add(out, ", ");
      text_add_json_string(out, ports[k].name);
      text_add(out, ": ");
      print_tensor_json(out, &t);
    } else {
      if (k) text_add(out, "\n");
      add_table(r, out, &ports[k], &t);
    }
  }
  return NULL;
}

static const char *evaluate(Run *r, Text *out) {
  OrtCall *call = NULL;
  double seconds = 0;
  const char *error = bind_inputs(r);
  if (!error) error = ort_bind(r->model, r->arena, r->inputs, &call);
  if (error) return error;
  error = ort_call(call, r->arena);
  if (!error && r->options.time) error = measure(r, call, &seconds);
  if (!error) {
    if (r->options.json) text_add(out, "{");
    add_points(r, out);
    error = add_outputs(r, call, out);
    if (r->options.json) {
      if (r->options.time) text_printf(out, ", \"seconds_per_evaluation\": %.9g", seconds);
      text_add(out, "}\n");
    } else if (r->options.time) {
      text_add(out, "\n");
      print_time(out, seconds, batch_size(r));
    }
  }
  ort_release(call);
  return error;
}

static const char *run(Run *r, Text *out) {
  const char *error = open_model(r);
  if (error) return error;
  if (!r->options.info) return evaluate(r, out);
  if (r->options.json)
    print_info_json(out, r->model);
  else
    print_info(out, r->model);
  return NULL;
}

static void finish(Run *r) {
  if (r->data) json_decref(r->data);
  if (r->params) json_decref(r->params);
  ort_unload(r->model);
  ort_close(r->ort);
}

static int run_command(Arena *a, int argc, char **argv) {
  Run r = {.arena = a};
  const char *error = run_options(a, argc, argv, &r.options);
  if (error) return complain(EXIT_USAGE, "%s (see --help)", error);
  if (r.options.help) return print_run_help(stdout), EXIT_DONE;
  if (r.options.version) return printf("stan2onnx-run %s\n", run_version()), EXIT_DONE;
  Text out = text_new(a);
  error = run(&r, &out);
  finish(&r);
  return error ? complain(EXIT_FAILED, "%s", error) : print_text(&out);
}

static const struct {
  const char *name;
  int (*run)(Arena *a, int argc, char **argv);
} commands[] = {
    {"sample", sample_command}, {"generate", generate_command}, {"summary", summary_command}};

static int command(Arena *a, int argc, char **argv) {
  for (size_t k = 0; argc > 1 && k < sizeof commands / sizeof *commands; k++)
    if (strcmp(argv[1], commands[k].name) == 0) return commands[k].run(a, argc - 1, argv + 1);
  return run_command(a, argc, argv);
}

int main(int argc, char **argv) {
  Arena *a = arena_new();
  jmp_buf escape;
  if (!a || setjmp(escape)) {
    fprintf(stderr, "stan2onnx-run: out of memory\n");
    return EXIT_FAILED;
  }
  arena_on_exhaustion(a, &escape);
  int status = command(a, argc, argv);
  arena_free(a);
  return status;
}
