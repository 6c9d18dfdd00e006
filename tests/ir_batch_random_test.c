/* Random functions with nested branches and loops, over batches: against one element at a time,
 * before and after differentiation, by vmap and by batched calls. */
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PROGRAMS = 300,
  PARAMS = 5,
  RESULTS = 4,
  VECTOR = 3,
  BATCH = 5,
  MAX_DEPTH = 3,
  FIRST = PARAMS + 2, /* of the pool: before it, values of every kind that stay */
  POOL = 48
};

/* ---- random functions ---- */

typedef struct {
  uint64_t state;
  IrModule *module;
} Random;

static uint32_t below(Random *r, uint32_t n) {
  r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(r->state >> 33) % n;
}

/* The values that a region can use: those of regions around it, then its own. */
typedef struct {
  Random *random;
  IrBuilder *b;
  int depth;
  IrValue *values[POOL];
  int count;
} Scope;

typedef enum { REAL, VEC, INT, TRUTH } Kind;

static bool is_kind(const IrValue *v, Kind kind) {
  static const IrDtype dtypes[] = {IR_F64, IR_F64, IR_I64, IR_BOOL};
  return v->type.dtype == dtypes[kind] && v->type.rank == (kind == VEC);
}

static IrValue *unary(Scope *s, IrOp op, IrValue *x) { return ir_unary(s->b, op, x); }
static IrValue *binary(Scope *s, IrOp op, IrValue *x, IrValue *y) {
  return ir_binary(s->b, op, x, y);
}

static IrValue *pick(Scope *s, Kind kind) {
  IrValue *found = NULL;
  int seen = 0;
  for (int k = 0; k < s->count; k++)
    if (is_kind(s->values[k], kind) && below(s->random, (uint32_t)++seen) == 0)
      found = s->values[k];
  return found;
}

static void keep(Scope *s, IrValue *v) {
  if (s->count < POOL)
    s->values[s->count++] = v;
  else
    s->values[FIRST + below(s->random, POOL - FIRST)] = v;
}

/* Brings a number back to where repeated arithmetic stays moderate. */
static IrValue *bounded(Scope *s, IrValue *x) {
  if (x->type.dtype == IR_F64) return binary(s, IR_MUL, ir_f64(s->b, 3), unary(s, IR_TANH, x));
  return binary(s, IR_MOD, x, ir_i64(s->b, 7));
}

static void step_arithmetic(Scope *s) {
  static const IrOp ops[] = {IR_ADD, IR_SUB, IR_MUL, IR_MIN, IR_MAX};
  IrOp op = ops[below(s->random, 5)];
  Kind kind = (Kind)below(s->random, 3);
  IrValue *x = pick(s, kind), *y = pick(s, kind == VEC && below(s->random, 2) ? REAL : kind);
  keep(s, bounded(s, binary(s, op, x, y)));
}

static void step_comparison(Scope *s) {
  Kind kind = below(s->random, 2) ? REAL : INT;
  IrValue *c = binary(s, below(s->random, 2) ? IR_LT : IR_LE, pick(s, kind), pick(s, kind));
  keep(s, below(s->random, 3) ? c : binary(s, IR_AND, c, pick(s, TRUTH)));
}

static void step_select(Scope *s) {
  Kind kind = (Kind)below(s->random, 3);
  keep(s, ir_select(s->b, pick(s, TRUTH), pick(s, kind), pick(s, kind)));
}

/* A sum, an element, an element changed. */
static void step_vector(Scope *s) {
  IrValue *v = pick(s, VEC),
          *k = unary(s, IR_ABS, binary(s, IR_MOD, pick(s, INT), ir_i64(s->b, VECTOR)));
  switch (below(s->random, 3)) {
  case 0: keep(s, bounded(s, ir_reduce_all(s->b, IR_REDUCE_SUM, v))); break;
  case 1: keep(s, ir_gather(s->b, v, k, 0, 0)); break;
  default: keep(s, ir_scatter(s->b, IR_SCATTER_SET, v, k, pick(s, REAL), 0, 0));
  }
}

static void steps(Scope *s, int count);

static Scope inner_scope(const Scope *s, const char *name) {
  Scope inner = *s;
  inner.b = ir_function_begin(s->random->module, s->b, name);
  inner.depth++;
  return inner;
}

/* A branch which, where it is guarded, does what only goes well where the condition holds. */
static void branch(Scope *s, IrValue *index, IrValue *divisor, const IrType *types, int count) {
  IrValue *results[RESULTS];
  if (index) {
    keep(s, ir_gather(s->b, pick(s, VEC), index, 0, 0));
    keep(s, binary(s, IR_DIV, ir_i64(s->b, 12), divisor));
  }
  steps(s, 3);
  for (int k = 0; k < count; k++)
    results[k] = pick(s, types[k].rank ? VEC : types[k].dtype == IR_I64 ? INT : REAL);
  ir_function_end(s->b, results, NULL, count);
}

static int random_types(Scope *s, IrType *types, int most) {
  static const int64_t n = VECTOR;
  int count = 1 + (int)below(s->random, (uint32_t)most);
  for (int k = 0; k < count; k++) {
    uint32_t kind = below(s->random, 3);
    types[k] = kind == 0   ? ir_scalar(IR_F64)
               : kind == 1 ? ir_type(IR_F64, 1, &n)
                           : ir_scalar(IR_I64);
  }
  return count;
}

static void step_if(Scope *s) {
  IrType types[RESULTS];
  IrValue *results[RESULTS], *k = pick(s, INT), *condition = pick(s, TRUTH);
  bool guarded = below(s->random, 2);
  int count = random_types(s, types, RESULTS);
  if (guarded) /* 0 < k < VECTOR */
    condition = binary(s, IR_AND, binary(s, IR_LT, ir_i64(s->b, 0), k),
                       binary(s, IR_LT, k, ir_i64(s->b, VECTOR)));
  Scope then = inner_scope(s, "then"), orelse = inner_scope(s, "else");
  branch(&then, guarded ? k : NULL, k, types, count);
  branch(&orelse, NULL, NULL, types, count);
  ir_if(s->b, condition, then.b, orelse.b, results);
  for (int j = 0; j < count; j++) keep(s, results[j]);
}

/* A loop: of a number of iterations, or while something holds, or both. Without a limit, a counter
 * that falls to zero ends it: one that does not begin above it never does, and must not begin. */
static void step_loop(Scope *s) {
  Random *r = s->random;
  IrType types[RESULTS];
  IrValue *initial[RESULTS + 1], *inputs[1], *out[RESULTS + 3], *results[RESULTS + 4];
  int carried = random_types(s, types, RESULTS - 1), n = 0;
  bool limited = below(r, 3), scans = limited && below(r, 2);
  bool conditional = !limited || (!scans && below(r, 2));
  for (int k = 0; k < carried; k++)
    initial[k] = pick(s, types[k].rank ? VEC : types[k].dtype == IR_I64 ? INT : REAL);
  IrValue *count = unary(s, IR_ABS, binary(s, IR_MOD, pick(s, INT), ir_i64(s->b, VECTOR + 1)));
  if (scans) count = ir_i64(s->b, VECTOR);
  IrValue *condition = pick(s, TRUTH);
  initial[carried] = pick(s, INT);
  if (!limited) condition = binary(s, IR_LT, ir_i64(s->b, 0), initial[carried]);
  inputs[0] = pick(s, VEC);
  Scope body = inner_scope(s, "loop");
  IrValue *i = ir_param(body.b, ir_scalar(IR_I64), NULL), *params[RESULTS + 1];
  for (int k = 0; k < carried; k++) params[k] = ir_param(body.b, types[k], NULL);
  params[carried] = ir_param(body.b, ir_scalar(IR_I64), NULL);
  if (scans) keep(&body, ir_param(body.b, ir_scalar(IR_F64), NULL));
  for (int k = 0; k <= carried; k++) keep(&body, params[k]);
  keep(&body, i);
  steps(&body, 4);
  IrValue *left = ir_binary(body.b, IR_SUB, params[carried], ir_i64(body.b, 1));
  IrValue *again = limited ? pick(&body, TRUTH) : ir_binary(body.b, IR_NE, left, ir_i64(body.b, 0));
  if (conditional) results[n++] = again;
  for (int k = 0; k < carried; k++)
    results[n++] = pick(&body, types[k].rank ? VEC : types[k].dtype == IR_I64 ? INT : REAL);
  results[n++] = left;
  results[n++] = pick(&body, REAL);
  ir_function_end(body.b, results, NULL, n);
  ir_loop(s->b,
          (IrLoop){.count = limited ? count : NULL,
                   .condition = conditional ? condition : NULL,
                   .carried = carried + 1,
                   .scanned = scans,
                   .initial = initial,
                   .inputs = inputs,
                   .reverse = !conditional && below(r, 3) == 0},
          body.b, out);
  for (int k = 0; k <= carried; k++) keep(s, out[k]);
  keep(s, bounded(s, ir_reduce_all(s->b, IR_REDUCE_SUM, out[carried + 1])));
}

static void steps(Scope *s, int count) {
  for (int k = 0; k < count; k++) {
    uint32_t what = below(s->random, s->depth < MAX_DEPTH ? 10 : 7);
    if (what < 3)
      step_arithmetic(s);
    else if (what < 4)
      step_comparison(s);
    else if (what < 5)
      step_select(s);
    else if (what < 7)
      step_vector(s);
    else if (what < 8)
      step_if(s);
    else
      step_loop(s);
  }
}

/* Parameters: two reals, a vector, two integers. Results: two reals, a vector, an integer. */
static IrFunction *random_function(Random *r) {
  static const int64_t n = VECTOR;
  Scope s = {.random = r, .b = ir_function_begin(r->module, NULL, "random")};
  IrType types[PARAMS] = {ir_scalar(IR_F64), ir_scalar(IR_F64), ir_type(IR_F64, 1, &n),
                          ir_scalar(IR_I64), ir_scalar(IR_I64)};
  for (int k = 0; k < PARAMS; k++) keep(&s, ir_param(s.b, types[k], NULL));
  keep(&s, binary(&s, IR_LT, s.values[0], s.values[1]));
  keep(&s, binary(&s, IR_LT, s.values[3], s.values[4]));
  steps(&s, 12);
  IrValue *results[RESULTS] = {pick(&s, REAL), pick(&s, REAL), pick(&s, VEC), pick(&s, INT)};
  return ir_function_end(s.b, results, NULL, RESULTS);
}

/* ---- running ---- */

static IrTensor *random_tensor(Random *r, Arena *a, IrType type) {
  IrTensor *t = ir_tensor_new(a, type);
  for (int64_t i = 0; i < t->count; i++) {
    int x = (int)below(r, 4001) - 2000;
    if (type.dtype == IR_F64)
      t->data.f64[i] = x / 700.0;
    else
      t->data.i64[i] = x % 7;
  }
  return t;
}

/* Element (i, j) of t's first two axes, of which those of size 1 hold for all. */
static IrTensor *element(Arena *a, const IrTensor *t, int levels, int64_t i, int64_t j) {
  IrTensor *r =
      ir_tensor_new(a, ir_type(t->type.dtype, t->type.rank - levels, t->type.dim + levels));
  int64_t at[2] = {i, j}, offset = 0;
  for (int l = 0; l < levels; l++)
    offset = offset * t->type.dim[l] + (t->type.dim[l] == 1 ? 0 : at[l]);
  size_t bytes = (size_t)r->count * ir_dtype_size(t->type.dtype);
  memcpy(r->data.bytes, (const char *)t->data.bytes + (size_t)offset * bytes, bytes);
  return r;
}

static IrPlan *run(int number, const IrFunction *f, const IrTensor *const *args,
                   const IrTensor **results) {
  const char *error = ir_module_error(f->module);
  if (!error) error = ir_verify(f);
  IrPlan *plan = error ? NULL : ir_plan_new(f);
  if (!error) error = ir_plan_run(plan, args, results);
  if (error && getenv("STAN2ONNX_TEST_PRINT")) {
    Text t = text_new(ir_module_arena(f->module));
    ir_print(&t, f);
    printf("%s\n", t.data);
  }
  ck_assert_msg(!error, "program %d: %s", number, error);
  return plan;
}

static double number_at(const IrTensor *t, int64_t i) {
  return t->type.dtype == IR_F64 ? t->data.f64[i] : (double)t->data.i64[i];
}

static void compare(int number, int result, const IrTensor *want, const IrTensor *got) {
  ck_assert_msg(want->type.rank == got->type.rank && want->count == got->count,
                "program %d: result %d has another shape", number, result);
  for (int64_t i = 0; i < want->count; i++) {
    double x = number_at(want, i), y = number_at(got, i);
    bool same = x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= 1e-9 * fmax(1, fabs(x));
    ck_assert_msg(same, "program %d: result %d, element %d is %.17g, not %.17g", number, result,
                  (int)i, y, x);
  }
}

/* The sum of f's real results, differentiated by its real parameters. */
static IrFunction *gradient_of(IrFunction *f) {
  IrBuilder *b = ir_function_begin(f->module, NULL, "sum");
  IrValue *in[PARAMS], *out[RESULTS], *sum = ir_f64(b, 0);
  bool wrt[PARAMS] = {true, true, true};
  for (int k = 0; k < PARAMS; k++) in[k] = ir_param(b, f->params[k]->type, NULL);
  ir_inline(b, f, in, out);
  for (int k = 0; k < RESULTS - 1; k++)
    sum = ir_binary(b, IR_ADD, sum, ir_reduce_all(b, IR_REDUCE_SUM, out[k]));
  return ir_grad(ir_function_end(b, &sum, NULL, 1), 0, wrt);
}

static void check_vmap(int number, bool differentiate) {
  Arena *a = arena_new();
  Random r = {(uint64_t)number * 7919 + 1, ir_module_new(a, (IrOptions){0})};
  IrFunction *f = random_function(&r);
  if (differentiate) f = gradient_of(f);
  if (below(&r, 2)) f = ir_simplify(f);
  bool batched[PARAMS], result_batched[RESULTS * 2];
  int64_t size = BATCH;
  unsigned subset = 1 + below(&r, (1 << PARAMS) - 1);
  const IrTensor *args[PARAMS], *got[RESULTS * 2], *want[RESULTS * 2], *one[PARAMS];
  for (int k = 0; k < PARAMS; k++) {
    batched[k] = subset >> k & 1;
    IrType type = f->params[k]->type;
    if (batched[k]) type = ir_type(type.dtype, type.rank + 1, (int64_t[]){BATCH, VECTOR});
    args[k] = random_tensor(&r, a, type);
  }
  IrFunction *g = ir_vmap(f, batched, 1, below(&r, 2) ? &size : NULL, false, result_batched);
  if (below(&r, 2)) g = ir_simplify(g);
  IrPlan *plan = run(number, g, args, got);
  for (int64_t i = 0; i < BATCH; i++) {
    for (int k = 0; k < PARAMS; k++) one[k] = batched[k] ? element(a, args[k], 1, i, 0) : args[k];
    IrPlan *alone = run(number, f, one, want);
    for (int k = 0; k < f->result_count; k++)
      compare(number, k, want[k], result_batched[k] ? element(a, got[k], 1, i, 0) : got[k]);
    ir_plan_free(alone);
  }
  ir_plan_free(plan);
  arena_free(a);
}

START_TEST(vmap) {
  for (int k = 0; k < PROGRAMS; k++) check_vmap(k, false);
}
END_TEST

START_TEST(vmap_of_gradient) {
  for (int k = 0; k < PROGRAMS; k++) check_vmap(k, true);
}
END_TEST

/* ---- calls ---- */

typedef struct {
  bool batched[PARAMS];
  bool varies[PARAMS][2];
} Pattern;

static const int64_t sizes[2] = {2, 3};

static IrType batch_type(const IrType *own, const bool *varies) {
  int64_t dims[3] = {varies[0] ? sizes[0] : 1, varies[1] ? sizes[1] : 1, own->dim[0]};
  return ir_type(own->dtype, own->rank + 2, dims);
}

/* The sum over all elements of what f gives for them, by one batched call or by a call each, and
 * its gradient. */
static IrFunction *summed(IrFunction *f, const Pattern *p, bool apart) {
  IrBuilder *b = ir_function_begin(f->module, NULL, "summed");
  IrValue *in[PARAMS], *out[RESULTS], *one[PARAMS], *sum = ir_f64(b, 0);
  bool wrt[PARAMS] = {true, true, true}, flags[RESULTS];
  IrValue *dims[3] = {ir_i64(b, sizes[0]), ir_i64(b, sizes[1]), ir_i64(b, VECTOR)};
  for (int k = 0; k < PARAMS; k++) {
    const IrType *own = &f->params[k]->type;
    in[k] = ir_param(b, p->batched[k] ? batch_type(own, p->varies[k]) : *own, NULL);
  }
  if (!apart) ir_call_batched(b, f, in, PARAMS, p->batched, 2, out, flags);
  for (int64_t i = 0; i < sizes[0]; i++)
    for (int64_t j = 0; apart && j < sizes[1]; j++) {
      for (int k = 0; k < PARAMS; k++) {
        one[k] = in[k];
        if (!p->batched[k]) continue;
        one[k] = ir_gather(b, one[k], ir_i64(b, p->varies[k][0] ? i : 0), 0, 0);
        one[k] = ir_gather(b, one[k], ir_i64(b, p->varies[k][1] ? j : 0), 0, 0);
      }
      ir_inline(b, f, one, out);
      for (int k = 0; k < RESULTS - 1; k++)
        sum = ir_binary(b, IR_ADD, sum, ir_reduce_all(b, IR_REDUCE_SUM, out[k]));
    }
  for (int k = 0; !apart && k < RESULTS - 1; k++) {
    IrValue *all = flags[k]
                       ? ir_broadcast(b, out[k], dims, out[k]->type.rank)
                       : ir_binary(b, IR_MUL, out[k], ir_f64(b, (double)(sizes[0] * sizes[1])));
    sum = ir_binary(b, IR_ADD, sum, ir_reduce_all(b, IR_REDUCE_SUM, all));
  }
  return ir_grad(ir_function_end(b, &sum, NULL, 1), 0, wrt);
}

/* A derivative of the form that hand-written ones have, made from the body. */
static IrFunction *derivative_by_vjp(IrFunction *f, int k, void *context) {
  (void)context;
  if (k >= 0) return NULL;
  IrFunction *plain = f->context;
  bool wrt[PARAMS] = {true, true, true};
  IrFunction *g = ir_vjp(plain, wrt);
  IrBuilder *b = ir_function_begin(f->module, NULL, "derivative");
  IrValue *in[PARAMS + 2 * RESULTS], *args[PARAMS + RESULTS], *out[RESULTS + PARAMS];
  int n = 0, used = 0;
  for (int j = 0; j < PARAMS; j++)
    args[used++] = in[n++] = ir_param(b, plain->params[j]->type, NULL);
  for (int j = 0; j < RESULTS; j++) in[n++] = ir_param(b, plain->results[j]->type, NULL);
  for (int j = 0; j < RESULTS; j++)
    if (plain->results[j]->type.dtype == IR_F64)
      args[used++] = in[n++] = ir_param(b, plain->results[j]->type, NULL);
  ir_inline(b, g, args, out);
  return ir_function_end(b, out + RESULTS, NULL, 3);
}

static void check_call(int number, bool derivative) {
  Arena *a = arena_new();
  Random r = {(uint64_t)number * 104729 + 3, ir_module_new(a, (IrOptions){0})};
  IrFunction *plain = random_function(&r), *f = plain;
  if (derivative) {
    f = ARENA_NEW(a, IrFunction);
    *f = *plain;
    f->derivative = derivative_by_vjp;
    f->context = plain;
  }
  Pattern p = {0};
  unsigned subset = 1 + below(&r, (1 << PARAMS) - 1);
  const IrTensor *args[PARAMS], *got[1 + PARAMS], *want[1 + PARAMS];
  for (int k = 0; k < PARAMS; k++) {
    p.batched[k] = subset >> k & 1;
    for (int l = 0; l < 2; l++) p.varies[k][l] = below(&r, 3) != 0;
    const IrType *own = &plain->params[k]->type;
    args[k] = random_tensor(&r, a, p.batched[k] ? batch_type(own, p.varies[k]) : *own);
  }
  IrFunction *together = summed(f, &p, false), *apart = summed(plain, &p, true);
  IrPlan *plan = run(number, together, args, got), *other = run(number, apart, args, want);
  for (int k = 0; k < apart->result_count; k++) compare(number, k, want[k], got[k]);
  ir_plan_free(plan);
  ir_plan_free(other);
  arena_free(a);
}

/* Programs further on that were wrong once: an index in a branch, with batch axes of size 1 only.
 */
static const int found[] = {4770};

START_TEST(calls) {
  for (int k = 0; k < PROGRAMS / 2; k++) check_call(k, false);
  for (size_t k = 0; k < sizeof found / sizeof *found; k++) check_call(found[k], false);
}
END_TEST

START_TEST(calls_with_derivatives) {
  for (int k = 0; k < PROGRAMS / 2; k++) check_call(k, true);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ir_batch_random");
  TCase *t = tcase_create("random");
  tcase_set_timeout(t, 0);
  tcase_add_test(t, vmap);
  tcase_add_test(t, vmap_of_gradient);
  tcase_add_test(t, calls);
  tcase_add_test(t, calls_with_derivatives);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_set_fork_status(r, CK_NOFORK);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
