#include "generate_check.h"

#include "lower/lower.h"
#include "runtime/values.h"
#include "stan2onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

static Ort *ort;

/* ---- inputs ---- */

static OrtTensor integers(Arena *a, int count, int64_t first, int64_t second) {
  int64_t *values = ARENA_ARRAY(a, int64_t, 2);
  values[0] = first;
  values[1] = second;
  return (OrtTensor){.element = ORT_I64, .rank = count > 1, .dims = {count}, .data = values};
}

static json_t *parse(const char *text) {
  json_error_t error;
  json_t *object = json_loads(text ? text : "{}", JSON_DECODE_ANY, &error);
  ck_assert_msg(object != NULL, "%s", error.text);
  return object;
}

static OrtTensor input(Arena *a, const Generation *g, json_t *const *sources, const OrtPort *port) {
  if (!strcmp(port->name, "prng_state"))
    return integers(a, 2, g->seed >> 32, g->seed & INT64_C(0xffffffff));
  if (!strcmp(port->name, "draw_count")) return integers(a, 1, g->draws, 0);
  OrtTensor x;
  const char *rest;
  for (int k = 0; k < 2; k++) {
    json_t *value = find_value(sources[k], port->name, &rest);
    if (!value) continue;
    const char *error = tensor_from_json(a, value, rest, port, k == 1, &x);
    ck_assert_msg(!error, "%s", error);
    return x;
  }
  ck_abort_msg("no value for the input %s", port->name);
}

/* ---- ONNX Runtime ---- */

static OrtTensor copied(Arena *a, OrtTensor t) {
  size_t n = (size_t)ort_count(&t) * ort_element_size(t.element);
  void *data = arena_alloc(a, n + 1);
  if (n) memcpy(data, t.data, n);
  t.data = data;
  return t;
}

static Stan2onnxResult *compile(const Generation *g) {
  Stan2onnxOptions o = {.struct_size = sizeof o,
                        .name = "model.stan",
                        .source = g->source,
                        .source_length = strlen(g->source),
                        .entry = g->log_density ? STAN2ONNX_LOG_DENSITY : STAN2ONNX_GENERATE,
                        .prob_dialect = g->prob};
  if (g->baked && g->data) o.data = g->data, o.data_length = strlen(g->data);
  Stan2onnxResult *r = stan2onnx_compile(&o);
  ck_assert_msg(stan2onnx_status(r) == STAN2ONNX_OK, "%s\n%s", g->source, stan2onnx_diagnostics(r));
  return r;
}

Generated generate_in_runtime(Arena *a, const Generation *g) {
  Stan2onnxResult *r = compile(g);
  json_t *sources[2] = {parse(g->data), parse(g->inputs)};
  size_t size, count;
  const void *bytes = stan2onnx_output(r, &size);
  OrtModel *session;
  OrtCall *call;
  const char *error = ort_load_bytes(ort, a, bytes, size, 1, &session);
  ck_assert_msg(!error, "%s\n%s", g->source, error);
  const OrtPort *ports = ort_inputs(session, &count);
  OrtTensor *bound = ARENA_ARRAY(a, OrtTensor, count + 1);
  for (size_t k = 0; k < count; k++) bound[k] = input(a, g, sources, &ports[k]);
  error = ort_bind(session, a, bound, &call);
  if (!error) error = ort_call(call, a);
  ck_assert_msg(!error, "%s\n%s", g->source, error);
  Generated out = {0};
  ports = ort_outputs(session, &out.count);
  for (size_t k = 0; k < out.count; k++) {
    OrtTensor got;
    error = ort_result(call, a, k, &got);
    ck_assert_msg(!error, "%s", error);
    out.names[k] = arena_strdup(a, ports[k].name);
    out.tensors[k] = copied(a, got);
  }
  ort_release(call);
  ort_unload(session);
  stan2onnx_free(r);
  for (int k = 0; k < 2; k++) json_decref(sources[k]);
  return out;
}

/* ---- the evaluator ---- */

static const OrtElement elements[] = {[IR_F64] = ORT_F64, [IR_I64] = ORT_I64, [IR_BOOL] = ORT_BOOL};
static const IrDtype dtypes[] = {[ORT_F64] = IR_F64, [ORT_I64] = IR_I64, [ORT_BOOL] = IR_BOOL};

static Lowered *lower(Arena *a, const Generation *g, DataSet **data) {
  Diagnostics *d = diagnostics_new(a);
  Sources *sources = sources_new(a);
  jmp_buf fatal;
  diag_on_fatal(d, &fatal);
  ck_assert_msg(!setjmp(fatal), "cannot be lowered:\n%s", g->source);
  uint32_t file = sources_add(sources, "model.stan", g->source, strlen(g->source));
  Program *program = parse_program(a, sources, file, (ParseOptions){0}, d);
  ck_assert(program && check_program(a, program, (CheckOptions){0}, d));
  LowerOptions o = {.entry = g->log_density ? ENTRY_LOG_DENSITY : ENTRY_GENERATE};
  if (g->baked && g->data) o.data = *data = data_parse(a, g->data, strlen(g->data), "data.json", d);
  return lower_program(a, program, &o, sources, d);
}

static const IrTensor *argument(Arena *a, const Generation *g, json_t *const *sources,
                                const char *name, const IrType *type) {
  OrtPort port = {.name = name, .element = elements[type->dtype], .rank = type->rank};
  memcpy(port.dims, type->dim, sizeof(int64_t) * (size_t)type->rank);
  OrtTensor x = input(a, g, sources, &port);
  IrTensor *t = ir_tensor_new(a, ir_type(dtypes[x.element], x.rank, x.dims));
  memcpy(t->data.bytes, x.data, (size_t)t->count * ir_dtype_size(t->type.dtype));
  return t;
}

Generated generate_in_evaluator(Arena *a, const Generation *g) {
  DataSet *data = NULL;
  Lowered *l = lower(a, g, &data);
  json_t *sources[2] = {parse(g->data), parse(g->inputs)};
  const IrTensor **args = ARENA_ARRAY(a, const IrTensor *, (size_t)l->input_count + 1);
  for (int k = 0; k < l->input_count; k++)
    args[k] = argument(a, g, sources, l->inputs[k].name, &l->function->params[k]->type);
  const IrTensor **results = ARENA_ARRAY(a, const IrTensor *, (size_t)l->output_count + 1);
  const char *wrong = ir_verify(l->function);
  ck_assert_msg(!wrong, "%s", wrong);
  IrPlan *plan = ir_plan_new(l->function);
  const char *error = ir_plan_run(plan, args, results);
  ck_assert_msg(!error, "%s\n%s", g->source, error);
  Generated out = {.count = (size_t)l->output_count};
  for (int k = 0; k < l->output_count; k++) {
    OrtTensor t = {.element = elements[results[k]->type.dtype],
                   .rank = results[k]->type.rank,
                   .data = results[k]->data.bytes};
    memcpy(t.dims, results[k]->type.dim, sizeof(int64_t) * (size_t)t.rank);
    out.names[k] = l->outputs[k].name;
    out.tensors[k] = copied(a, t);
  }
  ir_plan_free(plan);
  data_free(data);
  for (int k = 0; k < 2; k++) json_decref(sources[k]);
  return out;
}

/* ---- results ---- */

const OrtTensor *generated(const Generated *g, const char *name) {
  for (size_t k = 0; k < g->count; k++)
    if (!strcmp(g->names[k], name)) return &g->tensors[k];
  ck_abort_msg("no output %s", name);
}

double generated_number(const OrtTensor *t, int64_t i) {
  return t->element == ORT_F64 ? ((const double *)t->data)[i]
                               : (double)((const int64_t *)t->data)[i];
}

int run_generating(Suite *s) {
  Arena *a = arena_new();
  const char *error = ort_open(a, ort_find(a, NULL, NULL), &ort);
  SRunner *runner = srunner_create(s);
  int status = SKIPPED;
  if (error) {
    fprintf(stderr, "SKIPPED, for want of ONNX Runtime: %s\n", error);
  } else {
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    status = srunner_ntests_failed(runner) ? EXIT_FAILURE : EXIT_SUCCESS;
    ort_close(ort);
  }
  srunner_free(runner);
  arena_free(a);
  return status;
}
