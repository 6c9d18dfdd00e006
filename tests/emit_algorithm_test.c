/* Algorithms that are given a function: the prob dialect has them as functions with a graph as an
 * attribute. Here one climbs a hill, batched over where it starts. */
#include "emit/onnx.pb-c.h"
#include "emit_check.h"

#include <math.h>
#include <string.h>

enum { TRIPS = 5, STARTS = 2, WIDTH = 3 };

static const double starts[STARTS][WIDTH] = {{1, 2, 3}, {-1, 0.5, 7}}, top[WIDTH] = {0, 1.5, -2};

static IrType vector(int64_t n) { return ir_type(IR_F64, 1, &n); }

/* (x, unread, y) -> -|x - y|^2, its gradient */
static IrFunction *target(IrModule *m) {
  static const IrScope scope = {.name = "distance_lpdf"};
  IrBuilder *b = ir_function_begin(m, NULL, "target");
  IrValue *x = ir_param(b, vector(WIDTH), "x");
  ir_param(b, vector(IR_DYNAMIC), "unread");
  IrValue *y = ir_param(b, vector(WIDTH), "y");
  const IrScope *outer = ir_set_scope(b, &scope);
  IrValue *d = ir_binary(b, IR_SUB, x, y);
  IrValue *s = ir_reduce_all(b, IR_REDUCE_SUM, ir_binary(b, IR_MUL, d, d));
  ir_set_scope(b, outer);
  IrValue *results[2] = {ir_unary(b, IR_NEG, s), ir_binary(b, IR_MUL, d, ir_f64(b, -2))};
  IrFunction *f = ir_function_end(b, results, (const char *[]){"density", "gradient"}, 2);
  f->role = IR_ARGUMENT;
  return f;
}

/* A step uphill: the place after it, the density before it. */
static void step(IrBuilder *b, IrFunction *f, IrValue *x, IrValue *const *data, IrValue **results) {
  IrValue *args[3] = {x, data[0], data[1]}, *r[2];
  ir_call(b, f, args, 3, r);
  results[0] = ir_binary(b, IR_ADD, x, ir_binary(b, IR_MUL, r[1], ir_f64(b, 0.1)));
  results[1] = r[0];
}

/* (start, unread, y) -> the place after all steps, the densities before each but the first. The
 * target is called in the function itself and in a loop. */
static IrFunction *climb(IrModule *m, IrFunction *f) {
  static const IrScope scope = {.name = "climb_trip", .instance = 1};
  IrBuilder *b = ir_function_begin(m, NULL, "climb");
  IrValue *start = ir_param(b, vector(WIDTH), "start"), *first[2], *trip[2], *results[2];
  IrValue *data[2] = {ir_param(b, vector(IR_DYNAMIC), "unread"), ir_param(b, vector(WIDTH), "y")};
  step(b, f, start, data, first);
  IrBuilder *body = ir_function_begin(m, b, "trip");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *x = ir_param(body, vector(WIDTH), NULL);
  ir_set_scope(body, &scope);
  step(body, f, x, data, trip);
  ir_function_end(body, trip, NULL, 2);
  ir_loop(b, (IrLoop){.count = ir_i64(b, TRIPS), .carried = 1, .initial = first}, body, results);
  return ir_function_end(b, results, (const char *[]){"place", "densities"}, 2);
}

static IrFunction *model(Arena *a) {
  IrModule *m = ir_module_new(a, (IrOptions){0});
  IrFunction *f = climb(m, target(m));
  f = ir_vmap(f, (bool[]){true, false, false}, 1, NULL, true, NULL);
  f->role = IR_ALGORITHM;
  IrBuilder *b = ir_function_begin(m, NULL, "model");
  IrValue *args[3], *results[2];
  for (int k = 0; k < 3; k++) args[k] = ir_param(b, f->params[k]->type, NULL);
  ir_call(b, f, args, 3, results);
  return ir_economise(ir_simplify(ir_expand_calls(ir_function_end(b, results, NULL, 2))));
}

START_TEST(same_numbers) {
  Arena *a = arena_new();
  IrFunction *f = model(a);
  const Input inputs[3] = {{F64, 2, {STARTS, WIDTH}, SPREAD(starts[0])},
                           {F64, 1, {4}, NULL, 0},
                           {F64, 1, {WIDTH}, SPREAD(top)}};
  const IrTensor *args[3], *results[2];
  for (int k = 0; k < 3; k++) args[k] = tensor_of(a, &inputs[k]);
  memcpy(args[0]->data.f64, starts, sizeof starts);
  IrPlan *plan = ir_plan_new(f);
  ck_assert_ptr_null(ir_plan_run(plan, args, results));
  for (int s = 0; s < STARTS; s++) {
    double square = 0; /* each step goes a fifth of the way */
    for (int k = 0; k < WIDTH; k++) {
      double away = starts[s][k] - top[k];
      square += away * away;
      ck_assert_double_eq_tol(results[0]->data.f64[s * WIDTH + k],
                              top[k] + away * pow(0.8, TRIPS + 1), 1e-14);
    }
    for (int k = 0; k < TRIPS; k++)
      ck_assert_double_eq_tol(results[1]->data.f64[s * TRIPS + k], -square * pow(0.64, k + 1),
                              1e-12);
  }
  ir_plan_free(plan);
  check_function(a, f, args, true);
  arena_free(a);
}
END_TEST

static const Onnx__FunctionProto *function_named(const Onnx__ModelProto *m, const char *name) {
  for (size_t k = 0; k < m->n_functions; k++)
    if (!strcmp(m->functions[k]->name, name)) return m->functions[k];
  ck_abort_msg("there is no function %s", name);
}

START_TEST(graph_attribute) {
  Arena *a = arena_new();
  EmittedModel bytes = emitted(a, model(a), true);
  Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, bytes.size, bytes.bytes);
  ck_assert_int_eq(m->graph->n_node, 1);
  const Onnx__NodeProto *call = m->graph->node[0];
  ck_assert_str_eq(call->op_type, "Climb");
  ck_assert_str_eq(call->domain, "ai.onnx.prob");
  ck_assert_int_eq(call->n_input, 2); /* what nothing reads is no input */
  ck_assert_str_eq(call->input[0], "in0");
  ck_assert_str_eq(call->input[1], "in2");
  ck_assert_int_eq(call->n_attribute, 1);
  ck_assert_str_eq(call->attribute[0]->name, "target");

  const Onnx__GraphProto *g = call->attribute[0]->g;
  ck_assert_int_eq(g->n_input, 2);
  ck_assert_int_eq(g->n_output, 2);
  ck_assert_int_eq(strncmp(g->output[0]->name, "density/", 8), 0);
  bool found = false;
  for (size_t k = 0; k < g->n_node; k++) found |= !strcmp(g->node[k]->op_type, "DistanceLogProb");
  ck_assert(found);

  const Onnx__FunctionProto *f = function_named(m, "Climb");
  ck_assert_int_eq(f->n_input, 2);
  ck_assert_str_eq(f->input[0], "start");
  ck_assert_str_eq(f->output[1], "densities");
  ck_assert_int_eq(f->n_attribute, 1);
  ck_assert_str_eq(f->attribute[0], "target");
  /* what comes from one call in it is a function that passes the attribute on */
  f = function_named(m, "ClimbTrip");
  ck_assert_int_eq(f->n_attribute, 1);
  ck_assert_str_eq(f->attribute[0], "target");
  onnx__model_proto__free_unpacked(m, NULL);
  arena_free(a);
}
END_TEST

START_TEST(calls_stay) {
  Arena *a = arena_new();
  IrFunction *f = model(a);
  ck_assert_int_eq(f->node_count, 1);
  ck_assert_int_eq(f->nodes[0]->op, IR_CALL);
  ck_assert_int_eq(f->nodes[0]->body[0]->role, IR_ALGORITHM);
  ck_assert_ptr_null(ir_verify(f));
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("algorithms as functions that are given graphs");
  TCase *t = tcase_create("algorithms");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, same_numbers);
  tcase_add_test(t, graph_attribute);
  tcase_add_test(t, calls_stay);
  suite_add_tcase(s, t);
  return run_with_runtime(s);
}
