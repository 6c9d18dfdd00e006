/* Derivatives of calls, written by hand or not; derivatives at edges; and what is not emitted. */
#include "grad_check.h"

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

static IrFunction *end(IrBuilder *b, IrValue *result) {
  return ir_function_end(b, &result, NULL, 1);
}

static IrValue *real(IrBuilder *b) { return ir_param(b, ir_scalar(IR_F64), NULL); }

static IrValue *reals(IrBuilder *b, int64_t n) { return ir_param(b, ir_type(IR_F64, 1, &n), NULL); }

static IrValue *mul(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_MUL, x, y); }
static IrValue *add(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_ADD, x, y); }

static const IrTensor *vector(int n, const double *x) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){n}));
  memcpy(t->data.f64, x, sizeof *x * (size_t)n);
  return t;
}

static const IrTensor *scalar(double x) { return ir_tensor_f64(arena, x); }

/* ---- functions to call ---- */

/* What was asked of the hand-written derivatives. */
typedef struct {
  int asked[3]; /* by k */
  int written;  /* how many there are */
  double slope; /* instead of the true one */
} Record;

/* exp(x y), whose derivatives are said to be `slope` */
static IrFunction *derive_by_slope(IrFunction *f, int k, void *context) {
  Record *r = context;
  if (k < 0) return NULL;
  r->asked[k]++;
  if (k >= r->written) return NULL;
  IrBuilder *b = begin("slope");
  for (int i = 0; i < f->param_count; i++) real(b);
  IrFunction *d = end(b, ir_f64(b, r->slope));
  d->elementwise = true;
  return d;
}

static IrFunction *exp_of_product(Record *r) {
  IrBuilder *b = begin("exp_of_product");
  IrValue *x = real(b), *y = real(b);
  IrFunction *f = end(b, ir_unary(b, IR_EXP, mul(b, x, y)));
  f->elementwise = true;
  f->derivative = r ? derive_by_slope : NULL;
  f->context = r;
  return f;
}

/* x to the power n by repeated multiplication, with a loop. */
static IrFunction *looped_power(void) {
  IrBuilder *b = begin("looped_power"), *body;
  IrValue *x = real(b), *n = ir_param(b, ir_scalar(IR_I64), NULL), *one = ir_f64(b, 1), *r;
  body = ir_function_begin(module, b, "body");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *p = real(body);
  end(body, mul(body, p, x));
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &one}, body, &r);
  IrFunction *f = end(b, r);
  f->elementwise = true;
  return f;
}

/* x / |x|, and its norm */
static IrFunction *unit_vector(void) {
  IrBuilder *b = begin("unit_vector");
  IrValue *x = reals(b, 3);
  IrValue *norm = ir_unary(b, IR_SQRT, ir_reduce_all(b, IR_REDUCE_SUM, mul(b, x, x)));
  IrValue *results[] = {ir_binary(b, IR_DIV, x, norm), norm};
  return ir_function_end(b, results, NULL, 2);
}

/* With u = x / |x|: x_ = (u_ - u (u . u_)) / |x| + u |x|_ */
static IrFunction *derive_unit_vector(IrFunction *f, int k, void *context) {
  int *asked = context;
  ck_assert_int_eq(k, -1);
  ck_assert_int_eq(f->param_count, 1);
  ++*asked;
  IrBuilder *b = begin("unit_vector_vjp");
  reals(b, 3);
  IrValue *u = reals(b, 3), *norm = real(b), *u_ = reals(b, 3), *norm_ = real(b);
  IrValue *along = mul(b, u, ir_reduce_all(b, IR_REDUCE_SUM, mul(b, u, u_)));
  IrValue *x_ = ir_binary(b, IR_DIV, ir_binary(b, IR_SUB, u_, along), norm);
  return end(b, add(b, x_, mul(b, u, norm_)));
}

/* ---- calls ---- */

static void check(IrFunction *f, const bool *wrt, const IrTensor *const *args) {
  check_vjp(f, wrt, args, 1e-8);
  check_vjp(ir_simplify(f), wrt, args, 1e-8);
}

static const double five[] = {0.3, -0.6, 1.1, 0.7, -0.2}, three[] = {0.8, -0.5, 1.4};

/* The gradient of f by its only parameter. */
static const double *gradient(IrFunction *f, const IrTensor *at) {
  IrTensor *results[2];
  grad_run(arena, ir_grad(f, 0, (bool[]){true}), &at, results);
  return results[1]->data.f64;
}

START_TEST(written_by_hand) {
  Record r = {.written = 2, .slope = 5};
  IrFunction *callee = exp_of_product(&r);
  for (int round = 0; round < 2; round++) {
    IrBuilder *b = begin("caller");
    IrValue *x = reals(b, 3), *args[] = {ir_f64(b, 0.5), x}, *v;
    ir_call(b, callee, args, 2, &v);
    const double *g =
        gradient(end(b, ir_reduce_all(b, IR_REDUCE_SUM, mul(b, v, x))), vector(3, three));
    for (int k = 0; k < 3; k++)
      ck_assert_double_eq_tol(g[k], exp(0.5 * three[k]) + 5 * three[k], 1e-14);
  }
  ck_assert_int_eq(r.asked[0], 0); /* 0.5 is no parameter */
  ck_assert_int_eq(r.asked[1], 1); /* both rounds */
}
END_TEST

static IrFunction *caller_of_scalars(IrFunction *callee) {
  IrBuilder *b = begin("caller");
  IrValue *x = reals(b, 5), *y = real(b), *args[] = {x, y}, *v[2];
  ir_call(b, callee, args, 2, &v[0]);
  args[0] = mul(b, y, y);
  args[1] = ir_unsqueeze(b, x, 1);
  ir_call(b, callee, args, 2, &v[1]);
  v[1] = mul(b, v[1], v[0]);
  return ir_function_end(b, v, NULL, 2);
}

START_TEST(not_written) {
  const IrTensor *args[] = {vector(5, five), scalar(0.9)};
  Record none = {.written = 0};
  check(caller_of_scalars(exp_of_product(NULL)), (bool[]){true, true}, args);
  check(caller_of_scalars(exp_of_product(&none)), (bool[]){true, true}, args);
  check(ir_vjp(caller_of_scalars(exp_of_product(NULL)), (bool[]){true, true}),
        (bool[]){true, true, false, false},
        (const IrTensor *[]){args[0], args[1], args[0],
                             ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){5, 5}))});
  ck_assert_int_eq(none.asked[0], 1);
  ck_assert_int_eq(none.asked[1], 1);
}
END_TEST

START_TEST(loop_in_callee) {
  IrBuilder *b = begin("caller");
  IrValue *x = reals(b, 5), *n = ir_param(b, ir_scalar(IR_I64), NULL), *args[] = {x, n}, *v;
  ir_call(b, looped_power(), args, 2, &v);
  IrFunction *f = end(b, v);
  for (int k = 0; k < 4; k++) {
    const IrTensor *at[] = {vector(5, five), ir_tensor_i64(arena, k)};
    check(f, (bool[]){true, false}, at);
    check(ir_expand_calls(f), (bool[]){true, false}, at);
  }
}
END_TEST

static IrFunction *caller_of_vectors(IrFunction *callee, int use) {
  IrBuilder *b = begin("caller");
  IrValue *x = reals(b, 3), *v[2], *arg = mul(b, x, x), *out = ir_f64(b, 0);
  ir_call(b, callee, &arg, 1, v);
  if (use & 1) out = add(b, out, ir_unary(b, IR_SIN, v[0]));
  if (use & 2) out = add(b, out, mul(b, v[1], v[1]));
  return end(b, add(b, out, x));
}

START_TEST(functions_of_containers) {
  const IrTensor *args[] = {vector(3, three)};
  int asked = 0;
  IrFunction *by_hand = unit_vector();
  by_hand->derivative = derive_unit_vector;
  by_hand->context = &asked;
  for (int use = 0; use < 4; use++) {
    check(caller_of_vectors(unit_vector(), use), (bool[]){true}, args);
    check(caller_of_vectors(by_hand, use), (bool[]){true}, args);
  }
  ck_assert_int_eq(asked, 1);
}
END_TEST

START_TEST(calls_in_loops) {
  int asked = 0;
  IrFunction *vectors = unit_vector(), *scalars = exp_of_product(NULL);
  for (int by_hand = 0; by_hand < 2; by_hand++) {
    if (by_hand) {
      vectors->derivative = derive_unit_vector;
      vectors->context = &asked;
    }
    IrBuilder *b = begin("caller"), *body;
    IrValue *x = reals(b, 3), *y = real(b), *v[2], *r;
    body = ir_function_begin(module, b, "body");
    ir_param(body, ir_scalar(IR_I64), NULL);
    IrValue *state = reals(body, 3), *args[] = {state, y}, *w;
    ir_call(body, scalars, args, 2, &w);
    ir_call(body, by_hand ? vectors : unit_vector(), &w, 1, v);
    end(body, add(body, v[0], ir_unary(body, IR_SIN, mul(body, state, v[1]))));
    ir_loop(b, (IrLoop){.count = ir_i64(b, 3), .carried = 1, .initial = &x}, body, &r);
    check(end(b, r), (bool[]){true, true}, (const IrTensor *[]){vector(3, three), scalar(0.4)});
  }
}
END_TEST

/* ---- edges ---- */

static IrFunction *of_vector(int n, IrValue *(*build)(IrBuilder *b, IrValue *x)) {
  IrBuilder *b = begin("edge");
  IrValue *v = build(b, reals(b, n));
  return end(b, ir_reduce_all(b, IR_REDUCE_SUM, v));
}

static IrValue *f_sqrt(IrBuilder *b, IrValue *x) { return ir_unary(b, IR_SQRT, x); }
static IrValue *f_log(IrBuilder *b, IrValue *x) { return ir_unary(b, IR_LOG, x); }
static IrValue *f_abs(IrBuilder *b, IrValue *x) { return ir_unary(b, IR_ABS, x); }
static IrValue *f_square(IrBuilder *b, IrValue *x) { return ir_binary(b, IR_POW, x, ir_f64(b, 2)); }
static IrValue *f_root(IrBuilder *b, IrValue *x) { return ir_binary(b, IR_POW, x, ir_f64(b, 0.5)); }
static IrValue *f_fraction(IrBuilder *b, IrValue *x) {
  return ir_binary(b, IR_POW, x, ir_f64(b, 0.25));
}
static IrValue *f_power(IrBuilder *b, IrValue *x) {
  return ir_binary(b, IR_POW, x, add(b, x, ir_f64(b, 0.5)));
}
static IrValue *f_max(IrBuilder *b, IrValue *x) { return ir_binary(b, IR_MAX, x, ir_f64(b, 0)); }
static IrValue *f_max_first(IrBuilder *b, IrValue *x) {
  return ir_binary(b, IR_MAX, ir_f64(b, 0), x);
}
static IrValue *f_min(IrBuilder *b, IrValue *x) { return ir_binary(b, IR_MIN, x, ir_f64(b, 0)); }
static IrValue *f_tie(IrBuilder *b, IrValue *x) {
  return ir_binary(b, IR_MAX, mul(b, x, ir_f64(b, 3)), mul(b, x, ir_f64(b, 2)));
}
static IrValue *f_largest(IrBuilder *b, IrValue *x) { return ir_reduce_all(b, IR_REDUCE_MAX, x); }
static IrValue *f_smallest(IrBuilder *b, IrValue *x) { return ir_reduce_all(b, IR_REDUCE_MIN, x); }
static IrValue *f_product(IrBuilder *b, IrValue *x) { return ir_reduce_all(b, IR_REDUCE_PROD, x); }
/* log(x) where x > 0, else x: the logarithm is NaN or has an infinite slope elsewhere */
static IrValue *f_guarded(IrBuilder *b, IrValue *x) {
  IrValue *c = ir_binary(b, IR_GT, x, ir_f64(b, 0));
  return ir_select(b, c, ir_unary(b, IR_LOG, ir_select(b, c, x, ir_f64(b, 1))), x);
}
static const struct {
  const char *name;
  IrValue *(*build)(IrBuilder *b, IrValue *x);
  int n;
  double at[4], expected[4];
} edges[] = {
    {"sqrt", f_sqrt, 2, {0, 4}, {0, 0.25}},
    {"log", f_log, 2, {0, 4}, {INFINITY, 0.25}},
    {"abs", f_abs, 4, {0, -0.0, 2, -3}, {0, 0, 1, -1}},
    {"square", f_square, 2, {0, -3}, {0, -6}},
    {"root", f_root, 2, {0, 4}, {0, 0.25}},
    {"fraction", f_fraction, 2, {0, 1}, {0, 0.25}},
    {"power", f_power, 2, {0, 1}, {0, 1.5}},
    {"max", f_max, 3, {0, 1, -1}, {1, 1, 0}},
    {"max_first", f_max_first, 3, {0, 1, -1}, {1, 1, 0}},
    {"min", f_min, 3, {0, 1, -1}, {1, 0, 1}},
    {"tie", f_tie, 3, {0, 1, -1}, {2, 3, 2}},
    {"largest", f_largest, 4, {1, 3, 3, 2}, {0, 1, 0, 0}},
    {"smallest", f_smallest, 4, {1, 0, 0, 2}, {0, 1, 0, 0}},
    {"one_zero", f_product, 3, {2, 0, 5}, {0, 10, 0}},
    {"two_zeros", f_product, 3, {0, 0, 5}, {0, 0, 0}},
    {"no_zero", f_product, 3, {2, 3, 5}, {15, 10, 6}},
    {"guarded", f_guarded, 3, {0, -2, 4}, {1, 1, 0.25}},
};

START_TEST(edge) {
  const double *g =
      gradient(of_vector(edges[_i].n, edges[_i].build), vector(edges[_i].n, edges[_i].at));
  for (int k = 0; k < edges[_i].n; k++)
    ck_assert_msg(g[k] == edges[_i].expected[k] ||
                      fabs(g[k] - edges[_i].expected[k]) <= 1e-15 * fabs(edges[_i].expected[k]),
                  "%s: element %d is %g, not %g", edges[_i].name, k, g[k], edges[_i].expected[k]);
}
END_TEST

/* ---- what is not emitted ---- */

static int gradient_nodes(IrFunction *f, const bool *wrt) {
  IrFunction *g = ir_simplify(ir_grad(f, 0, wrt));
  int count = 0;
  for (int i = 0; i < g->node_count; i++) count += g->nodes[i]->op != IR_CONST;
  return count;
}

/* Parameters side by side in a vector, a linear predictor, a normal likelihood. */
START_TEST(small_graphs) {
  IrBuilder *b = begin("regression");
  IrValue *theta = reals(b, 3), *x = reals(b, 100), *y = reals(b, 100);
  IrValue *a = ir_gather(b, theta, ir_i64(b, 0), 0, 0),
          *slope = ir_gather(b, theta, ir_i64(b, 1), 0, 0);
  IrValue *sigma = ir_unary(b, IR_EXP, ir_gather(b, theta, ir_i64(b, 2), 0, 0));
  IrValue *mu = add(b, a, mul(b, slope, x));
  IrValue *z = ir_binary(b, IR_DIV, ir_binary(b, IR_SUB, y, mu), sigma);
  IrValue *squares = ir_reduce_all(b, IR_REDUCE_SUM, mul(b, z, z));
  IrValue *logs = mul(b, ir_unary(b, IR_LOG, sigma), ir_f64(b, 100));
  IrFunction *f = end(b, ir_binary(b, IR_SUB, mul(b, squares, ir_f64(b, -0.5)), logs));
  /* 13 nodes of the density; at most 15 of the gradient */
  ck_assert_int_le(gradient_nodes(f, (bool[]){true, false, false}), 28);

  b = begin("sum");
  f = end(b, ir_reduce_all(b, IR_REDUCE_SUM, reals(b, 10)));
  ck_assert_int_le(gradient_nodes(f, (bool[]){true}),
                   1); /* the sum itself: its gradient is known */
}
END_TEST

/* Loops of f. What they carry must be scalars; *outs is how many outs the first has. */
static int loops_in(const IrFunction *f, int *outs) {
  int count = 0;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->op != IR_LOOP) continue;
    for (int k = 0; k < n->attr.carried; k++) ck_assert_int_eq(n->out[k]->type.rank, 0);
    if (count++ == 0) *outs = n->out_count - n->attr.carried;
  }
  return count;
}

/* s <- phi s + y[i]: the backward loop reads no more than the states, and needs no sum of what is
 * shaped like y. */
START_TEST(small_tapes) {
  IrBuilder *b = begin("filter"), *body;
  IrValue *phi = real(b), *y = reals(b, 50), *zero = ir_f64(b, 0), *r;
  body = ir_function_begin(module, b, "body");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL), *s = real(body);
  end(body, add(body, mul(body, phi, s), ir_gather(body, y, i, 0, 0)));
  ir_loop(b, (IrLoop){.count = ir_i64(b, 50), .carried = 1, .initial = &zero}, body, &r);
  IrFunction *f = end(b, r);
  int outs;
  static const bool wrt[][2] = {{true, true}, {true, false}, {false, true}, {false, false}};
  static const int states[] = {1, 1, 0, 0}, loops[] = {2, 2, 2, 1};
  for (int k = 0; k < 4; k++) {
    ck_assert_int_eq(loops_in(ir_simplify(ir_grad(f, 0, wrt[k])), &outs), loops[k]);
    ck_assert_int_eq(outs, states[k]);
  }
}
END_TEST

/* What differentiation makes says so, and where it comes from. */
START_TEST(origin) {
  static const IrScope scope = {"normal_lpdf", 1, NULL};
  IrBuilder *b = begin("scoped");
  IrValue *x = real(b);
  ir_set_scope(b, &scope);
  IrValue *v = ir_unary(b, IR_SIN, x);
  ir_set_scope(b, NULL);
  IrFunction *g = ir_grad(end(b, mul(b, v, v)), 0, (bool[]){true});
  bool sine = false, cosine = false;
  for (int i = 0; i < g->node_count; i++) {
    const IrNode *n = g->nodes[i];
    sine |= n->op == IR_SIN && n->scope == &scope && !n->adjoint;
    cosine |= n->op == IR_COS && n->scope == &scope && n->adjoint;
  }
  ck_assert(sine && cosine);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ir_grad_call");
  TCase *t = tcase_create("calls");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, written_by_hand);
  tcase_add_test(t, not_written);
  tcase_add_test(t, loop_in_callee);
  tcase_add_test(t, functions_of_containers);
  tcase_add_test(t, calls_in_loops);
  tcase_add_loop_test(t, edge, 0, (int)(sizeof edges / sizeof *edges));
  tcase_add_test(t, small_graphs);
  tcase_add_test(t, small_tapes);
  tcase_add_test(t, origin);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
