/* Every op, emitted as ONNX and run in ONNX Runtime, against the IR's evaluator: with all sizes
 * known, and with all sizes open. A new row of ops.def that maps elements to elements is tested by
 * being there. */
#include "emit/emit.h"
#include "ir/ir.h"
#include "runtime/ort.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 4, MAX_OUTPUTS = 4, SKIPPED = 77 };

static const double TOLERANCE = 1e-13;

typedef struct {
  IrDtype dtype;
  int rank;
  int64_t dims[IR_MAX_RANK];
  const double *values; /* taken around and around; NULL: 1, 2, 3, ... */
  int value_count;
} Input;

/* Builds results of inputs. Returns how many. */
typedef int (*Build)(IrBuilder *b, IrValue *const *in, IrValue **out);

typedef struct {
  const char *name;
  Input inputs[MAX_INPUTS];
  Build build;
} Case;

static Ort *ort;

/* ---- running ---- */

static IrTensor *tensor_of(Arena *a, const Input *x) {
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

static IrFunction *function_of(Arena *a, const Case *c, bool open_sizes) {
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

static EmittedModel emitted(Arena *a, const IrFunction *f, bool prob_dialect) {
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

static void check_function(Arena *a, const IrFunction *f, const IrTensor *const *args,
                           bool prob_dialect) {
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

static void check_case(const Case *c) {
  for (int open_sizes = 0; open_sizes < 2; open_sizes++) {
    Arena *a = arena_new();
    const IrTensor *args[MAX_INPUTS];
    for (int k = 0; k < input_count(c); k++) args[k] = tensor_of(a, &c->inputs[k]);
    check_function(a, function_of(a, c, open_sizes), args, false);
    arena_free(a);
  }
}

/* ---- elementwise ops: from the table ---- */

static const double reals[] = {-INFINITY, -700.5, -2.5, -1, -0.5,  -0.0,     0,
                               0.25,      1,      2,    3,  20.75, INFINITY, NAN};
static const double more_reals[] = {3, 0.5, -1, NAN, 2, -0.0, INFINITY, 1, -2, 0, 7.25};
static const double integers[] = {-7, -2, -1, 0, 1, 2, 3, 9, 100};
static const double divisors[] = {3, -2, 1, 5, -7};
static const double truths[] = {0, 1, 1, 0, 0, 1, 0};

#define SPREAD(values) (values), (int)(sizeof(values) / sizeof *(values))

/* Element types that ops of a shape rule take. */
static const struct {
  const char *rule;
  bool takes[3];
} rules[] = {
    {"arithmetic", {[IR_F64] = true, [IR_I64] = true}},
    {"real", {[IR_F64] = true}},
    {"logical", {[IR_BOOL] = true}},
    {"predicate", {[IR_F64] = true}},
    {"comparison", {[IR_F64] = true, [IR_I64] = true}},
};

static const char *const shape_rules[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = #shape,
#include "ir/ops.def"
#undef OP
};

static const int operand_counts[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = operands,
#include "ir/ops.def"
#undef OP
};

static bool takes(IrOp op, IrDtype dtype) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (strcmp(rules[i].rule, shape_rules[op]) == 0) return rules[i].takes[dtype];
  return false;
}

static Input elementwise_input(IrDtype dtype, bool second, int rank, int64_t d0, int64_t d1) {
  Input x = {.dtype = dtype, .rank = rank, .dims = {d0, d1}, .values = truths, .value_count = 7};
  if (dtype == IR_F64) {
    x.values = second ? more_reals : reals;
    x.value_count = second ? 11 : 14;
  } else if (dtype == IR_I64) {
    x.values = second ? divisors : integers;
    x.value_count = second ? 5 : 9;
  }
  return x;
}

static void check_elementwise(IrOp op, IrDtype dtype) {
  Input x = elementwise_input(dtype, false, 2, 14, 11),
        y = elementwise_input(dtype, true, 2, 1, 11);
  Input inputs[2] = {x, y};
  for (int open_sizes = 0; open_sizes < 2; open_sizes++) {
    Arena *a = arena_new();
    IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, ir_op_name(op));
    IrValue *in[2];
    const IrTensor *args[2];
    for (int k = 0; k < operand_counts[op]; k++) {
      IrType t = ir_type(dtype, 2, inputs[k].dims);
      for (int i = 0; i < 2; i++)
        if (open_sizes && t.dim[i] != 1) t.dim[i] = IR_DYNAMIC;
      in[k] = ir_param(b, t, NULL);
      args[k] = tensor_of(a, &inputs[k]);
    }
    IrValue *out = ir_emit(b, op, (IrAttr){0}, in, operand_counts[op]);
    check_function(a, ir_function_end(b, &out, NULL, 1), args, false);
    arena_free(a);
  }
}

START_TEST(elementwise) {
  int checked = 0;
  for (int op = 0; op < IR_OP_COUNT; op++)
    for (int dtype = 0; dtype < 3; dtype++)
      if (takes((IrOp)op, (IrDtype)dtype)) {
        check_elementwise((IrOp)op, (IrDtype)dtype);
        checked++;
      }
  ck_assert_int_gt(checked, 40);
}
END_TEST

/* ---- the other ops ---- */

static IrValue *n(IrBuilder *b, int64_t x) { return ir_i64(b, x); }

static int build_casts(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_cast(b, in[0], IR_I64);
  out[1] = ir_cast(b, in[0], IR_BOOL);
  out[2] = ir_cast(b, in[1], IR_F64);
  out[3] = ir_cast(b, in[1], IR_I64);
  return 4;
}

static int build_select(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_select(b, in[0], in[1], ir_f64(b, 4));
  out[1] = ir_select(b, in[0], in[2], ir_binary(b, IR_MUL, in[2], n(b, 3)));
  out[2] = ir_select(b, in[0], in[3], ir_unary(b, IR_NOT, in[0]));
  return 3;
}

static int build_bool_equality(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_binary(b, IR_EQ, in[0], in[1]);
  out[1] = ir_binary(b, IR_NE, in[0], in[1]);
  return 2;
}

static int build_broadcast(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *dims[] = {n(b, 2), ir_dim(b, in[1], 0), ir_dim(b, in[0], 1)};
  out[0] = ir_broadcast(b, in[0], dims, 3);
  out[1] = ir_broadcast(b, ir_f64(b, 2.5), dims, 3);
  out[2] = ir_broadcast(b, in[2], dims + 1, 2);
  return 3;
}

static int build_reshape(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *rows = ir_dim(b, in[0], 0), *columns = ir_dim(b, in[0], 1);
  IrValue *flat[] = {ir_binary(b, IR_MUL, rows, columns)};
  IrValue *unit[] = {rows, n(b, 1), columns};
  IrValue *split[] = {rows, n(b, 2), n(b, 3)};
  IrValue *swapped[] = {columns, rows};
  out[0] = ir_reshape(b, in[0], flat, 1);
  out[1] = ir_reshape(b, in[0], unit, 3);
  out[2] = ir_reshape(b, in[0], split, 3);
  out[3] = ir_reshape(b, in[0], swapped, 2);
  return 4;
}

static int build_unit_reshape(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_unsqueeze(b, ir_squeeze(b, in[0], 1), 0);
  out[1] = ir_reshape(b, in[1], NULL, 0);
  return 2;
}

static int build_transpose(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t permutation[] = {2, 0, 1};
  out[0] = ir_transpose(b, in[0], permutation);
  return 1;
}

static int build_real_reductions(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t last[] = {1}, first[] = {0};
  out[0] = ir_reduce(b, IR_REDUCE_SUM, in[0], last, 1);
  out[1] = ir_reduce(b, IR_REDUCE_PROD, in[0], first, 1);
  out[2] = ir_reduce(b, IR_REDUCE_MAX, in[0], last, 1);
  out[3] = ir_reduce(b, IR_REDUCE_MIN, in[0], last, 1);
  return 4;
}

static int build_full_reductions(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_reduce_all(b, IR_REDUCE_SUM, in[0]);
  out[1] = ir_reduce_all(b, IR_REDUCE_PROD, in[0]);
  out[2] = ir_reduce_all(b, IR_REDUCE_MAX, in[0]);
  out[3] = ir_reduce_all(b, IR_REDUCE_MIN, in[0]);
  return 4;
}

static int build_sum_prod(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t axes[] = {1};
  out[0] = ir_reduce(b, IR_REDUCE_SUM, in[0], axes, 1);
  out[1] = ir_reduce(b, IR_REDUCE_PROD, in[0], axes, 1);
  return 2;
}

static int build_logical_reductions(IrBuilder *b, IrValue *const *in, IrValue **out) {
  static const int8_t last[] = {1};
  out[0] = ir_reduce(b, IR_REDUCE_ANY, in[0], last, 1);
  out[1] = ir_reduce(b, IR_REDUCE_ALL, in[0], last, 1);
  out[2] = ir_reduce_all(b, IR_REDUCE_ANY, in[0]);
  out[3] = ir_reduce_all(b, IR_REDUCE_ALL, in[0]);
  return 4;
}

static int build_matmul(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_matmul(b, in[0], in[1]);
  out[1] = ir_matmul(b, in[2], in[1]);
  return 2;
}

static int build_one_matmul(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_matmul(b, in[0], in[1]);
  return 1;
}

static int build_slice(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_slice(b, in[0], 1, n(b, 1), n(b, 2));
  out[1] = ir_slice(b, in[0], 0, in[1], n(b, 2));
  out[2] = ir_slice(b, in[0], 0, n(b, 0), in[1]);
  out[3] = ir_slice(b, in[0], 1, in[1], n(b, 0));
  return 4;
}

static int build_reverse(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrAttr first = {.axis = 0}, second = {.axis = 1};
  out[0] = ir_emit(b, IR_REVERSE, first, in, 1);
  out[1] = ir_emit(b, IR_REVERSE, second, in, 1);
  return 2;
}

static int build_concat(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *parts[] = {in[0], in[1], in[0]};
  out[0] = ir_concat(b, parts, 3, 1);
  return 1;
}

static int build_cumsum(IrBuilder *b, IrValue *const *in, IrValue **out) {
  for (int k = 0; k < 4; k++) {
    IrAttr attr = {.axis = k / 2 == 0 ? 1 : 0, .exclusive = k % 2, .reverse = k / 2};
    out[k] = ir_emit(b, IR_CUMSUM, attr, in, 1);
  }
  return 4;
}

static int build_argsort(IrBuilder *b, IrValue *const *in, IrValue **out) {
  for (int k = 0; k < 4; k++)
    out[k] = ir_emit(b, IR_ARGSORT, (IrAttr){.reverse = k % 2}, in + k / 2, 1);
  return 4;
}

static int build_sources(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_iota(b, in[0]);
  out[1] = ir_emit(b, IR_NONZERO, (IrAttr){0}, in + 1, 1);
  out[2] = ir_iota(b, ir_dim(b, in[1], 0));
  out[3] = ir_binary(b, IR_ADD, ir_dim(b, in[2], 1), in[0]);
  return 4;
}

static int build_constants(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *many[] = {n(b, 100)};
  out[0] = ir_broadcast(b, ir_f64(b, 0.1), many, 1);
  out[1] = ir_iota(b, n(b, 5));
  out[2] = in[0];
  out[3] = in[0];
  return 4;
}

/* ---- indexing ---- */

static int build_gather_first(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 0, 0);
  out[1] = ir_gather(b, in[0], in[1], 1, 0);
  out[2] = ir_gather(b, in[0], in[2], 1, 0);
  out[3] = ir_gather(b, in[0], n(b, 1), 1, 0);
  return 4;
}

static int build_gather_vector(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 0, 0);
  out[1] = ir_gather(b, in[0], in[2], 0, 0);
  out[2] = ir_gather(b, in[0], n(b, 2), 0, 0);
  return 3;
}

static int build_gather_batch(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 1, 1);
  out[1] = ir_gather(b, in[0], in[2], 1, 1);
  out[2] = ir_gather(b, in[0], in[1], 2, 1);
  out[3] = ir_gather(b, in[0], in[3], 1, 1);
  return 4;
}

static int build_gather_batch_flat(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 1, 1);
  out[1] = ir_gather(b, in[0], in[2], 1, 1);
  out[2] = ir_gather(b, in[0], in[3], 1, 1);
  return 3;
}

static int build_gather_two_batches(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_gather(b, in[0], in[1], 2, 2);
  out[1] = ir_gather(b, in[0], in[1], 3, 2);
  return 2;
}

static int scatters(IrBuilder *b, IrValue *x, IrValue *index, int axis, int batch, IrValue **out) {
  IrValue *updates = ir_gather(b, ir_unary(b, IR_NEG, x), index, axis, batch);
  out[0] = ir_scatter(b, IR_SCATTER_ADD, x, index, updates, axis, batch);
  out[1] = ir_scatter(b, IR_SCATTER_SET, x, index, updates, axis, batch);
  return 2;
}

static int build_scatter_vector(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 0, 0, out);
  return 2 + scatters(b, in[0], in[2], 0, 0, out + 2);
}

static int build_scatter_rows(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 0, 0, out);
  return 2 + scatters(b, in[0], in[2], 0, 0, out + 2);
}

static int build_scatter_columns(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 1, 0, out);
  return 2 + scatters(b, in[0], in[2], 1, 0, out + 2);
}

static int build_scatter_single(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], n(b, 1), 1, 0, out);
  return 2 + scatters(b, in[0], n(b, 2), 0, 0, out + 2);
}

static int build_scatter_batch(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 1, 1, out);
  return 2 + scatters(b, in[0], in[1], 2, 1, out + 2);
}

static int build_scatter_batch_more(IrBuilder *b, IrValue *const *in, IrValue **out) {
  scatters(b, in[0], in[1], 1, 1, out);
  return 2 + scatters(b, in[0], in[2], 1, 1, out + 2);
}

/* A sum with duplicates in order tells whether the last of two writes wins and whether none is
 * lost. */
static int build_scatter_apart(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_scatter(b, IR_SCATTER_SET, in[0], in[1], in[2], 0, 0);
  out[1] = ir_scatter(b, IR_SCATTER_ADD, in[0], in[1], in[2], 0, 0);
  return 2;
}

static const double rows_of_4[] = {3, 0, 1, 0};
static const double rows_of_3[] = {2, 0, 1, 0, 2};
static const double rows_of_2[] = {1, 0, 0, 1};
static const double nan_rows[] = {1, NAN, 3, 4, 5, 6, INFINITY, -INFINITY, 2, 7, 8, 9};
static const double ties[] = {3, 1, NAN, 3, 1, -INFINITY, 2, 2, INFINITY, NAN};
static const double two[] = {2};
static const double false_only[] = {0};
static const double nothing[] = {0};

#define F64  IR_F64
#define I64  IR_I64
#define BOOL IR_BOOL

static const Case cases[] = {
    {"casts", {{F64, 1, {5}, SPREAD(integers)}, {BOOL, 1, {6}, SPREAD(truths)}}, build_casts},
    {"select",
     {{BOOL, 2, {3, 4}, SPREAD(truths)},
      {F64, 1, {4}, SPREAD(reals)},
      {I64, 2, {3, 4}, NULL, 0},
      {BOOL, 1, {4}, SPREAD(truths)}},
     build_select},
    {"bool_equality",
     {{BOOL, 2, {7, 4}, SPREAD(truths)}, {BOOL, 1, {4}, SPREAD(truths)}},
     build_bool_equality},
    {"broadcast",
     {{F64, 2, {1, 3}, NULL, 0}, {F64, 1, {4}, NULL, 0}, {I64, 2, {4, 1}, NULL, 0}},
     build_broadcast},
    {"reshape", {{F64, 2, {4, 6}, NULL, 0}}, build_reshape},
    {"reshape_empty", {{F64, 2, {0, 6}, NULL, 0}}, build_reshape},
    {"unit_reshape",
     {{F64, 3, {4, 1, 6}, NULL, 0}, {BOOL, 2, {1, 1}, NULL, 0}},
     build_unit_reshape},
    {"transpose", {{BOOL, 3, {2, 3, 4}, SPREAD(truths)}}, build_transpose},
    {"reductions", {{F64, 2, {4, 3}, SPREAD(nan_rows)}}, build_real_reductions},
    {"full_reductions", {{F64, 2, {3, 7}, NULL, 0}}, build_full_reductions},
    {"integer_reductions", {{I64, 2, {4, 3}, SPREAD(integers)}}, build_real_reductions},
    {"empty_reductions", {{F64, 2, {4, 0}, NULL, 0}}, build_sum_prod},
    {"logical_reductions", {{BOOL, 2, {5, 3}, SPREAD(truths)}}, build_logical_reductions},
    {"false_reductions", {{BOOL, 2, {5, 3}, SPREAD(false_only)}}, build_logical_reductions},
    {"empty_logical_reductions", {{BOOL, 2, {5, 0}, SPREAD(truths)}}, build_logical_reductions},
    {"matmul",
     {{F64, 2, {4, 3}, NULL, 0}, {F64, 2, {3, 5}, NULL, 0}, {F64, 3, {2, 4, 3}, NULL, 0}},
     build_matmul},
    {"matmul_batches",
     {{F64, 3, {2, 4, 3}, NULL, 0}, {F64, 3, {2, 3, 5}, NULL, 0}},
     build_one_matmul},
    {"matmul_nothing",
     {{F64, 2, {4, 0}, NULL, 0}, {F64, 2, {0, 5}, NULL, 0}, {F64, 3, {2, 4, 0}, NULL, 0}},
     build_matmul},
    {"matmul_nothing_batches",
     {{F64, 3, {9, 4, 0}, NULL, 0}, {F64, 3, {9, 0, 5}, NULL, 0}},
     build_one_matmul},
    {"slice", {{F64, 2, {5, 4}, NULL, 0}, {I64, 0, {0}, SPREAD(two)}}, build_slice},
    {"slice_bools", {{BOOL, 2, {5, 4}, SPREAD(truths)}, {I64, 0, {0}, SPREAD(two)}}, build_slice},
    {"reverse", {{F64, 2, {3, 4}, NULL, 0}}, build_reverse},
    {"reverse_nothing", {{I64, 2, {0, 4}, NULL, 0}}, build_reverse},
    {"concat", {{F64, 2, {3, 2}, NULL, 0}, {F64, 2, {3, 4}, NULL, 0}}, build_concat},
    {"concat_nothing", {{BOOL, 2, {3, 0}, NULL, 0}, {BOOL, 2, {3, 4}, NULL, 0}}, build_concat},
    {"cumsum", {{F64, 2, {3, 4}, NULL, 0}}, build_cumsum},
    {"cumsum_integers", {{I64, 2, {3, 4}, NULL, 0}}, build_cumsum},
    {"cumsum_nothing", {{F64, 2, {3, 0}, NULL, 0}}, build_cumsum},
    {"argsort", {{F64, 2, {2, 10}, SPREAD(ties)}, {I64, 1, {9}, SPREAD(divisors)}}, build_argsort},
    {"argsort_nothing", {{F64, 2, {2, 0}, NULL, 0}, {I64, 1, {0}, NULL, 0}}, build_argsort},
    {"sources",
     {{I64, 0, {0}, SPREAD(two)}, {BOOL, 1, {7}, SPREAD(truths)}, {F64, 2, {3, 5}, NULL, 0}},
     build_sources},
    {"no_sources",
     {{I64, 0, {0}, SPREAD(nothing)},
      {BOOL, 1, {7}, SPREAD(false_only)},
      {F64, 2, {3, 0}, NULL, 0}},
     build_sources},
    {"constants", {{F64, 1, {3}, NULL, 0}}, build_constants},
    {"gather",
     {{F64, 2, {4, 4}, NULL, 0},
      {I64, 1, {20}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_gather_first},
    {"gather_deep",
     {{I64, 3, {4, 4, 3}, NULL, 0},
      {I64, 1, {4}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_gather_first},
    {"gather_vector",
     {{BOOL, 1, {4}, SPREAD(truths)},
      {I64, 1, {5}, SPREAD(rows_of_4)},
      {I64, 2, {2, 2}, SPREAD(rows_of_4)}},
     build_gather_vector},
    {"gather_nothing",
     {{F64, 1, {4}, NULL, 0}, {I64, 1, {0}, NULL, 0}, {I64, 2, {2, 0}, NULL, 0}},
     build_gather_vector},
    {"gather_batch",
     {{F64, 3, {4, 3, 3}, NULL, 0},
      {I64, 2, {4, 5}, SPREAD(rows_of_3)},
      {I64, 3, {4, 2, 2}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_gather_batch},
    {"gather_batch_flat",
     {{F64, 2, {4, 3}, NULL, 0},
      {I64, 2, {4, 5}, SPREAD(rows_of_3)},
      {I64, 3, {4, 2, 2}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_gather_batch_flat},
    {"gather_two_batches",
     {{F64, 4, {2, 3, 2, 2}, NULL, 0}, {I64, 3, {2, 3, 5}, SPREAD(rows_of_2)}},
     build_gather_two_batches},
    {"scatter_vector",
     {{F64, 1, {4}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_vector},
    {"scatter_nothing",
     {{F64, 1, {4}, NULL, 0}, {I64, 1, {0}, NULL, 0}, {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_vector},
    {"scatter_rows",
     {{F64, 3, {4, 2, 3}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_rows},
    {"scatter_columns",
     {{I64, 3, {2, 4, 3}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_columns},
    {"scatter_last",
     {{F64, 2, {2, 4}, NULL, 0},
      {I64, 1, {6}, SPREAD(rows_of_4)},
      {I64, 2, {3, 2}, SPREAD(rows_of_4)}},
     build_scatter_columns},
    {"scatter_single", {{F64, 3, {3, 4, 2}, NULL, 0}}, build_scatter_single},
    {"scatter_batch",
     {{F64, 3, {4, 3, 3}, NULL, 0}, {I64, 2, {4, 5}, SPREAD(rows_of_3)}},
     build_scatter_batch},
    {"scatter_batch_more",
     {{F64, 3, {4, 3, 2}, NULL, 0},
      {I64, 3, {4, 2, 2}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_scatter_batch_more},
    {"scatter_batch_flat",
     {{F64, 2, {4, 3}, NULL, 0},
      {I64, 2, {4, 5}, SPREAD(rows_of_3)},
      {I64, 1, {4}, SPREAD(rows_of_3)}},
     build_scatter_batch_more},
    {"scatter_apart",
     {{F64, 1, {4}, NULL, 0}, {I64, 1, {4}, SPREAD(rows_of_4)}, {F64, 1, {4}, SPREAD(divisors)}},
     build_scatter_apart},
};

START_TEST(op) { check_case(&cases[_i]); }
END_TEST

/* ---- control flow ---- */

static int build_if(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrModule *m = ir_builder_module(b);
  IrBuilder *then = ir_function_begin(m, b, "then"), *orelse = ir_function_begin(m, b, "else");
  IrValue *yes[2] = {ir_binary(then, IR_ADD, in[1], in[2]), in[1]};
  IrValue *no[2] = {ir_binary(orelse, IR_MUL, in[1], in[1]), ir_f64(orelse, 3)};
  no[1] = ir_broadcast_like(orelse, no[1], in[1]);
  ir_function_end(then, yes, NULL, 2);
  ir_function_end(orelse, no, NULL, 2);
  ir_if(b, in[0], then, orelse, out);
  return 2;
}

/* s <- s * x[i] + i, with s and s * y kept. */
static int loop_over(IrBuilder *b, IrValue *const *in, bool reverse, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *x = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *next = ir_binary(body, IR_ADD, ir_binary(body, IR_MUL, s, x), ir_cast(body, i, IR_F64));
  IrValue *results[3] = {next, s, ir_binary(body, IR_MUL, s, in[1])};
  ir_function_end(body, results, NULL, 3);
  IrValue *initial = ir_reduce_all(b, IR_REDUCE_SUM, in[1]);
  IrLoop loop = {.count = ir_dim(b, in[0], 0),
                 .carried = 1,
                 .scanned = 1,
                 .initial = &initial,
                 .inputs = in,
                 .reverse = reverse};
  ir_loop(b, loop, body, out);
  return 3;
}

static int build_loop(IrBuilder *b, IrValue *const *in, IrValue **out) {
  return loop_over(b, in, false, out);
}

static int build_reverse_loop(IrBuilder *b, IrValue *const *in, IrValue **out) {
  return loop_over(b, in, true, out);
}

/* Doubles until a bound is passed. */
static int build_while(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *body = ir_function_begin(ir_builder_module(b), b, "body");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *next = ir_binary(body, IR_MUL, s, ir_f64(body, 2));
  IrValue *results[3] = {ir_binary(body, IR_LT, next, in[1]), next, next};
  ir_function_end(body, results, NULL, 3);
  IrLoop loop = {.condition = ir_binary(b, IR_LT, in[0], in[1]), .carried = 1, .initial = in};
  ir_loop(b, loop, body, out);
  return 2;
}

/* A loop in a loop, whose inner body reads values of both bodies around it. */
static int build_nested(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrModule *m = ir_builder_module(b);
  IrBuilder *outer = ir_function_begin(m, b, "outer");
  IrValue *i = ir_param(outer, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(outer, ir_scalar(IR_F64), NULL);
  IrValue *twice = ir_binary(outer, IR_MUL, s, ir_f64(outer, 0.5));
  IrBuilder *inner = ir_function_begin(m, outer, "inner");
  IrValue *j = ir_param(inner, ir_scalar(IR_I64), NULL);
  IrValue *t = ir_param(inner, ir_scalar(IR_F64), NULL);
  IrValue *x = ir_gather(inner, in[0], ir_binary(inner, IR_ADD, i, j), 0, 0);
  IrValue *step = ir_binary(inner, IR_ADD, ir_binary(inner, IR_ADD, t, x), twice);
  ir_function_end(inner, &step, NULL, 1);
  IrValue *result;
  ir_loop(outer, (IrLoop){.count = ir_i64(outer, 3), .carried = 1, .initial = &s}, inner, &result);
  IrValue *results[2] = {result, i};
  ir_function_end(outer, results, NULL, 2);
  ir_loop(b, (IrLoop){.count = in[1], .carried = 1, .initial = in + 2}, outer, out);
  return 2;
}

static const double truth[] = {1};
static const double five[] = {5};
static const double half[] = {0.5};

static const Case control_cases[] = {
    {"if_true",
     {{BOOL, 0, {0}, SPREAD(truth)}, {F64, 1, {3}, NULL, 0}, {F64, 1, {3}, SPREAD(reals)}},
     build_if},
    {"if_false",
     {{BOOL, 0, {0}, SPREAD(nothing)}, {F64, 1, {3}, NULL, 0}, {F64, 1, {3}, SPREAD(reals)}},
     build_if},
    {"loop", {{F64, 1, {5}, SPREAD(divisors)}, {F64, 1, {2}, NULL, 0}}, build_loop},
    {"loop_of_nothing", {{F64, 1, {0}, NULL, 0}, {F64, 1, {2}, NULL, 0}}, build_loop},
    {"reverse_loop", {{F64, 1, {5}, SPREAD(divisors)}, {F64, 1, {2}, NULL, 0}}, build_reverse_loop},
    {"while", {{F64, 0, {0}, SPREAD(half)}, {F64, 0, {0}, SPREAD(five)}}, build_while},
    {"while_never", {{F64, 0, {0}, SPREAD(five)}, {F64, 0, {0}, SPREAD(half)}}, build_while},
    {"nested_loops",
     {{F64, 1, {8}, NULL, 0}, {I64, 0, {0}, SPREAD(five)}, {F64, 0, {0}, SPREAD(half)}},
     build_nested},
};

START_TEST(control) { check_case(&control_cases[_i]); }
END_TEST

/* ---- the model as a whole ---- */

static int build_twice(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrScope *scopes = ARENA_ARRAY(ir_module_arena(ir_builder_module(b)), IrScope, 3);
  IrValue *x = in[0];
  for (int k = 0; k < 3; k++) {
    scopes[k] = (IrScope){k < 2 ? "normal_lpdf" : "lgamma", k, NULL};
    const IrScope *before = ir_set_scope(b, &scopes[k]);
    x = ir_binary(b, IR_MUL, ir_unary(b, IR_EXP, x), ir_f64(b, -0.5));
    ir_set_scope(b, before);
    x = ir_unary(b, IR_SIN, x);
  }
  out[0] = x;
  return 1;
}

static const Case twice = {"dialect", {{F64, 1, {3}, NULL, 0}}, build_twice};

static int occurrences(const EmittedModel *m, const char *text) {
  size_t n = strlen(text);
  int count = 0;
  for (size_t i = 0; i + n <= m->size; i++) count += memcmp(m->bytes + i, text, n) == 0;
  return count;
}

START_TEST(prob_dialect) {
  Arena *a = arena_new();
  IrFunction *f = function_of(a, &twice, false);
  const IrTensor *args[] = {tensor_of(a, &twice.inputs[0])};
  check_function(a, f, args, true);
  EmittedModel model = emitted(a, f, true);
  ck_assert_int_eq(model.statistics.functions, 2);
  ck_assert_int_eq(occurrences(&model, "NormalLogProb"), 3);
  ck_assert_int_eq(occurrences(&model, "LogGamma"), 2);
  arena_free(a);
}
END_TEST

START_TEST(equal_bytes) {
  Arena *a = arena_new(), *b = arena_new();
  arena_alloc(b, 12345);
  EmittedModel x = emitted(a, function_of(a, &control_cases[7], true), true);
  EmittedModel y = emitted(b, function_of(b, &control_cases[7], true), true);
  ck_assert_uint_eq(x.size, y.size);
  ck_assert_mem_eq(x.bytes, y.bytes, x.size);
  arena_free(a);
  arena_free(b);
}
END_TEST

static int build_large(IrBuilder *b, IrValue *const *in, IrValue **out) {
  Arena *a = ir_module_arena(ir_builder_module(b));
  int64_t dims[] = {1000};
  IrTensor *t = ir_tensor_new(a, ir_type(IR_F64, 1, dims));
  for (int i = 0; i < 1000; i++) t->data.f64[i] = i * 0.1;
  out[0] = ir_binary(b, IR_MUL, ir_constant(b, t), in[0]);
  return 1;
}

static const Case large = {"large", {{F64, 0, {0}, SPREAD(half)}}, build_large};

START_TEST(external_data) {
  static const EmitPort in = {.name = "x"}, out = {.name = "y"};
  Arena *a = arena_new();
  IrFunction *f = function_of(a, &large, false);
  EmitOptions o = {.graph_name = "test",
                   .inputs = &in,
                   .outputs = &out,
                   .input_count = 1,
                   .output_count = 1,
                   .external_threshold = 1000};
  EmittedModel model;
  ck_assert_ptr_nonnull(emit_model(a, f, &o, &model));
  o.external_name = "model.data";
  ck_assert_ptr_null(emit_model(a, f, &o, &model));
  ck_assert_uint_lt(model.size, 1000);
  ck_assert_uint_eq(model.piece_count, 1);
  ck_assert_uint_eq(model.pieces[0].size, 8000);
  ck_assert_double_eq(((const double *)model.pieces[0].bytes)[999], 999 * 0.1);
  arena_free(a);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("emit");
  TCase *t = tcase_create("ops");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, elementwise);
  tcase_add_loop_test(t, op, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_loop_test(t, control, 0, (int)(sizeof control_cases / sizeof *control_cases));
  tcase_add_test(t, prob_dialect);
  tcase_add_test(t, equal_bytes);
  tcase_add_test(t, external_data);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  Arena *a = arena_new();
  const char *library = ort_find(a, NULL, NULL);
  const char *error = ort_open(a, library, &ort);
  if (error) {
    fprintf(stderr, "SKIPPED, for want of ONNX Runtime: %s\n", error);
    return SKIPPED;
  }
  SRunner *runner = srunner_create(suite());
  /* One process: ONNX Runtime's threads do not survive a fork. */
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  ort_close(ort);
  arena_free(a);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
