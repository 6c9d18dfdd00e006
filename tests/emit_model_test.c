/* Control flow as ONNX against the evaluator, and models as a whole: the prob dialect, equal bytes,
 * external data. */
#include "emit_check.h"

#include <math.h>
#include <string.h>

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
static const double divisors[] = {3, -2, 1, 5, -7};
static const double reals[] = {-INFINITY, 0.25, NAN};
static const double nothing[] = {0};
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

/* x in columns 0, 1 and 2, where 3 columns make the rest, and where the rest is long. */
static int build_columns(IrBuilder *b, IrValue *const *in, IrValue **out) {
  out[0] = ir_f64(b, 0);
  for (int k = 0; k < 3; k++)
    out[0] = ir_binary(b, IR_ADD, out[0], ir_slice(b, in[0], 1, ir_i64(b, k), ir_i64(b, 1)));
  return 1;
}

static const struct {
  Case c;
  int slices, splits;
} columns[] = {{{"columns", {{F64, 2, {2, 6}, NULL, 0}}, build_columns}, 0, 1},
               {{"many_columns", {{F64, 2, {2, 600}, NULL, 0}}, build_columns}, 3, 0}};

/* Slices are outputs of one Split where that copies little that nothing needs. */
START_TEST(slices_are_pieces) {
  Arena *a = arena_new();
  IrFunction *f = function_of(a, &columns[_i].c, false);
  const IrTensor *args[] = {tensor_of(a, &columns[_i].c.inputs[0])};
  check_function(a, f, args, false);
  EmittedModel model = emitted(a, f, false);
  ck_assert_int_eq(model.statistics.nodes, columns[_i].slices + columns[_i].splits + 2);
  ck_assert_int_eq(occurrences(&model, "\x22\x05Slice"), columns[_i].slices);
  ck_assert_int_eq(occurrences(&model, "\x22\x05Split"), columns[_i].splits);
  arena_free(a);
}
END_TEST

/* A sum of squares, and whether x is 0. */
static int build_short_forms(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *square = ir_binary(b, IR_MUL, in[0], in[0]);
  out[0] = ir_reduce(b, IR_REDUCE_SUM, square, (int8_t[]){1}, 1);
  out[1] = ir_binary(b, IR_NE, in[0], ir_f64(b, 0));
  return 2;
}

START_TEST(one_node_each) {
  static const Case c = {"short_forms", {{F64, 2, {2, 6}, NULL, 0}}, build_short_forms};
  Arena *a = arena_new();
  ck_assert_int_eq(emitted(a, function_of(a, &c, false), false).statistics.nodes, 2);
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

int main(void) {
  Suite *s = suite_create("emit models");
  TCase *t = tcase_create("models");
  tcase_add_loop_test(t, control, 0, (int)(sizeof control_cases / sizeof *control_cases));
  tcase_add_test(t, prob_dialect);
  tcase_add_loop_test(t, slices_are_pieces, 0, (int)(sizeof columns / sizeof *columns));
  tcase_add_test(t, one_node_each);
  tcase_add_test(t, equal_bytes);
  tcase_add_test(t, external_data);
  suite_add_tcase(s, t);
  return run_with_runtime(s);
}
