/* Building functions: captures, bodies, reuse, folding, what ends up in a function, errors, text.
 */
#include "ir/eval.h"
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static IrModule *module;

static void set_up(void) {
  arena = arena_new();
  module = ir_module_new(arena, (IrOptions){0});
}

static void tear_down(void) { arena_free(arena); }

static IrBuilder *begin(const char *name) { return ir_function_begin(module, NULL, name); }

static IrType vector(int64_t n) { return ir_type(IR_F64, 1, &n); }

static IrFunction *end(IrBuilder *b, IrValue *v) {
  IrFunction *f = ir_function_end(b, &v, NULL, 1);
  const char *error = ir_verify(f);
  ck_assert_msg(!error, "%s", error);
  return f;
}

/* The first result of f at f64 arguments, each a scalar (n 0) or a vector of n elements. */
typedef struct {
  int n;
  double x[4];
} Arg;

static IrTensor *tensor(Arg arg) {
  IrTensor *t = arg.n ? ir_tensor_new(arena, vector(arg.n)) : ir_tensor_f64(arena, arg.x[0]);
  for (int k = 0; k < arg.n; k++) t->data.f64[k] = arg.x[k];
  return t;
}

static IrTensor *value_of(const IrFunction *f, int count, const Arg *args) {
  const IrTensor *in[4];
  IrTensor *out[8];
  for (int k = 0; k < count; k++)
    in[k] = f->params[k]->type.dtype == IR_I64    ? ir_tensor_i64(arena, (int64_t)args[k].x[0])
            : f->params[k]->type.dtype == IR_BOOL ? ir_tensor_new(arena, ir_scalar(IR_BOOL))
                                                  : tensor(args[k]);
  for (int k = 0; k < count; k++)
    if (in[k]->type.dtype == IR_BOOL) in[k]->data.boolean[0] = args[k].x[0] != 0;
  const char *error = ir_eval_function(arena, f, in, out, 10000);
  ck_assert_msg(!error, "%s", error);
  return out[0];
}

static int count_ops(const IrFunction *f, IrOp op) {
  int n = 0;
  for (int i = 0; i < f->node_count; i++) {
    n += f->nodes[i]->op == op;
    for (int k = 0; k < 2; k++)
      if (f->nodes[i]->op != IR_CALL && f->nodes[i]->body[k])
        n += count_ops(f->nodes[i]->body[k], op);
  }
  return n;
}

static IrNode *only_node(const IrFunction *f, IrOp op) {
  for (int i = 0; i < f->node_count; i++)
    if (f->nodes[i]->op == op) return f->nodes[i];
  ck_abort_msg("no %s", ir_op_name(op));
  return NULL;
}

/* ---- reuse, folding, dead code ---- */

START_TEST(equal_nodes_are_one) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y");
  ck_assert_ptr_eq(ir_unary(b, IR_EXP, x), ir_unary(b, IR_EXP, x));
  ck_assert_ptr_eq(ir_binary(b, IR_ADD, x, y), ir_binary(b, IR_ADD, y, x));
  ck_assert_ptr_ne(ir_binary(b, IR_SUB, x, y), ir_binary(b, IR_SUB, y, x));
  ck_assert_ptr_eq(ir_f64(b, 0.5), ir_f64(b, 0.5));
  ck_assert_ptr_ne(ir_f64(b, 0.0), ir_f64(b, -0.0));
  IrTensor *t = ir_tensor_new(arena, vector(5)), *u = ir_tensor_new(arena, vector(5));
  ck_assert_ptr_eq(ir_constant(b, t), ir_constant(b, u));
}
END_TEST

START_TEST(attributes_tell_nodes_apart) {
  IrBuilder *b = begin("f");
  int64_t dims[] = {3, 3};
  IrValue *x = ir_param(b, ir_type(IR_F64, 2, dims), NULL);
  static const int8_t first[] = {0}, last[] = {1};
  ck_assert_ptr_ne(ir_reduce(b, IR_REDUCE_SUM, x, first, 1),
                   ir_reduce(b, IR_REDUCE_SUM, x, last, 1));
  IrAttr dirty = {.axis_count = 1, .axes = {1, 7, 7}, .carried = 3};
  ck_assert_ptr_eq(ir_reduce(b, IR_REDUCE_SUM, x, last, 1),
                   ir_emit(b, IR_REDUCE_SUM, dirty, &x, 1));
}
END_TEST

START_TEST(switched_off) {
  module = ir_module_new(arena, (IrOptions){.no_cse = true, .no_fold = true, .no_algebra = true});
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x");
  ck_assert_ptr_ne(ir_unary(b, IR_EXP, x), ir_unary(b, IR_EXP, x));
  ck_assert_ptr_null(ir_unary(b, IR_EXP, ir_f64(b, 1))->constant);
  ck_assert_ptr_ne(ir_binary(b, IR_ADD, x, ir_f64(b, 0)), x);
  ck_assert_int_eq(ir_dim(b, ir_param(begin("g"), vector(3), NULL), 0)->constant->data.i64[0], 3);
}
END_TEST

START_TEST(constants_fold) {
  IrBuilder *b = begin("f");
  IrValue *v = ir_binary(b, IR_MUL, ir_f64(b, 6), ir_f64(b, 7));
  ck_assert_double_eq(v->constant->data.f64[0], 42);
  v = ir_reduce_all(b, IR_REDUCE_SUM, ir_iota(b, ir_i64(b, 1000)));
  ck_assert_int_eq(v->constant->data.i64[0], 499500);
  IrValue *bad = ir_binary(b, IR_DIV, ir_i64(b, 1), ir_i64(b, 0));
  ck_assert_ptr_null(bad->constant);
  ck_assert_ptr_null(ir_module_error(module));
}
END_TEST

START_TEST(repeated_constants_stay_small) {
  IrBuilder *b = begin("f");
  IrValue *many = ir_i64(b, 100000000000), *few = ir_i64(b, 5);
  ck_assert_ptr_nonnull(ir_broadcast(b, ir_f64(b, 2), &few, 1)->constant);
  IrValue *v = ir_broadcast(b, ir_f64(b, 2), &many, 1);
  ck_assert_ptr_null(v->constant);
  v = ir_reduce_all(b, IR_REDUCE_SUM, ir_unary(b, IR_SQRT, ir_binary(b, IR_ADD, v, v)));
  ck_assert_double_eq(v->constant->data.f64[0], 2e11);
}
END_TEST

/* What is computed from a repeated constant and data is known like data. */
START_TEST(repeated_constants_fold_with_others) {
  IrBuilder *b = begin("f");
  IrValue *n = ir_i64(b, 100), *zeros = ir_broadcast(b, ir_f64(b, 0), &n, 1);
  IrTensor *index = ir_tensor_new(arena, ir_type(IR_I64, 1, (int64_t[]){3}));
  index->data.i64[2] = 99;
  IrValue *ones = ir_broadcast(b, ir_f64(b, 1), (IrValue *[]){ir_i64(b, 3)}, 1);
  IrValue *v = ir_scatter(b, IR_SCATTER_ADD, zeros, ir_constant(b, index), ones, 0, 0);
  ck_assert_ptr_nonnull(v->constant);
  ck_assert_double_eq(v->constant->data.f64[0], 2);
  ck_assert_double_eq(v->constant->data.f64[99], 1);
}
END_TEST

/* A loop that fills zeros, which are not written out, with the squares. */
START_TEST(loops_over_repeated_constants_fold) {
  IrBuilder *b = begin("f"), *body = ir_function_begin(module, b, "body");
  IrValue *n = ir_i64(b, 100), *zeros = ir_broadcast(b, ir_f64(b, 0), &n, 1), *out;
  ck_assert_ptr_null(zeros->constant);
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL), *v = ir_param(body, vector(100), NULL);
  IrValue *x = ir_cast(body, ir_binary(body, IR_MUL, i, i), IR_F64);
  v = ir_scatter(body, IR_SCATTER_SET, v, i, x, 0, 0);
  ir_function_end(body, &v, NULL, 1);
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &zeros}, body, &out);
  ck_assert_ptr_nonnull(out->constant);
  for (int k = 0; k < 100; k++) ck_assert_double_eq(out->constant->data.f64[k], k * k);
}
END_TEST

START_TEST(dead_nodes_are_dropped) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x");
  ir_unary(b, IR_EXP, ir_unary(b, IR_LOG, x));
  IrFunction *f = end(b, ir_unary(b, IR_SIN, x));
  ck_assert_int_eq(f->node_count, 1);
  ck_assert_int_eq(f->value_count, 2);
}
END_TEST

START_TEST(scopes_and_adjoints) {
  IrScope s = {"normal_lpdf", 0, NULL};
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x");
  ck_assert_ptr_null(ir_set_scope(b, &s));
  ck_assert(!ir_set_adjoint(b, true));
  IrValue *y = ir_unary(b, IR_EXP, x);
  ck_assert_ptr_eq(ir_set_scope(b, NULL), &s);
  ck_assert(ir_set_adjoint(b, false));
  IrFunction *f = ir_simplify(end(b, ir_unary(b, IR_SIN, y)));
  ck_assert_ptr_eq(only_node(f, IR_EXP)->scope, &s);
  ck_assert(only_node(f, IR_EXP)->adjoint);
  ck_assert_ptr_null(only_node(f, IR_SIN)->scope);
  ck_assert(!only_node(f, IR_SIN)->adjoint);
}
END_TEST

/* ---- branches ---- */

static IrBuilder *branch(IrBuilder *b, IrOp op, IrValue *x) {
  IrBuilder *inner = ir_function_begin(module, b, "branch");
  IrValue *v = ir_unary(inner, op, x);
  ir_function_end(inner, &v, NULL, 1);
  return inner;
}

START_TEST(branches) {
  IrBuilder *b = begin("f");
  IrValue *c = ir_param(b, ir_scalar(IR_BOOL), "c"), *x = ir_param(b, ir_scalar(IR_F64), "x"),
          *y = ir_param(b, ir_scalar(IR_F64), "y"), *v;
  ir_if(b, c, branch(b, IR_EXP, x), branch(b, IR_NEG, y), &v);
  IrFunction *f = end(b, v);
  const IrNode *n = only_node(f, IR_IF);
  ck_assert_int_eq(n->in_count, 3);
  ck_assert_int_eq(n->body[0]->param_count, 2);
  ck_assert_int_eq(n->body[1]->param_count, 2);
  ck_assert_double_eq(value_of(f, 3, (Arg[]){{0, {1}}, {0, {0}}, {0, {5}}})->data.f64[0], 1);
  ck_assert_double_eq(value_of(f, 3, (Arg[]){{0, {0}}, {0, {0}}, {0, {5}}})->data.f64[0], -5);
  f = ir_simplify(f);
  ck_assert_ptr_null(ir_verify(f));
  ck_assert_double_eq(value_of(f, 3, (Arg[]){{0, {0}}, {0, {0}}, {0, {5}}})->data.f64[0], -5);
}
END_TEST

START_TEST(known_branch) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *v;
  ir_if(b, ir_bool(b, false), branch(b, IR_EXP, x), branch(b, IR_NEG, x), &v);
  IrFunction *f = end(b, v);
  ck_assert_int_eq(f->node_count, 1);
  ck_assert_int_eq(f->nodes[0]->op, IR_NEG);
}
END_TEST

/* What both branches give as it is needs no branch; sizes that differ become open. */
START_TEST(results_of_branches) {
  IrBuilder *b = begin("f");
  IrValue *c = ir_param(b, ir_scalar(IR_BOOL), "c"), *x = ir_param(b, vector(3), "x"), *out[2];
  IrBuilder *sides[2];
  for (int side = 0; side < 2; side++) {
    sides[side] = ir_function_begin(module, b, "side");
    IrValue *part =
        ir_slice(sides[side], x, 0, ir_i64(sides[side], 0), ir_i64(sides[side], 1 + side));
    ir_function_end(sides[side], (IrValue *[]){x, part}, NULL, 2);
  }
  ir_if(b, c, sides[0], sides[1], out);
  ck_assert_ptr_eq(out[0], x);
  ck_assert_int_eq(out[1]->type.dim[0], IR_DYNAMIC);
  IrFunction *f = end(b, out[1]);
  ck_assert_int_eq(f->nodes[0]->out_count, 1);
  ck_assert_int_eq(value_of(f, 2, (Arg[]){{0, {1}}, {3, {7, 8, 9}}})->count, 1);
  ck_assert_int_eq(value_of(f, 2, (Arg[]){{0, {0}}, {3, {7, 8, 9}}})->count, 2);
}
END_TEST

/* ---- loops ---- */

/* s starts at x and becomes s * y + i for i < count */
static IrFunction *horner(IrValue *(*count_of)(IrBuilder *b, IrValue *n), bool reverse) {
  IrBuilder *b = begin("horner");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y"),
          *n = ir_param(b, ir_scalar(IR_I64), "n"), *v;
  IrBuilder *body = ir_function_begin(module, b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), "i"), *s = ir_param(body, ir_scalar(IR_F64), "s");
  v = ir_binary(body, IR_ADD, ir_binary(body, IR_MUL, s, y), ir_cast(body, i, IR_F64));
  ir_function_end(body, &v, NULL, 1);
  IrLoop loop = {.count = count_of(b, n), .carried = 1, .initial = &x, .reverse = reverse};
  ir_loop(b, loop, body, &v);
  return end(b, v);
}

static IrValue *given(IrBuilder *b, IrValue *n) { return (void)b, n; }
static IrValue *none(IrBuilder *b, IrValue *n) { return (void)n, ir_i64(b, 0); }
static IrValue *once(IrBuilder *b, IrValue *n) { return (void)n, ir_i64(b, 1); }
static IrValue *thrice(IrBuilder *b, IrValue *n) { return (void)n, ir_i64(b, 3); }

static double run_horner(const IrFunction *f, double n) {
  return value_of(f, 3, (Arg[]){{0, {2}}, {0, {10}}, {0, {n}}})->data.f64[0];
}

START_TEST(loops) {
  ck_assert_double_eq(run_horner(horner(given, false), 3), 2012);
  ck_assert_double_eq(run_horner(horner(given, true), 3), 2210);
  ck_assert_double_eq(run_horner(horner(given, false), 0), 2);
  ck_assert_double_eq(run_horner(horner(thrice, false), 0), 2012);
  ck_assert_double_eq(run_horner(ir_simplify(horner(given, true)), 3), 2210);
  IrFunction *f = horner(none, false);
  ck_assert_int_eq(f->node_count, 0);
  f = horner(once, false);
  ck_assert_int_eq(count_ops(f, IR_LOOP), 0);
  ck_assert_double_eq(run_horner(f, 9), 20);
}
END_TEST

/* A loop over what is known is known. */
START_TEST(known_loop) {
  IrBuilder *b = begin("f");
  IrValue *out[1], *one = ir_f64(b, 1);
  IrBuilder *body = ir_function_begin(module, b, "body");
  ir_param(body, ir_scalar(IR_I64), "i");
  IrValue *s = ir_param(body, ir_scalar(IR_F64), "s"), *v = ir_binary(body, IR_ADD, s, s);
  ir_function_end(body, &v, NULL, 1);
  ir_loop(b, (IrLoop){.count = ir_i64(b, 10), .carried = 1, .initial = &one}, body, out);
  ck_assert_ptr_nonnull(out[0]->constant);
  ck_assert_double_eq(out[0]->constant->data.f64[0], 1024);
}
END_TEST

/* while (s < x) s = 2 s, with s stacked and x scanned along */
START_TEST(while_loop) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *out[3], *one = ir_f64(b, 1);
  IrBuilder *body = ir_function_begin(module, b, "body");
  ir_param(body, ir_scalar(IR_I64), "i");
  IrValue *s = ir_param(body, ir_scalar(IR_F64), "s"), *next = ir_binary(body, IR_ADD, s, s);
  ir_function_end(body, (IrValue *[]){ir_binary(body, IR_LT, next, x), next, s}, NULL, 3);
  IrLoop loop = {.condition = ir_binary(b, IR_LT, one, x), .carried = 1, .initial = &one};
  ir_loop(b, loop, body, out);
  ck_assert_int_eq(out[1]->type.dim[0], IR_DYNAMIC);
  IrFunction *f = ir_simplify(end(b, out[1]));
  IrTensor *t = value_of(f, 1, (Arg[]){{0, {20}}});
  ck_assert_int_eq(t->count, 5);
  ck_assert_double_eq(t->data.f64[4], 16);
  ck_assert_int_eq(value_of(f, 1, (Arg[]){{0, {0.5}}})->count, 0);
}
END_TEST

/* Bodies in bodies see values of all functions around them. */
START_TEST(captures_through_levels) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *n = ir_param(b, ir_scalar(IR_I64), "n"),
          *zero = ir_f64(b, 0), *v;
  IrBuilder *outer = ir_function_begin(module, b, "outer");
  ir_param(outer, ir_scalar(IR_I64), "i");
  IrValue *s = ir_param(outer, ir_scalar(IR_F64), "s");
  IrBuilder *inner = ir_function_begin(module, outer, "inner");
  ir_param(inner, ir_scalar(IR_I64), "j");
  IrValue *r = ir_param(inner, ir_scalar(IR_F64), "r");
  v = ir_binary(inner, IR_ADD, r, ir_binary(inner, IR_MUL, x, ir_binary(inner, IR_ADD, s, x)));
  ir_function_end(inner, &v, NULL, 1);
  int count;
  IrValue *const *captured = ir_captures(inner, &count);
  ck_assert_int_eq(count, 2);
  for (int k = 0; k < 2; k++) ck_assert_ptr_eq(captured[k]->owner, s->owner);
  ir_loop(outer, (IrLoop){.count = n, .carried = 1, .initial = &zero}, inner, &v);
  ir_function_end(outer, &v, NULL, 1);
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &zero}, outer, &v);
  IrFunction *f = end(b, v);
  /* s becomes n x (s + x), n times: n = 2, x = 3: 18, 126 */
  Arg args[] = {{0, {3}}, {0, {2}}};
  ck_assert_double_eq(value_of(f, 2, args)->data.f64[0], 126);
  f = ir_simplify(f);
  ck_assert_ptr_null(ir_verify(f));
  ck_assert_double_eq(value_of(f, 2, args)->data.f64[0], 126);
}
END_TEST

START_TEST(dead_captures_are_dropped) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y");
  IrBuilder *inner = ir_function_begin(module, b, "body");
  ir_unary(inner, IR_EXP, x);
  IrValue *v = ir_unary(inner, IR_NEG, y);
  IrFunction *f = ir_function_end(inner, &v, NULL, 1);
  int count;
  ck_assert_ptr_eq(ir_captures(inner, &count)[0], y);
  ck_assert_int_eq(count, 1);
  ck_assert_int_eq(f->param_count, 1);
  ck_assert_int_eq(f->params[0]->index, 0);
}
END_TEST

/* ---- simplified loops ---- */

/* carried: s = |s + exp(x) * i|; never used: t; never changed: u. outs: u + 1, i */
static IrFunction *busy_loop(bool known) {
  IrBuilder *b = begin("busy");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *n = ir_param(b, ir_scalar(IR_I64), "n"),
          *out[5];
  IrValue *initial[] = {ir_f64(b, 0), x, x};
  IrBuilder *body = ir_function_begin(module, b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), "i"), *s = ir_param(body, ir_scalar(IR_F64), "s"),
          *t = ir_param(body, ir_scalar(IR_F64), "t"), *u = ir_param(body, ir_scalar(IR_F64), "u");
  IrValue *real = ir_cast(body, i, IR_F64);
  IrValue *step = ir_binary(body, IR_MUL, ir_unary(body, IR_EXP, x), real);
  IrValue *results[] = {ir_unary(body, IR_ABS, ir_binary(body, IR_ADD, s, step)),
                        ir_unary(body, IR_SIN, t), u, ir_binary(body, IR_ADD, u, ir_f64(body, 1)),
                        i};
  ir_function_end(body, results, NULL, 5);
  IrLoop loop = {.count = known ? ir_i64(b, 4) : n, .carried = 3, .initial = initial};
  ir_loop(b, loop, body, out);
  IrFunction *f = ir_function_end(b, (IrValue *[]){out[0], out[2], out[3]}, NULL, 3);
  ck_assert_ptr_null(ir_verify(f));
  return f;
}

START_TEST(loops_lose_what_is_not_needed) {
  for (int known = 0; known < 2; known++) {
    IrFunction *f = ir_simplify(busy_loop(known));
    ck_assert_ptr_null(ir_verify(f));
    const IrNode *loop = only_node(f, IR_LOOP);
    ck_assert_int_eq(loop->attr.carried, 1);
    /* a count that is given may differ within a batch, so that it makes no shape */
    ck_assert_int_eq(loop->out_count, known ? 1 : 2);
    ck_assert_int_eq(count_ops(loop->body[0], IR_EXP), 0);
    ck_assert_int_eq(count_ops(f, IR_SIN), 0);
    ck_assert_ptr_eq(f->results[1], f->params[0]);
    Arg args[] = {{0, {0}}, {0, {4}}};
    ck_assert_double_eq(value_of(f, 2, args)->data.f64[0], 6);
    const IrTensor *in[] = {ir_tensor_f64(arena, 0), ir_tensor_i64(arena, 4)};
    IrTensor *results[3];
    ck_assert_ptr_null(ir_eval_function(arena, f, in, results, 100));
    ck_assert_int_eq(results[2]->count, 4);
    ck_assert_double_eq(results[2]->data.f64[3], 1);
  }
}
END_TEST

/* What may fail stays in a loop that may not run. */
START_TEST(only_total_ops_are_hoisted) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, vector(2), "x"), *n = ir_param(b, ir_scalar(IR_I64), "n"),
          *zero = ir_f64(b, 0), *v;
  IrBuilder *body = ir_function_begin(module, b, "body");
  ir_param(body, ir_scalar(IR_I64), "i");
  IrValue *s = ir_param(body, ir_scalar(IR_F64), "s");
  v = ir_binary(body, IR_ADD, s, ir_gather(body, x, n, 0, 0));
  ir_function_end(body, &v, NULL, 1);
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &zero}, body, &v);
  IrFunction *f = ir_simplify(end(b, v));
  ck_assert_int_eq(count_ops(only_node(f, IR_LOOP)->body[0], IR_GATHER), 1);
  ck_assert_double_eq(value_of(f, 2, (Arg[]){{2, {1, 5}}, {0, {1}}})->data.f64[0], 5);
}
END_TEST

/* Sizes of initial values are those of what is carried, as long as the body keeps them. */
START_TEST(carried_sizes) {
  for (int grows = 0; grows < 2; grows++) {
    IrBuilder *b = begin("f");
    IrValue *x = ir_param(b, vector(IR_DYNAMIC), "x"), *n = ir_param(b, ir_scalar(IR_I64), "n"), *v;
    IrBuilder *body = ir_function_begin(module, b, "body");
    ir_param(body, ir_scalar(IR_I64), "i");
    IrValue *s = ir_param(body, vector(IR_DYNAMIC), "s");
    v = grows ? ir_concat(body, (IrValue *[]){s, s}, 2, 0) : ir_binary(body, IR_ADD, s, s);
    ir_function_end(body, &v, NULL, 1);
    ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &x}, body, &v);
    IrFunction *f = end(b, v);
    b = begin("g");
    IrValue *args[] = {ir_param(b, vector(3), "x"), ir_param(b, ir_scalar(IR_I64), "n")};
    ir_inline(b, f, args, &v);
    ck_assert_int_eq(v->type.dim[0], grows ? IR_DYNAMIC : 3);
    f = end(b, v);
    IrTensor *t = value_of(f, 2, (Arg[]){{3, {1, 2, 3}}, {0, {2}}});
    ck_assert_int_eq(t->count, grows ? 12 : 3);
    ck_assert_double_eq(t->data.f64[1], grows ? 2 : 8);
  }
}
END_TEST

/* ---- simplified sums ---- */

static int sum_nodes(const IrFunction *f) {
  return count_ops(f, IR_ADD) + count_ops(f, IR_SUB) + count_ops(f, IR_MUL) + count_ops(f, IR_NEG);
}

/* (x + 5 y) + 3 - 5 z + x + 4 = 2 x + 5 (y - z) + 7 */
START_TEST(sums_are_collected) {
  IrBuilder *b = begin("f");
  IrValue *in[3], *v;
  for (int k = 0; k < 3; k++) in[k] = ir_param(b, ir_scalar(IR_F64), NULL);
  IrValue *five = ir_f64(b, 5);
  v = ir_binary(b, IR_ADD, in[0], ir_binary(b, IR_MUL, in[1], five));
  v = ir_binary(b, IR_ADD, v, ir_f64(b, 3));
  v = ir_binary(b, IR_SUB, v, ir_binary(b, IR_MUL, in[2], five));
  v = ir_binary(b, IR_ADD, ir_binary(b, IR_ADD, v, in[0]), ir_f64(b, 4));
  IrFunction *f = ir_simplify(end(b, v));
  ck_assert_ptr_null(ir_verify(f));
  ck_assert_int_eq(sum_nodes(f), 5);
  ck_assert_double_eq(value_of(f, 3, (Arg[]){{0, {1}}, {0, {2}}, {0, {4}}})->data.f64[0], -1);
}
END_TEST

/* Scalars meet before they are added to a vector. */
START_TEST(small_terms_first) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, vector(3), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y"),
          *z = ir_param(b, ir_scalar(IR_F64), "z"), *v;
  v = ir_binary(b, IR_ADD, ir_binary(b, IR_ADD, ir_binary(b, IR_ADD, x, y), z), ir_f64(b, 1));
  v = ir_binary(b, IR_ADD, v, y);
  IrFunction *f = ir_simplify(end(b, v));
  for (int i = 0; i < f->node_count - 1; i++) ck_assert_int_eq(f->nodes[i]->out[0]->type.rank, 0);
  IrTensor *t = value_of(f, 3, (Arg[]){{3, {1, 2, 3}}, {0, {10}}, {0, {100}}});
  ck_assert_double_eq(t->data.f64[2], 124);
}
END_TEST

/* The error of a sum, as (x + y) - x - y, is not 0 unless differentiation made it. */
START_TEST(compensation_stays) {
  for (int adjoint = 0; adjoint < 2; adjoint++) {
    IrBuilder *b = begin("f");
    IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y"), *v;
    if (adjoint) ir_assume(x, IR_FINITE), ir_assume(y, IR_FINITE);
    ir_set_adjoint(b, adjoint);
    v = ir_binary(b, IR_SUB, ir_binary(b, IR_SUB, ir_binary(b, IR_ADD, x, y), x), y);
    IrFunction *f = ir_simplify(end(b, v));
    Arg args[] = {{0, {1}}, {0, {1e-17}}};
    ck_assert_double_eq(value_of(f, 2, args)->data.f64[0], adjoint ? 0 : -1e-17);
    ck_assert_int_eq(sum_nodes(f), adjoint ? 0 : 3);
  }
}
END_TEST

/* ---- calls ---- */

static IrFunction *callee(bool elementwise, bool loops) {
  IrBuilder *b = begin("twice");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y"), *v;
  v = ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, x, ir_f64(b, 2)), y);
  if (loops) { /* the same, as a loop of two steps */
    IrBuilder *body = ir_function_begin(module, b, "body");
    ir_param(body, ir_scalar(IR_I64), "i");
    v = ir_binary(body, IR_ADD, ir_param(body, ir_scalar(IR_F64), "s"), x);
    ir_function_end(body, &v, NULL, 1);
    ir_loop(b, (IrLoop){.count = ir_i64(b, 2), .carried = 1, .initial = &y}, body, &v);
  }
  IrFunction *f = end(b, v);
  f->elementwise = elementwise;
  f->facts = IR_NOT_NAN;
  return f;
}

START_TEST(calls) {
  for (int loops = 0; loops < 2; loops++) {
    IrFunction *g = callee(true, loops);
    IrBuilder *b = begin("f");
    IrValue *args[] = {ir_param(b, vector(3), "x"), ir_param(b, ir_scalar(IR_F64), "y")}, *v, *w;
    ir_call(b, g, args, 2, &v);
    ir_call(b, g, args, 2, &w);
    ck_assert_ptr_eq(v, w);
    ck_assert_int_eq(v->type.dim[0], 3);
    ck_assert(v->facts & IR_NOT_NAN);
    IrFunction *f = end(b, v);
    Arg values[] = {{3, {1, 2, 3}}, {0, {0.5}}};
    ck_assert_double_eq(value_of(f, 2, values)->data.f64[2], 6.5);
    ck_assert_int_eq(count_ops(ir_simplify(f), IR_CALL), 1);
    f = ir_expand_calls(f);
    ck_assert_ptr_null(ir_verify(f));
    ck_assert_int_eq(count_ops(f, IR_CALL), 0);
    IrTensor *t = value_of(f, 2, values);
    ck_assert_int_eq(t->count, 3);
    ck_assert_double_eq(t->data.f64[2], 6.5);
  }
}
END_TEST

START_TEST(expanded_results_have_all_elements) {
  IrBuilder *b = begin("second");
  ir_param(b, ir_scalar(IR_F64), "x");
  IrFunction *g = end(b, ir_unary(b, IR_NEG, ir_param(b, ir_scalar(IR_F64), "y")));
  g->elementwise = true;
  b = begin("f");
  IrValue *args[] = {ir_param(b, vector(3), "x"), ir_param(b, ir_scalar(IR_F64), "y")}, *v;
  ir_call(b, g, args, 2, &v);
  IrFunction *f = ir_expand_calls(end(b, v));
  IrTensor *t = value_of(f, 2, (Arg[]){{3, {1, 2, 3}}, {0, {0.5}}});
  ck_assert_int_eq(t->count, 3);
  ck_assert_double_eq(t->data.f64[2], -0.5);
}
END_TEST

START_TEST(known_call) {
  IrBuilder *b = begin("f");
  IrValue *args[] = {ir_f64(b, 3), ir_f64(b, 1)}, *v;
  ir_call(b, callee(false, true), args, 2, &v);
  ck_assert_ptr_nonnull(v->constant);
  ck_assert_double_eq(v->constant->data.f64[0], 7);
}
END_TEST

START_TEST(closed_regions) {
  IrBuilder *b = begin("body");
  ir_param(b, ir_scalar(IR_I64), "i");
  IrValue *s = ir_param(b, ir_scalar(IR_F64), "s"), *row = ir_param(b, ir_scalar(IR_F64), "row"),
          *k = ir_param(b, ir_scalar(IR_F64), "k"), *v;
  v = ir_binary(b, IR_ADD, s, ir_binary(b, IR_MUL, row, k));
  IrFunction *body = ir_function_end(b, (IrValue *[]){v, s}, NULL, 2);
  b = begin("f");
  IrValue *x = ir_param(b, vector(3), "x"), *y = ir_param(b, ir_scalar(IR_F64), "y"), *out[2];
  IrLoop loop = {.count = ir_i64(b, 3), .carried = 1, .scanned = 1, .initial = &y, .inputs = &x};
  ir_loop_closed(b, loop, body, (IrValue *[]){ir_f64(b, 2)}, 1, out);
  ck_assert_int_eq(out[1]->type.dim[0], 3);
  IrFunction *f = end(b, ir_binary(b, IR_ADD, out[0], ir_reduce_all(b, IR_REDUCE_SUM, out[1])));
  /* 1, 3, 7, 13 */
  ck_assert_double_eq(value_of(f, 2, (Arg[]){{3, {1, 2, 3}}, {0, {1}}})->data.f64[0], 24);
  b = begin("g");
  IrValue *args[] = {ir_param(b, ir_scalar(IR_F64), "x"), ir_param(b, ir_scalar(IR_F64), "y")};
  IrValue *c = ir_binary(b, IR_LT, args[0], args[1]);
  IrFunction *sides[2] = {callee(false, false), callee(false, true)};
  ir_if_closed(b, c, sides[0], sides[1], args, 2, &v);
  f = end(b, v);
  ck_assert_double_eq(value_of(f, 2, (Arg[]){{0, {3}}, {0, {1}}})->data.f64[0], 7);
  ck_assert_double_eq(value_of(f, 2, (Arg[]){{0, {1}}, {0, {3}}})->data.f64[0], 5);
}
END_TEST

/* ---- facts ---- */

START_TEST(facts) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x");
  ck_assert_uint_eq(ir_unary(b, IR_EXP, x)->facts, 0);
  ir_assume(x, IR_FINITE);
  IrValue *e = ir_unary(b, IR_EXP, x);
  ck_assert_uint_eq(x->facts, IR_FINITE | IR_NOT_NAN);
  ck_assert_uint_eq(ir_unary(b, IR_TANH, x)->facts, IR_FINITE | IR_NOT_NAN | IR_AT_MOST_ONE);
  ck_assert(!(ir_binary(b, IR_ADD, x, x)->facts & IR_FINITE));
  ck_assert(ir_binary(b, IR_MUL, x, x)->facts & IR_NONNEGATIVE);
  ck_assert_uint_eq(e->facts, 0); /* made before it was known */
  IrValue *one = ir_binary(b, IR_ADD, ir_unary(b, IR_ABS, x), ir_f64(b, 1));
  ck_assert_uint_eq(one->facts, IR_POSITIVE | IR_NONNEGATIVE | IR_NOT_NAN);
  ck_assert_uint_eq(ir_f64(b, -2)->facts, IR_AT_MOST_ONE | IR_FINITE | IR_NOT_NAN);
  ck_assert_uint_eq(ir_f64(b, NAN)->facts, 0);
  ck_assert_uint_eq(ir_f64(b, INFINITY)->facts, IR_POSITIVE | IR_NONNEGATIVE | IR_NOT_NAN);
}
END_TEST

START_TEST(assumptions_survive_copies) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *e = ir_unary(b, IR_EXP, x);
  ir_assume(e, IR_POSITIVE | IR_FINITE);
  IrFunction *f =
      ir_simplify(ir_function_end(b, (IrValue *[]){e, ir_unary(b, IR_LOG, e)}, NULL, 2));
  ck_assert(f->results[0]->facts & IR_POSITIVE);
  ck_assert_ptr_eq(f->results[1], f->params[0]);
}
END_TEST

/* ---- errors ---- */

START_TEST(sizes_that_disagree) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, vector(3), "x"), *y = ir_param(b, vector(4), "y");
  IrValue *v = ir_binary(b, IR_ADD, x, y);
  ck_assert_str_eq(ir_module_error(module), "add: f64[3] does not go with f64[4]");
  ck_assert_int_eq(v->type.rank, 1);
  ir_matmul(b, x, y);
  ck_assert_str_eq(ir_module_error(module), "add: f64[3] does not go with f64[4]");
  ir_function_end(b, &v, NULL, 1);
}
END_TEST

static void bad_rank(IrBuilder *b, IrValue *x) { ir_matmul(b, x, x); }
static void bad_dtype(IrBuilder *b, IrValue *x) { ir_binary(b, IR_ADD, x, ir_i64(b, 1)); }
static void bad_condition(IrBuilder *b, IrValue *x) { ir_select(b, x, x, x); }
static void bad_axis(IrBuilder *b, IrValue *x) {
  ir_emit(b, IR_CUMSUM, (IrAttr){.axis = 1}, &x, 1);
}
static void bad_size(IrBuilder *b, IrValue *x) {
  ir_broadcast(b, x, (IrValue *[]){ir_i64(b, -1)}, 1);
}
static void bad_count(IrBuilder *b, IrValue *x) {
  ir_reshape(b, x, (IrValue *[]){ir_i64(b, 2), ir_i64(b, 2)}, 2);
}
static void bad_concat(IrBuilder *b, IrValue *x) {
  ir_concat(b, (IrValue *[]){x, ir_unsqueeze(b, x, 0)}, 2, 0);
}
static void bad_axes(IrBuilder *b, IrValue *x) {
  IrValue *dims[IR_MAX_RANK + 2];
  for (int k = 0; k < IR_MAX_RANK + 2; k++) dims[k] = ir_i64(b, 1);
  ir_broadcast(b, x, dims, IR_MAX_RANK + 2);
}
static void bad_updates(IrBuilder *b, IrValue *x) {
  ir_scatter(b, IR_SCATTER_ADD, x, ir_i64(b, 0), x, 0, 0);
}

static void (*const mistakes[])(IrBuilder *b, IrValue *x) = {bad_rank,   bad_dtype, bad_condition,
                                                             bad_axis,   bad_size,  bad_count,
                                                             bad_concat, bad_axes,  bad_updates};

START_TEST(mistakes_are_reported) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, vector(3), "x");
  mistakes[_i](b, x);
  ck_assert_ptr_nonnull(ir_module_error(module));
}
END_TEST

START_TEST(verifier_finds_faults) {
  for (int fault = 0; fault < 5; fault++) {
    IrBuilder *b = begin("f");
    IrValue *x = ir_param(b, vector(3), "x");
    IrFunction *f = end(b, ir_binary(b, IR_ADD, ir_unary(b, IR_EXP, x), x));
    switch (fault) {
    case 0: f->nodes[1]->in[0] = f->results[0]; break;
    case 1: f->results[0]->type.dim[0] = 4; break;
    case 2: f->nodes[1]->in_count = 1; break;
    case 3: f->nodes[0]->in[0] = ir_param(begin("g"), vector(3), NULL); break;
    case 4: f->results[0]->index = 1; break;
    }
    ck_assert_ptr_nonnull(ir_verify(f));
  }
}
END_TEST

/* ---- text ---- */

static const char printed[] = "f (%0 x:f64[?], %1 n:i64) {\n"
                              "  %2:f64 = const 0\n"
                              "  %3:f64[20] = const {0, 1, 2, 3, ..., 16, 17, 18, 19}\n"
                              "  %4:f64 = reduce_sum axes=0 %0\n"
                              "  %5:f64, %6:f64[?] = loop carried=1 scanned=1 %1, %2, %3, %4 "
                              "(%0 i:i64, %1 s:f64, %2 row:f64, %3:f64) {\n"
                              "    %4:f64 = mul %2, %3\n"
                              "    %5:f64 = add %1, %4\n"
                              "    return %5, %1\n"
                              "  }\n"
                              "  %7:f64[?] = call twice %5, %6\n"
                              "  return %7 out\n"
                              "}\n"
                              "elementwise twice (%0 x:f64, %1 y:f64) {\n"
                              "  %2:f64 = const 2\n"
                              "  %3:f64 = mul %0, %2\n"
                              "  %4:f64 = add %3, %1\n"
                              "  return %4\n"
                              "}\n";

START_TEST(text) {
  IrFunction *g = callee(true, false);
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, vector(IR_DYNAMIC), "x"), *n = ir_param(b, ir_scalar(IR_I64), "n"),
          *zero = ir_f64(b, 0), *out[2], *v;
  IrTensor *t = ir_tensor_new(arena, vector(20));
  for (int k = 0; k < 20; k++) t->data.f64[k] = k;
  IrValue *rows = ir_constant(b, t), *sum = ir_reduce_all(b, IR_REDUCE_SUM, x);
  IrBuilder *body = ir_function_begin(module, b, "body");
  ir_param(body, ir_scalar(IR_I64), "i");
  IrValue *s = ir_param(body, ir_scalar(IR_F64), "s"),
          *row = ir_param(body, ir_scalar(IR_F64), "row");
  v = ir_binary(body, IR_ADD, s, ir_binary(body, IR_MUL, row, sum));
  ir_function_end(body, (IrValue *[]){v, s}, NULL, 2);
  IrLoop loop = {.count = n, .carried = 1, .scanned = 1, .initial = &zero, .inputs = &rows};
  ir_loop(b, loop, body, out);
  ir_call(b, g, out, 2, &v);
  IrFunction *f = ir_function_end(b, &v, (const char *[]){"out"}, 1);
  Text text = text_new(arena);
  ir_print(&text, f);
  ck_assert_str_eq(text.data, printed);
  ck_assert_int_eq(ir_node_total(f), 7);
}
END_TEST

/* ---- size ---- */

/* A hundred thousand nodes, in time that is about linear. */
START_TEST(large_function) {
  IrBuilder *b = begin("f");
  IrValue *x = ir_param(b, ir_scalar(IR_F64), "x"), *v = x;
  for (int k = 0; k < 100000; k++) v = ir_unary(b, k % 2 ? IR_SIN : IR_COS, v);
  IrFunction *f = ir_simplify(end(b, v));
  ck_assert_int_eq(f->node_count, 100000);
}
END_TEST

int main(void) {
  Suite *s = suite_create("building");
  TCase *t = tcase_create("building");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, equal_nodes_are_one);
  tcase_add_test(t, attributes_tell_nodes_apart);
  tcase_add_test(t, switched_off);
  tcase_add_test(t, constants_fold);
  tcase_add_test(t, repeated_constants_stay_small);
  tcase_add_test(t, repeated_constants_fold_with_others);
  tcase_add_test(t, loops_over_repeated_constants_fold);
  tcase_add_test(t, dead_nodes_are_dropped);
  tcase_add_test(t, scopes_and_adjoints);
  tcase_add_test(t, branches);
  tcase_add_test(t, known_branch);
  tcase_add_test(t, results_of_branches);
  tcase_add_test(t, loops);
  tcase_add_test(t, known_loop);
  tcase_add_test(t, while_loop);
  tcase_add_test(t, captures_through_levels);
  tcase_add_test(t, dead_captures_are_dropped);
  tcase_add_test(t, loops_lose_what_is_not_needed);
  tcase_add_test(t, only_total_ops_are_hoisted);
  tcase_add_test(t, carried_sizes);
  tcase_add_test(t, sums_are_collected);
  tcase_add_test(t, small_terms_first);
  tcase_add_test(t, compensation_stays);
  tcase_add_test(t, calls);
  tcase_add_test(t, expanded_results_have_all_elements);
  tcase_add_test(t, known_call);
  tcase_add_test(t, closed_regions);
  tcase_add_test(t, facts);
  tcase_add_test(t, assumptions_survive_copies);
  tcase_add_test(t, sizes_that_disagree);
  tcase_add_loop_test(t, mistakes_are_reported, 0, (int)(sizeof mistakes / sizeof *mistakes));
  tcase_add_test(t, verifier_finds_faults);
  tcase_add_test(t, text);
  tcase_add_test(t, large_function);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
