/* Split loops: what stays in them, and that results are those of the loops as they were. */
#include "ir/eval.h"
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIPS = 10, MOST_CARRIED = 3, MOST_OUTS = 3 };

typedef IrValue *V;

typedef struct {
  IrBuilder *b;
  V i;
  V carried[MOST_CARRIED]; /* f64[2] each */
  V x, y;                  /* elements of scanned f64[TRIPS,2] and f64[TRIPS] */
  V p, q;                  /* f64 and f64[2] from outside */
} Body;

typedef struct {
  const char *name;
  int carried, outs;
  /* Fills results: carried values, then outs. */
  void (*build)(Body *body, V *results);
  /* Of the simplified loop: nodes in its body, carried values, scanned inputs and stacked results;
   * nodes -1: there is no loop. */
  int nodes, kept, scanned, stacked;
} Case;

static V un(Body *o, IrOp op, V x) { return ir_unary(o->b, op, x); }
static V bin(Body *o, IrOp op, V x, V y) { return ir_binary(o->b, op, x, y); }
static V add(Body *o, V x, V y) { return bin(o, IR_ADD, x, y); }
static V mul(Body *o, V x, V y) { return bin(o, IR_MUL, x, y); }

/* s = s q + exp(x) p: the second term comes from outside */
static void before(Body *o, V *r) {
  r[0] = add(o, mul(o, o->carried[0], o->q), mul(o, un(o, IR_EXP, o->x), o->p));
}

/* the sines of a recurrence are taken after it */
static void after(Body *o, V *r) {
  r[0] = add(o, mul(o, o->carried[0], o->q), o->x);
  r[1] = un(o, IR_SIN, mul(o, r[0], r[0]));
}

/* a sum of what does not depend on the sum: no loop at all */
static void total(Body *o, V *r) { r[0] = bin(o, IR_SUB, o->carried[0], mul(o, o->x, o->y)); }

/* a sum over a recurrence */
static void total_of_recurrence(Body *o, V *r) {
  r[0] = add(o, mul(o, o->carried[0], o->q), o->x);
  r[1] = add(o, o->carried[1], un(o, IR_COS, un(o, IR_ABS, o->carried[0])));
}

/* what was scanned last time */
static void lagged(Body *o, V *r) {
  r[0] = o->x;
  r[1] = mul(o, o->carried[0], o->y);
}

/* the number of the iteration, and elements by number */
static void numbered(Body *o, V *r) {
  V i = ir_cast(o->b, o->i, IR_F64);
  r[0] = mul(o, add(o, o->carried[0], i), ir_gather(o->b, o->q, ir_i64(o->b, 1), 0, 0));
}

/* y - (p - s q) = (y - p) + s q */
static void regrouped(Body *o, V *r) {
  r[0] = bin(o, IR_SUB, o->y, bin(o, IR_SUB, o->p, mul(o, o->carried[0], o->q)));
}

/* s (p q) */
static void regrouped_product(Body *o, V *r) {
  r[0] = un(o, IR_TANH, mul(o, mul(o, o->carried[0], o->p), o->q));
}

/* both ends of an iteration are needed, and one stack gives them */
static void both_ends(Body *o, V *r) {
  r[0] = un(o, IR_TANH, mul(o, o->carried[0], o->q));
  r[1] = o->carried[0];
  r[2] = r[0];
}

/* Sums that might be compensated are not taken out: the error depends on the sum. */
static void compensated(Body *o, V *r) {
  V term = bin(o, IR_SUB, o->x, o->carried[1]), sum = add(o, o->carried[0], term);
  r[0] = sum;
  r[1] = bin(o, IR_SUB, bin(o, IR_SUB, sum, o->carried[0]), term);
}

/* a swap, and what is never changed */
static void swapped(Body *o, V *r) {
  r[0] = un(o, IR_TANH, o->carried[1]);
  r[1] = o->carried[0];
  r[2] = o->carried[2];
}

/* a part of what is stacked is taken from the stack */
static void part_of_stack(Body *o, V *r) {
  V next = un(o, IR_TANH, add(o, o->carried[0], o->x));
  V part = ir_slice(o->b, next, 0, ir_i64(o->b, 1), ir_i64(o->b, 1));
  r[0] = mul(o, next, part);
  r[1] = add(o, un(o, IR_SIN, next), un(o, IR_COS, part));
}

/* what is put together in the loop is stacked whole, not in parts */
static void put_together(Body *o, V *r) {
  V parts[3];
  for (int k = 0; k < 2; k++)
    parts[k] = ir_slice(o->b, o->carried[0], 0, ir_i64(o->b, k), ir_i64(o->b, 1));
  parts[0] = un(o, IR_TANH, parts[0]);
  parts[1] = un(o, IR_COS, parts[1]);
  V both = ir_concat(o->b, parts, 2, 0);
  r[0] = add(o, both, o->x);
  r[1] = ir_concat(o->b, (V[]){both, o->x}, 2, 0);
}

/* large rows that the loop needs are not stacked: what else comes from them is computed there, too,
 * until it is small */
static void large_rows(Body *o, V *r) {
  enum { WIDTH = 300 };
  V steps = ir_cast(o->b, ir_iota(o->b, ir_i64(o->b, WIDTH)), IR_F64);
  V rows = un(o, IR_COS, mul(o, ir_unsqueeze(o->b, o->carried[0], 1), steps));
  V largest = ir_reduce(o->b, IR_REDUCE_MAX, un(o, IR_EXP, rows), (int8_t[]){1}, 1);
  r[0] = add(o, ir_reduce(o->b, IR_REDUCE_SUM, rows, (int8_t[]){1}, 1), o->x);
  r[1] = un(o, IR_SIN, largest);
}

/* sizes that differ from one iteration to the next cannot be stacked */
static void ragged(Body *o, V *r) {
  V two = ir_i64(o->b, 2), n = bin(o, IR_MOD, o->i, two);
  V part = ir_slice(o->b, mul(o, o->carried[0], o->x), 0, ir_i64(o->b, 0), n);
  r[0] = add(o, o->carried[0], ir_reduce_all(o->b, IR_REDUCE_SUM, part));
}

static const Case cases[] = {
    {"before", 1, 0, before, 2, 1, 1, 0},
    {"after", 1, 1, after, 2, 1, 1, 1},
    {"total", 1, 0, total, -1, 0, 0, 0},
    {"total_of_recurrence", 2, 0, total_of_recurrence, 2, 1, 1, 1},
    {"lagged", 1, 1, lagged, -1, 0, 0, 0},
    {"numbered", 1, 0, numbered, 2, 1, 1, 0},
    {"regrouped", 1, 0, regrouped, 2, 1, 1, 0},
    {"regrouped_product", 1, 0, regrouped_product, 2, 1, 0, 0},
    {"both_ends", 1, 2, both_ends, 2, 1, 0, 1},
    {"compensated", 2, 0, compensated, 4, 2, 1, 0},
    {"swapped", 3, 0, swapped, 1, 2, 0, 0},
    {"ragged", 1, 0, ragged, 4, 1, 2, 0},
    {"part_of_stack", 1, 1, part_of_stack, 4, 1, 1, 1},
    {"put_together", 1, 1, put_together, 6, 1, 1, 1},
    {"large_rows", 1, 1, large_rows, 7, 1, 1, 1},
};

static IrFunction *build(IrModule *m, const Case *c, bool reverse, bool open) {
  int64_t rows[] = {open ? IR_DYNAMIC : TRIPS, 2}, two = 2;
  IrBuilder *b = ir_function_begin(m, NULL, c->name);
  V start = ir_param(b, ir_type(IR_F64, 1, &two), "start"),
    x = ir_param(b, ir_type(IR_F64, 2, rows), "x"), y = ir_param(b, ir_type(IR_F64, 1, rows), "y"),
    p = ir_param(b, ir_scalar(IR_F64), "p"), q = ir_param(b, ir_type(IR_F64, 1, &two), "q"),
    results[MOST_CARRIED + MOST_OUTS], initial[MOST_CARRIED], inputs[] = {x, y};
  IrBuilder *inner = ir_function_begin(m, b, "body");
  Body body = {.b = inner, .p = p, .q = q};
  body.i = ir_param(inner, ir_scalar(IR_I64), "i");
  for (int k = 0; k < c->carried; k++) {
    initial[k] = start;
    body.carried[k] = ir_param(inner, start->type, NULL);
  }
  body.x = ir_param(inner, start->type, NULL);
  body.y = ir_param(inner, ir_scalar(IR_F64), NULL);
  c->build(&body, results);
  /* scalars are repeated to the type of what is carried */
  for (int k = 0; k < c->carried; k++) results[k] = ir_broadcast_like(inner, results[k], start);
  ir_function_end(inner, results, NULL, c->carried + c->outs);
  V count = ir_dim(b, x, 0);
  if (open) inputs[1] = ir_slice(b, y, 0, ir_i64(b, 0), count);
  IrLoop loop = {.count = count,
                 .carried = c->carried,
                 .scanned = 2,
                 .initial = initial,
                 .inputs = inputs,
                 .reverse = reverse};
  ir_loop(b, loop, inner, results);
  return ir_function_end(b, results, NULL, c->carried + c->outs);
}

static const IrNode *loop_of(const IrFunction *f) {
  for (int i = 0; i < f->node_count; i++)
    if (f->nodes[i]->op == IR_LOOP) return f->nodes[i];
  return NULL;
}

static int body_nodes(const IrNode *loop) {
  int count = 0;
  for (int i = 0; i < loop->body[0]->node_count; i++)
    count += loop->body[0]->nodes[i]->op != IR_CONST;
  return count;
}

static void compare(Arena *a, const Case *c, const IrFunction *f, const IrFunction *g, int trips,
                    const char *text) {
  int64_t rows[] = {trips, 2}, two = 2;
  IrTensor *args[] = {ir_tensor_new(a, ir_type(IR_F64, 1, &two)),
                      ir_tensor_new(a, ir_type(IR_F64, 2, rows)),
                      ir_tensor_new(a, ir_type(IR_F64, 1, rows)), ir_tensor_f64(a, 0.75),
                      ir_tensor_new(a, ir_type(IR_F64, 1, &two))};
  IrTensor *want[MOST_CARRIED + MOST_OUTS], *got[MOST_CARRIED + MOST_OUTS];
  for (int k = 0; k < 5; k++)
    for (int64_t i = 0; i < args[k]->count; i++) args[k]->data.f64[i] = cos((double)(7 * i + k));
  const char *error = ir_verify(g);
  ck_assert_msg(!error, "%s: %s\n%s", c->name, error, text);
  const IrTensor *const *in = (const IrTensor *const *)args;
  error = ir_eval_function(a, f, in, want, 1000);
  if (!error) error = ir_eval_function(a, g, in, got, 1000);
  ck_assert_msg(!error, "%s: %s\n%s", c->name, error, text);
  for (int k = 0; k < f->result_count; k++) {
    ck_assert_msg(ir_types_equal(&want[k]->type, &got[k]->type), "%s: type\n%s", c->name, text);
    for (int64_t i = 0; i < want[k]->count; i++) {
      double x = want[k]->data.f64[i], y = got[k]->data.f64[i];
      ck_assert_msg(fabs(x - y) <= 1e-12 * fmax(1, fabs(x)),
                    "%s: element %d of result %d is %.17g, not %.17g\n%s", c->name, (int)i, k, y, x,
                    text);
    }
  }
}

static void check_loop(const Case *c, const IrNode *loop, const char *text) {
  ck_assert_msg((c->nodes < 0) == !loop, "%s\n%s", c->name, text);
  if (!loop) return;
  bool fits = body_nodes(loop) == c->nodes && loop->attr.carried == c->kept &&
              loop->attr.scanned == c->scanned &&
              loop->out_count - loop->attr.carried == c->stacked;
  ck_assert_msg(fits, "%s\n%s", c->name, text);
}

START_TEST(split) {
  const Case *c = &cases[_i];
  for (int reverse = 0; reverse < 2; reverse++) {
    Arena *a = arena_new();
    IrFunction *f = build(ir_module_new(a, (IrOptions){0}), c, reverse, false), *g = ir_simplify(f);
    Text text = text_new(a);
    ir_print(&text, g);
    check_loop(c, loop_of(g), text.data);
    compare(a, c, f, g, TRIPS, text.data);
    arena_free(a);
  }
}
END_TEST

/* The same where the number of iterations is not known. */
START_TEST(split_open) {
  Case c = cases[_i];
  if (c.build == numbered) c.nodes++; /* there might be no iteration that reads the element */
  for (int reverse = 0; reverse < 2; reverse++) {
    Arena *a = arena_new();
    IrFunction *f = build(ir_module_new(a, (IrOptions){0}), &c, reverse, true), *g = ir_simplify(f);
    Text text = text_new(a);
    ir_print(&text, g);
    check_loop(&c, loop_of(g), text.data);
    static const int trips[] = {0, 1, 2, TRIPS};
    for (int k = 0; k < 4; k++) compare(a, &c, f, g, trips[k], text.data);
    arena_free(a);
  }
}
END_TEST

/* Where it might differ between the elements of a batch, nothing may have that size. */
START_TEST(no_size) {
  Arena *a = arena_new();
  IrModule *m = ir_module_new(a, (IrOptions){0});
  IrBuilder *b = ir_function_begin(m, NULL, "f"), *body;
  V count = ir_param(b, ir_scalar(IR_I64), "count"), one = ir_f64(b, 1), out;
  body = ir_function_begin(m, b, "body");
  V i = ir_param(body, ir_scalar(IR_I64), "i"), s = ir_param(body, ir_scalar(IR_F64), "s");
  V next = ir_binary(body, IR_MUL, s, ir_unary(body, IR_COS, ir_cast(body, i, IR_F64)));
  ir_function_end(body, &next, NULL, 1);
  ir_loop(b, (IrLoop){.count = count, .carried = 1, .initial = &one}, body, &out);
  IrFunction *f = ir_simplify(ir_function_end(b, &out, NULL, 1));
  ck_assert_int_eq(loop_of(f)->attr.scanned, 0);
  f = ir_vmap(f, (bool[]){true}, 1, NULL, true, NULL);
  ck_assert_ptr_null(ir_module_error(m));
  int64_t three = 3;
  IrTensor *arg = ir_tensor_new(a, ir_type(IR_I64, 1, &three)), *got;
  for (int k = 0; k < 3; k++) arg->data.i64[k] = k;
  const IrTensor *in[] = {arg};
  ck_assert_ptr_null(ir_eval_function(a, f, in, &got, 1000));
  ck_assert_double_eq(got->data.f64[0], 1);
  ck_assert_double_eq(got->data.f64[1], 1);
  ck_assert_double_eq_tol(got->data.f64[2], cos(1), 1e-15);
  arena_free(a);
}
END_TEST

/* A loop that may end early computes nothing for iterations that it does not come to. */
START_TEST(conditions) {
  Arena *a = arena_new();
  IrModule *m = ir_module_new(a, (IrOptions){0});
  IrBuilder *b = ir_function_begin(m, NULL, "f");
  V x = ir_param(b, ir_type(IR_F64, 1, (int64_t[]){TRIPS}), "x"), zero = ir_f64(b, 0), out[2];
  IrBuilder *body = ir_function_begin(m, b, "body");
  ir_param(body, ir_scalar(IR_I64), "i");
  V s = ir_param(body, ir_scalar(IR_F64), "s"), e = ir_param(body, ir_scalar(IR_F64), "e");
  V next = ir_binary(body, IR_ADD, s, e);
  V results[] = {ir_binary(body, IR_LT, next, ir_f64(body, 5)), next, e};
  ir_function_end(body, results, NULL, 3);
  IrLoop loop = {.count = ir_i64(b, TRIPS),
                 .condition = ir_bool(b, true),
                 .carried = 1,
                 .scanned = 1,
                 .initial = &zero,
                 .inputs = &x};
  ir_loop(b, loop, body, out);
  IrFunction *f = ir_simplify(ir_function_end(b, out, NULL, 2));
  IrTensor *arg = ir_tensor_new(a, x->type), *got[2];
  for (int k = 0; k < TRIPS; k++) arg->data.f64[k] = 2;
  const IrTensor *in[] = {arg};
  ck_assert_ptr_null(ir_verify(f));
  ck_assert_ptr_null(ir_eval_function(a, f, in, got, 100));
  ck_assert_double_eq(got[0]->data.f64[0], 6);
  ck_assert_int_eq(got[1]->count, 3);
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("loops");
  TCase *t = tcase_create("loops");
  tcase_add_loop_test(t, split, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_loop_test(t, split_open, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, no_size);
  tcase_add_test(t, conditions);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
