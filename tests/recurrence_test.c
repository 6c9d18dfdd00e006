/* Recurrences that are computed for all iterations at once: they give what the loop gives. */
#include "ir/eval.h"

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

/* A body, for any number of chains. It carries x, [chains, width], and z alike; y is scanned, and c
 * the same in all iterations, both [chains, 1]. */
typedef struct {
  IrBuilder *b;
  int width;
  IrValue *i, *x, *z, *y, *c;
} Body;

enum { CHAINS = 3 };

static IrValue *add(Body *s, IrValue *x, IrValue *y) { return ir_binary(s->b, IR_ADD, x, y); }
static IrValue *sub(Body *s, IrValue *x, IrValue *y) { return ir_binary(s->b, IR_SUB, x, y); }
static IrValue *mul(Body *s, IrValue *x, IrValue *y) { return ir_binary(s->b, IR_MUL, x, y); }
static IrValue *over(Body *s, IrValue *x, IrValue *y) { return ir_binary(s->b, IR_DIV, x, y); }
static IrValue *real(Body *s, double x) { return ir_f64(s->b, x); }
static IrValue *times(Body *s, double x, IrValue *y) { return mul(s, y, real(s, x)); }
static IrValue *unary(Body *s, IrOp op, IrValue *x) { return ir_unary(s->b, op, x); }

/* Column k of a matrix, [chains, 1], and such columns side by side. */
static IrValue *column(Body *s, IrValue *x, int k) {
  return ir_slice(s->b, x, 1, ir_i64(s->b, k), ir_i64(s->b, 1));
}
static IrValue *columns(Body *s, IrValue *x, IrValue *y) {
  return ir_concat(s->b, (IrValue *[]){x, y}, 2, 1);
}

/* ---- elementwise ---- */

static void moving(Body *s) { s->x = sub(s, s->y, mul(s, s->c, s->x)); }
static void varying(Body *s) { s->x = add(s, mul(s, s->y, s->x), s->c); }
static void quotient(Body *s) {
  s->x = unary(s, IR_NEG, over(s, sub(s, s->x, s->y), add(s, s->c, real(s, 1))));
}
static void selected(Body *s) {
  IrValue *some = ir_binary(s->b, IR_GT, s->y, real(s, 0.3));
  s->x = ir_select(s->b, some, add(s, times(s, 0.9, s->x), s->y), s->x);
}
static void sums(Body *s) { s->x = add(s, s->x, s->y); }
static void products(Body *s) { s->x = mul(s, s->x, s->y); }
static void repelled(Body *s) { /* from c */
  IrValue *rate = add(s, mul(s, s->y, s->y), real(s, 3));
  s->x = add(s, s->x, mul(s, rate, sub(s, s->c, s->x)));
}
static void indexed(Body *s) {
  IrValue *first = ir_binary(s->b, IR_LT, s->i, ir_i64(s->b, 7));
  s->x = add(s, mul(s, s->x, ir_select(s->b, first, real(s, 0.25), real(s, -0.5))), s->c);
}
static void apart(Body *s) { /* z needs x for all iterations */
  IrValue *x = s->x;
  s->x = add(s, times(s, 0.5, x), s->y);
  s->z = add(s, mul(s, s->z, s->c), x);
}
static void beside(Body *s) { /* z stays in a loop */
  IrValue *x = s->x;
  s->x = add(s, times(s, 0.5, x), s->y);
  s->z = unary(s, IR_SIN, add(s, s->z, x));
}

/* ---- with something else carried ---- */

static void deviations(Body *s) {
  IrValue *square = mul(s, s->x, s->x);
  s->x = unary(s, IR_SQRT, add(s, mul(s, s->y, s->y), mul(s, s->c, square)));
}
static void negative(Body *s) { /* in the end not a number */
  s->x = unary(s, IR_SQRT, sub(s, times(s, 0.9, mul(s, s->x, s->x)), times(s, 0.01, s->c)));
}
static void logarithms(Body *s) {
  s->x = unary(s, IR_LOG, add(s, mul(s, s->y, s->y), times(s, 0.4, unary(s, IR_EXP, s->x))));
}
static void exponentials(Body *s) {
  s->x = unary(s, IR_EXP, add(s, s->y, times(s, 0.7, unary(s, IR_LOG, s->x))));
}

/* ---- vectors ---- */

static void coupled(Body *s) {
  IrValue *x = s->x;
  s->x = add(s, add(s, times(s, 0.5, x), times(s, 0.2, s->z)), s->y);
  s->z = sub(s, mul(s, s->c, x), times(s, 0.4, s->z));
}
static void lagged(Body *s) { /* x = (x_t, x_t-1) */
  IrValue *last = column(s, s->x, 0), *before = column(s, s->x, 1);
  IrValue *next = add(s, add(s, mul(s, s->c, last), times(s, -0.3, before)), s->y);
  s->x = columns(s, next, last);
}
static IrValue *matrix(Body *s) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){2, 2}));
  memcpy(t->data.f64, (double[]){0.6, 0.3, -0.2, 0.5}, 4 * sizeof(double));
  return ir_constant(s->b, t);
}
static void rows_by_matrix(Body *s) { s->x = add(s, ir_matmul(s->b, s->x, matrix(s)), s->y); }
static void reduced(Body *s) {
  IrValue *x = ir_unsqueeze(s->b, s->x, 2);
  IrValue *products = mul(s, mul(s, x, matrix(s)), ir_unsqueeze(s->b, s->y, 2));
  s->x = add(s, ir_reduce(s->b, IR_REDUCE_SUM, products, (int8_t[]){1}, 1), s->c);
}
static void gathered(Body *s) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_I64, 1, (int64_t[]){2}));
  t->data.i64[0] = 1;
  IrValue *swapped = ir_gather(s->b, s->x, ir_constant(s->b, t), 1, 0);
  s->x = add(s, times(s, 0.5, swapped), mul(s, s->x, s->y));
}
static void scattered(Body *s) { /* learns the value of what is chosen */
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_I64, 1, (int64_t[]){2}));
  t->data.i64[0] = 1;
  IrValue *chosen = ir_binary(s->b, IR_MOD, s->i, ir_i64(s->b, 2));
  IrValue *old = ir_gather(s->b, s->x, ir_unsqueeze(s->b, chosen, 0), 1, 0);
  IrValue *step = mul(s, s->c, sub(s, s->y, old));
  s->x = ir_scatter(s->b, IR_SCATTER_ADD, s->x, ir_unsqueeze(s->b, chosen, 0), step, 1, 0);
}
static void summed(Body *s) { /* of cumulative sums, backwards */
  IrValue *v = ir_emit(s->b, IR_CUMSUM, (IrAttr){.axis = 1}, &s->x, 1);
  v = ir_emit(s->b, IR_REVERSE, (IrAttr){.axis = 1}, &v, 1);
  s->x = add(s, mul(s, s->c, v), s->y);
}

/* ---- logarithms ---- */

/* log(sum(exp(v))) along the last axis, as library code computes it. */
static IrValue *log_sum_exp(Body *s, IrValue *v) {
  const int8_t last[] = {(int8_t)(v->type.rank - 1)};
  IrValue *max = ir_reduce(s->b, IR_REDUCE_MAX, v, last, 1);
  IrValue *shift = ir_select(s->b, unary(s, IR_ISINF, max), real(s, 0), max);
  IrValue *terms = unary(s, IR_EXP, sub(s, v, ir_unsqueeze(s->b, shift, v->type.rank - 1)));
  return add(s, shift, unary(s, IR_LOG, ir_reduce(s->b, IR_REDUCE_SUM, terms, last, 1)));
}

/* x[k] = log_sum_exp(x + row k of logarithms) */
static IrValue *forward(Body *s, const double *logarithms) {
  int64_t n = s->width;
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){n, n}));
  memcpy(t->data.f64, logarithms, (size_t)(n * n) * sizeof *logarithms);
  IrValue *rows = mul(s, ir_unsqueeze(s->b, s->c, 2), ir_constant(s->b, t));
  return log_sum_exp(s, add(s, ir_unsqueeze(s->b, s->x, 1), rows));
}

static void hidden_two(Body *s) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){2}));
  t->data.f64[0] = 3;
  IrValue *emission = mul(s, s->y, ir_constant(s->b, t));
  s->x = add(s, forward(s, (const double[]){-0.1, -2.3, -1.2, -0.4}), emission);
}
static void hidden_three(Body *s) { /* the emission within */
  const double rows[] = {-0.1, -2.3, -4, -1.2, -0.4, -2, -3, -1, -0.5};
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){3, 3}));
  memcpy(t->data.f64, rows, sizeof rows);
  IrValue *x = add(s, ir_unsqueeze(s->b, s->x, 1), ir_constant(s->b, t));
  s->x = log_sum_exp(s, add(s, x, ir_unsqueeze(s->b, s->y, 2)));
}
/* States so far from one another that their exponentials are not there beside one another. */
static void hidden_far(Body *s) { s->x = forward(s, (const double[]){-0.1, -4000, -3000, -2500}); }
static void hidden_close(Body *s) { /* at the edge of that */
  s->x = forward(s, (const double[]){-0.1, -1420, -1470, -1390});
}
static void hidden_apart(Body *s) { /* never from one to the other */
  s->x = add(s, forward(s, (const double[]){-0.1, -INFINITY, -INFINITY, -0.3}), s->y);
}
/* What is impossible has the logarithm of zero, and is no reason to run the loop. */
static void impossible_return(Body *s) {
  s->x = add(s, forward(s, (const double[]){-0.1, -INFINITY, -2.3, -0.05}), s->y);
}
static void impossible_state(Body *s) {
  s->x = add(s, forward(s, (const double[]){-0.1, -2.3, -INFINITY, -INFINITY}), s->y);
}
static void impossible_rest(Body *s) {
  s->x = add(s, forward(s, (const double[]){-INFINITY, -0.2, -0.3, -INFINITY}), s->y);
}
/* What gets ever smaller beside another state, which is not there from the first iteration on or
 * vanishes half way: it is still what it is, or all that counts. */
static void fading(Body *s, const double *first, const double *later, int until) {
  IrTensor *t[2], *rows = ir_tensor_new(arena, ir_type(IR_F64, 2, (int64_t[]){2, 2}));
  for (int k = 0; k < 2; k++) t[k] = ir_tensor_new(arena, ir_type(IR_F64, 1, (int64_t[]){2}));
  memcpy(t[0]->data.f64, first, 2 * sizeof(double));
  memcpy(t[1]->data.f64, later, 2 * sizeof(double));
  memcpy(rows->data.f64, (double[]){0, -INFINITY, -INFINITY, 0}, 4 * sizeof(double));
  IrValue *start = ir_binary(s->b, IR_LT, s->i, ir_i64(s->b, until));
  IrValue *x = add(s, ir_unsqueeze(s->b, s->x, 1), ir_constant(s->b, rows));
  s->x = add(s, log_sum_exp(s, x),
             ir_select(s->b, start, ir_constant(s->b, t[0]), ir_constant(s->b, t[1])));
}
static void hidden_only(Body *s) {
  fading(s, (const double[]){0, -INFINITY}, (const double[]){-29.4, 0}, 1);
}
static void hidden_again(Body *s) {
  fading(s, (const double[]){-29.4, 0}, (const double[]){0, -60}, 26);
}

/* ---- what stays a loop ---- */

static void squared(Body *s) { s->x = add(s, times(s, 0.1, mul(s, s->x, s->x)), s->y); }
static void bounded(Body *s) { s->x = ir_binary(s->b, IR_MIN, s->x, s->y); }
static void divisor(Body *s) { s->x = over(s, s->y, add(s, s->x, real(s, 3))); }
static void both(Body *s) { /* square root of what is not linear in the square alone */
  s->x = unary(s, IR_SQRT, add(s, mul(s, s->x, s->x), unary(s, IR_ABS, s->x)));
}
static void wide_mix(Body *s) { /* four elements */
  IrValue *total = ir_reduce(s->b, IR_REDUCE_SUM, s->x, (int8_t[]){1}, 1);
  s->x = add(s, times(s, 0.1, ir_unsqueeze(s->b, total, 1)), times(s, 0.2, s->x));
}

static const struct {
  const char *name;
  void (*build)(Body *s);
  int width;
  bool stays;
} cases[] = {
    {"moving", moving, 1, false},
    {"moving_rows", moving, 3, false},
    {"varying", varying, 1, false},
    {"varying_rows", varying, 2, false},
    {"quotient", quotient, 1, false},
    {"selected", selected, 1, false},
    {"sums", sums, 2, false},
    {"products", products, 1, false},
    {"indexed", indexed, 1, false},
    {"repelled", repelled, 1, false},
    {"apart", apart, 1, false},
    {"beside", beside, 1, true},
    {"deviations", deviations, 1, false},
    {"negative", negative, 1, false},
    {"logarithms", logarithms, 2, false},
    {"exponentials", exponentials, 1, false},
    {"coupled", coupled, 1, false},
    {"coupled_rows", coupled, 2, true},
    {"lagged", lagged, 2, false},
    {"rows_by_matrix", rows_by_matrix, 2, false},
    {"reduced", reduced, 2, false},
    {"gathered", gathered, 2, false},
    {"scattered", scattered, 2, false},
    {"summed", summed, 3, false},
    {"hidden_two", hidden_two, 2, false},
    {"hidden_three", hidden_three, 3, false},
    {"hidden_far", hidden_far, 2, false},
    {"hidden_close", hidden_close, 2, false},
    {"hidden_apart", hidden_apart, 2, false},
    {"hidden_only", hidden_only, 2, false},
    {"hidden_again", hidden_again, 2, false},
    {"impossible_return", impossible_return, 2, false},
    {"impossible_state", impossible_state, 2, false},
    {"impossible_rest", impossible_rest, 2, false},
    {"squared", squared, 1, true},
    {"bounded", bounded, 1, true},
    {"divisor", divisor, 1, true},
    {"both", both, 1, true},
    {"wide_mix", wide_mix, 4, true},
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- functions ---- */

/* Of x, z, [chains, width], y, [n, chains, 1], and c, [chains, 1]; of n = `trips` iterations, or of
 * as many as y has rows where that is negative. */
static IrFunction *function_of(int k, int trips, bool reverse) {
  IrBuilder *b = ir_function_begin(module, NULL, cases[k].name);
  int64_t open = IR_DYNAMIC, width = cases[k].width;
  IrType state = ir_type(IR_F64, 2, (int64_t[]){open, width}),
         one = ir_type(IR_F64, 2, (int64_t[]){open, 1}),
         rows = ir_type(IR_F64, 3, (int64_t[]){trips < 0 ? open : trips, open, 1});
  IrValue *initial[] = {ir_param(b, state, NULL), ir_param(b, state, NULL)}, *out[6];
  IrValue *y = ir_param(b, rows, NULL), *c = ir_param(b, one, NULL);
  Body s = {.b = ir_function_begin(module, b, "body"), .width = (int)width};
  s.i = ir_param(s.b, ir_scalar(IR_I64), "i");
  s.x = ir_param(s.b, state, NULL);
  s.z = ir_param(s.b, state, NULL);
  s.y = ir_param(s.b, one, NULL);
  s.c = c;
  IrValue *x = s.x, *z = s.z;
  cases[k].build(&s);
  IrValue *results[] = {s.x, s.z, s.x, unary(&s, IR_ABS, x), add(&s, z, s.x)};
  ir_function_end(s.b, results, NULL, 5);
  IrLoop loop = {.count = trips < 0 ? ir_dim(b, y, 0) : ir_i64(b, trips),
                 .carried = 2,
                 .scanned = 1,
                 .initial = initial,
                 .inputs = &y,
                 .reverse = reverse};
  ir_loop(b, loop, s.b, out);
  return ir_simplify(ir_function_end(b, out, NULL, 5));
}

static IrTensor *filled(int rank, const int64_t *dims, double scale, double phase) {
  IrTensor *t = ir_tensor_new(arena, ir_type(IR_F64, rank, dims));
  for (int64_t i = 0; i < t->count; i++)
    t->data.f64[i] = scale * (0.2 + sin(1.7 * (double)i + phase));
  return t;
}

static const IrTensor *const *arguments_of(int width, int64_t rows, int64_t chains) {
  const IrTensor **args = ARENA_ARRAY(arena, const IrTensor *, 4);
  IrTensor *x = filled(2, (int64_t[]){chains, width}, 1, 0.4);
  for (int64_t i = 0; i < x->count; i++) x->data.f64[i] = fabs(x->data.f64[i]) + 0.1;
  args[0] = x;
  args[1] = filled(2, (int64_t[]){chains, width}, 1, 2);
  args[2] = filled(3, (int64_t[]){rows, chains, 1}, 0.8, 1);
  IrTensor *c = filled(2, (int64_t[]){chains, 1}, 0.5, 1);
  for (int64_t i = 0; i < c->count; i++) c->data.f64[i] = fabs(c->data.f64[i]);
  args[3] = c;
  return args;
}

static const IrTensor *const *arguments(int width, int64_t rows) {
  return arguments_of(width, rows, CHAINS);
}

static double *run(const IrFunction *f, const IrTensor *const *args, int64_t *count) {
  const IrTensor *results[8];
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "%s: %s", f->name, wrong);
  IrPlan *p = ir_plan_new(f);
  const char *error = ir_plan_run(p, args, results);
  ck_assert_msg(!error, "%s: %s", f->name, error);
  *count = 0;
  for (int k = 0; k < f->result_count; k++) *count += results[k]->count;
  double *all = ARENA_ARRAY(arena, double, (size_t)*count + 1);
  for (int64_t k = 0, at = 0; k < f->result_count; at += results[k++]->count)
    memcpy(all + at, results[k]->data.f64, sizeof(double) * (size_t)results[k]->count);
  ir_plan_free(p);
  return all;
}

/* Loops but those of branches. */
static int loops(const IrFunction *f) {
  int count = 0;
  for (int i = 0; i < f->node_count; i++) count += f->nodes[i]->op == IR_LOOP;
  return count;
}

static void compare(const IrFunction *f, const IrFunction *g, const IrTensor *const *args,
                    double tolerance) {
  int64_t n, m;
  double *x = run(f, args, &n), *y = run(g, args, &m);
  ck_assert_int_eq(n, m);
  for (int64_t k = 0; k < n; k++) {
    bool same = isfinite(x[k]) ? fabs(x[k] - y[k]) <= tolerance * fmax(1, fabs(x[k]))
                               : x[k] == y[k] || (isnan(x[k]) && isnan(y[k]));
    ck_assert_msg(same, "%s: element %lld of %lld is %.17g, not %.17g", f->name, (long long)k,
                  (long long)n, y[k], x[k]);
  }
}

START_TEST(known_numbers) {
  static const int trips[] = {3, 12, 24, 29, 100, 331};
  int k = _i / 2;
  for (size_t j = 0; j < sizeof trips / sizeof *trips; j++) {
    IrFunction *f = function_of(k, trips[j], _i % 2), *g = ir_scan_recurrences(f);
    compare(f, g, arguments(cases[k].width, trips[j]), 1e-13);
    bool stays = cases[k].stays || trips[j] < 12;
    ck_assert_msg(loops(g) == (stays ? 1 : 0), "%s: there %s a loop of %d iterations",
                  cases[k].name, stays ? "is no" : "is", trips[j]);
  }
}
END_TEST

START_TEST(open_numbers) {
  static const int rows[] = {0, 1, 2, 5, 30, 256, 257, 700};
  int k = _i / 2;
  IrFunction *f = function_of(k, -1, _i % 2), *g = ir_scan_recurrences(f);
  for (size_t j = 0; j < sizeof rows / sizeof *rows; j++)
    compare(f, g, arguments(cases[k].width, rows[j]), 1e-13);
}
END_TEST

/* That no loop takes the time of so many iterations. */
START_TEST(fewer_iterations) {
  enum { TRIPS = 4000 };
  for (int k = 0; k < CASES; k++)
    for (int open = 0; open < 2; open++) {
      if (cases[k].stays || !strncmp(cases[k].name, "hidden_", 7) ||
          !strcmp(cases[k].name, "negative") || !strcmp(cases[k].name, "repelled"))
        continue;
      IrFunction *g = ir_scan_recurrences(function_of(k, open ? -1 : TRIPS, false));
      const IrTensor *const *args = arguments(cases[k].width, TRIPS), *results[8];
      for (int64_t i = 0; i < args[2]->count; i++) args[2]->data.f64[i] *= 0.3;
      IrPlan *p = ir_plan_new(g);
      ir_plan_limit_steps(p, TRIPS - 1);
      const char *error = ir_plan_run(p, args, results);
      ck_assert_msg(!error, "%s: %s", cases[k].name, error);
      ir_plan_free(p);
    }
}
END_TEST

/* Of more problems side by side than iterations. */
START_TEST(many_problems) {
  for (int k = 0; k < CASES; k++) {
    IrFunction *f = function_of(k, 14, k % 2), *g = ir_scan_recurrences(f);
    compare(f, g, arguments_of(cases[k].width, 14, 300), 1e-13);
  }
}
END_TEST

/* What the loop reads only if it runs is not read before. */
START_TEST(no_iterations) {
  int64_t open = IR_DYNAMIC;
  IrBuilder *b = ir_function_begin(module, NULL, "empty"), *inner;
  IrValue *x0 = ir_param(b, ir_scalar(IR_F64), NULL),
          *y = ir_param(b, ir_type(IR_F64, 1, &open), NULL), *out[2];
  inner = ir_function_begin(module, b, "body");
  ir_param(inner, ir_scalar(IR_I64), NULL);
  IrValue *x = ir_param(inner, ir_scalar(IR_F64), NULL), *z = ir_param(inner, x->type, NULL);
  IrValue *first = ir_gather(inner, y, ir_i64(inner, 0), 0, 0);
  x = ir_binary(inner, IR_ADD, ir_binary(inner, IR_MUL, x, first), z);
  ir_function_end(inner, (IrValue *[]){x, x}, NULL, 2);
  IrLoop loop = {
      .count = ir_dim(b, y, 0), .carried = 1, .scanned = 1, .initial = &x0, .inputs = &y};
  ir_loop(b, loop, inner, out);
  IrFunction *f = ir_simplify(ir_function_end(b, out, NULL, 2)), *g = ir_scan_recurrences(f);
  for (int64_t n = 0; n < 40; n += 13) {
    const IrTensor *args[] = {ir_tensor_f64(arena, 0.7), filled(1, &n, 0.5, 1)};
    compare(f, g, args, 1e-13);
  }
}
END_TEST

/* ---- numbers that are out of range ---- */

/* Factors whose products overflow, of a state that is zero; it stays zero. */
START_TEST(products_overflow) {
  for (int trips = -1; trips < 100; trips += 41) {
    int rows = trips < 0 ? 60 : trips;
    IrFunction *f = function_of(1 + 1, trips < 0 ? -1 : rows, false), *g = ir_scan_recurrences(f);
    const IrTensor *const *args = arguments(1, rows);
    memset(args[0]->data.f64, 0, sizeof(double) * CHAINS);
    memset(args[3]->data.f64, 0, sizeof(double) * CHAINS);
    for (int64_t i = 0; i < args[2]->count; i++) args[2]->data.f64[i] = 1e200;
    int64_t n;
    double *y = run(g, args, &n);
    for (int64_t i = 0; i < CHAINS; i++) ck_assert_double_eq(y[i], 0);
    compare(f, g, args, 0);
  }
}
END_TEST

/* Where the loop has infinities and NaNs, so has what replaces it. */
START_TEST(infinite) {
  static const double value[] = {INFINITY, -INFINITY, NAN, 1e308};
  for (int k = 0; k < CASES; k++)
    for (int j = 0; j < 4; j++) {
      IrFunction *f = function_of(k, 40, j % 2), *g = ir_scan_recurrences(f);
      const IrTensor *const *args = arguments(cases[k].width, 40);
      args[2]->data.f64[19 * CHAINS + 1] = value[j];
      compare(f, g, args, 1e-13);
    }
}
END_TEST

/* A recurrence that enlarges its errors loses no more than the loop does, nor takes its time. */
START_TEST(unstable) {
  enum { TRIPS = 500 };
  static const double factor[] = {1.05, -1.5, 4};
  IrFunction *f = function_of(0, TRIPS, false), *g = ir_scan_recurrences(f);
  const IrTensor *const *args = arguments(1, TRIPS);
  long double error[2] = {0, 0}, x[CHAINS];
  int64_t n;
  for (int c = 0; c < CHAINS; c++) args[3]->data.f64[c] = -factor[_i];
  const double *stacks[] = {run(f, args, &n) + 2 * CHAINS, run(g, args, &n) + 2 * CHAINS};
  for (int c = 0; c < CHAINS; c++) x[c] = args[0]->data.f64[c];
  for (int t = 0; t < TRIPS; t++)
    for (int c = 0; c < CHAINS; c++) {
      x[c] =
          (long double)args[2]->data.f64[t * CHAINS + c] - (long double)args[3]->data.f64[c] * x[c];
      for (int j = 0; j < 2; j++) {
        long double e = fabsl(stacks[j][t * CHAINS + c] - x[c]) / fmaxl(1, fabsl(x[c]));
        if (e > error[j]) error[j] = e;
      }
    }
  ck_assert_msg(error[1] <= 4 * error[0], "errors are %Lg, not %Lg", error[1], error[0]);
  const IrTensor *results[8];
  IrPlan *p = ir_plan_new(g);
  ir_plan_limit_steps(p, TRIPS - 1);
  const char *wrong = ir_plan_run(p, args, results);
  ck_assert_msg(!wrong, "%g: %s", factor[_i], wrong);
  ir_plan_free(p);
}
END_TEST

/* What begins at a fixed point stays there, though it is no stable one. */
START_TEST(fixed_points) {
  int k = 0;
  while (strcmp(cases[k].name, "repelled")) k++;
  for (int trips = -1; trips < 100; trips += 21) {
    int rows = trips < 0 ? 30 : trips;
    IrFunction *f = function_of(k, trips, false), *g = ir_scan_recurrences(f);
    const IrTensor *const *args = arguments(1, rows);
    memcpy(args[0]->data.f64, args[3]->data.f64, sizeof(double) * CHAINS);
    int64_t n;
    double *y = run(g, args, &n);
    for (int i = 0; i < CHAINS; i++) ck_assert_double_eq(y[i], args[3]->data.f64[i]);
  }
}
END_TEST

START_TEST(switched_off) {
  IrModule *m = ir_module_new(arena, (IrOptions){.no_scan = true});
  module = m;
  IrFunction *f = function_of(0, 40, false);
  ck_assert_ptr_eq(ir_scan_recurrences(f), f);
}
END_TEST

int main(void) {
  Suite *s = suite_create("recurrence");
  TCase *t = tcase_create("loops");
  tcase_set_timeout(t, 0);
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_loop_test(t, known_numbers, 0, 2 * CASES);
  tcase_add_loop_test(t, open_numbers, 0, 2 * CASES);
  tcase_add_test(t, fewer_iterations);
  tcase_add_test(t, many_problems);
  tcase_add_test(t, no_iterations);
  tcase_add_test(t, products_overflow);
  tcase_add_test(t, infinite);
  tcase_add_loop_test(t, unstable, 0, 3);
  tcase_add_test(t, fixed_points);
  tcase_add_test(t, switched_off);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_ENV);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
