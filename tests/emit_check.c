#include "emit_check.h"

#include "runtime/ort.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-13;

static Ort *ort;

IrTensor *tensor_of(Arena *a, const Input *x) {
  IrTensor *t = ir_tensor_new(a, ir_type(x->dtype, x->rank, x->dims));
  for (int64_t i = 0; i < t->count; i++) {
    double v = x->values ? x->values[i % x->value_count] : (double)(i + 1);
    if (x->dtype == IR_F64)
      t->data.f64[i] = v;
    else if (x->dtype == IR_I64)
      t->data.i64[i] = (int64_t)v;
    else
      t->data.boolean[i] = v != 0;
  }
  return t;
}

static int input_count(const Case *c) {
  int n = 0;
  while (n < MAX_INPUTS && (c->inputs[n].rank || c->inputs[n].values)) n++;
  return n;
}

IrFunction *function_of(Arena *a, const Case *c, bool open_sizes) {
  IrModule *m = ir_module_new(a, (IrOptions){0});
  IrBuilder *b = ir_function_begin(m, NULL, c->name);
  IrValue *in[MAX_INPUTS], *out[MAX_OUTPUTS];
  int n = input_count(c);
  for (int k = 0; k < n; k++) {
    IrType t = ir_type(c->inputs[k].dtype, c->inputs[k].rank, c->inputs[k].dims);
    for (int i = 0; i < t.rank; i++)
      if (open_sizes && t.dim[i] != 1) t.dim[i] = IR_DYNAMIC;
    in[k] = ir_param(b, t, NULL);
  }
  int results = c->build(b, in, out);
  return ir_function_end(b, out, NULL, results);
}

EmittedModel emitted(Arena *a, const IrFunction *f, bool prob_dialect) {
  static const EmitPort inputs[] = {
      {.name = "in0"}, {.name = "in1"}, {.name = "in2"}, {.name = "in3"}};
  static const EmitPort outputs[] = {
      {.name = "out0"}, {.name = "out1"}, {.name = "out2"}, {.name = "out3"}};
  EmitOptions o = {.graph_name = "test",
                   .inputs = inputs,
                   .outputs = outputs,
                   .input_count = f->param_count,
                   .output_count = f->result_count,
                   .prob_dialect = prob_dialect};
  EmittedModel model;
  const char *error = emit_model(a, f, &o, &model);
  ck_assert_msg(!error, "%s: %s", f->name, error);
  return model;
}

static void save(const char *name, const EmittedModel *model) {
  const char *folder = getenv("STAN2ONNX_TEST_MODELS");
  if (!folder) return;
  char path[512];
  snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
  FILE *file = fopen(path, "wb");
  if (!file) return;
  fwrite(model->bytes, 1, model->size, file);
  fclose(file);
}

static bool close_enough(double x, double y) {
  if (isnan(x) || isnan(y)) return isnan(x) && isnan(y);
  return x == y || fabs(x - y) <= TOLERANCE * fmax(fabs(x), fabs(y));
}

static double number(const void *data, OrtElement e, int64_t i) {
  if (e == ORT_F64) return ((const double *)data)[i];
  if (e == ORT_I64) return (double)((const int64_t *)data)[i];
  return ((const uint8_t *)data)[i];
}

static const OrtElement elements[] = {[IR_F64] = ORT_F64, [IR_I64] = ORT_I64, [IR_BOOL] = ORT_BOOL};

static void compare(const char *name, int k, const IrTensor *expected, const OrtTensor *got) {
  ck_assert_msg(got->element == elements[expected->type.dtype], "%s: result %d has another type",
                name, k);
  ck_assert_msg(got->rank == expected->type.rank, "%s: result %d has rank %d, not %d", name, k,
                got->rank, expected->type.rank);
  for (int i = 0; i < got->rank; i++)
    ck_assert_msg(got->dims[i] == expected->type.dim[i],
                  "%s: result %d has %lld elements along axis %d, not %lld", name, k,
                  (long long)got->dims[i], i, (long long)expected->type.dim[i]);
  for (int64_t i = 0; i < expected->count; i++) {
    double x = number(expected->data.bytes, got->element, i),
           y = number(got->data, got->element, i);
    ck_assert_msg(close_enough(x, y), "%s: element %lld of result %d is %.17g, not %.17g", name,
                  (long long)i, k, y, x);
  }
}

void check_function(Arena *a, const IrFunction *f, const IrTensor *const *args, bool prob_dialect) {
  const IrTensor *expected[MAX_OUTPUTS];
  OrtTensor inputs[MAX_INPUTS];
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "%s: %s", f->name, wrong);
  IrPlan *plan = ir_plan_new(f);
  const char *error = ir_plan_run(plan, args, expected);
  ck_assert_msg(!error, "%s: %s", f->name, error);
  EmittedModel model = emitted(a, f, prob_dialect);
  save(f->name, &model);
  for (int k = 0; k < f->param_count; k++) {
    const IrTensor *t = args[k];
    inputs[k] = (OrtTensor){
        .element = elements[t->type.dtype], .rank = t->type.rank, .data = t->data.bytes};
    memcpy(inputs[k].dims, t->type.dim, sizeof(int64_t) * (size_t)t->type.rank);
  }
  OrtModel *session;
  OrtCall *call;
  error = ort_load_bytes(ort, a, model.bytes, model.size, 1, &session);
  ck_assert_msg(!error, "%s: %s", f->name, error);
  error = ort_bind(session, a, inputs, &call);
  if (!error) error = ort_call(call, a);
  ck_assert_msg(!error, "%s: %s", f->name, error);
  for (int k = 0; k < f->result_count; k++) {
    OrtTensor got;
    error = ort_result(call, a, (size_t)k, &got);
    ck_assert_msg(!error, "%s: %s", f->name, error);
    compare(f->name, k, expected[k], &got);
  }
  ort_release(call);
  ort_unload(session);
  ir_plan_free(plan);
}

void check_case(const Case *c) {
  for (int open_sizes = 0; open_sizes < 2; open_sizes++) {
    Arena *a = arena_new();
    const IrTensor *args[MAX_INPUTS];
    for (int k = 0; k < input_count(c); k++) args[k] = tensor_of(a, &c->inputs[k]);
    check_function(a, function_of(a, c, open_sizes), args, false);
    arena_free(a);
  }
}

int run_with_runtime(Suite *s) {
  Arena *a = arena_new();
  const char *library = ort_find(a, NULL, NULL);
  const char *error = ort_open(a, library, &ort);
  SRunner *runner = srunner_create(s);
  int status = SKIPPED;
  if (error) {
    fprintf(stderr, "SKIPPED, for want of ONNX Runtime: %s\n", error);
  } else {
    /* One process: ONNX Runtime's threads do not survive a fork. */
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    status = srunner_ntests_failed(runner) ? EXIT_FAILURE : EXIT_SUCCESS;
    ort_close(ort);
  }
  srunner_free(runner);
  arena_free(a);
  return status;
}
