#include "grad_check.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RESULTS = 64, MOST_PARAMS = 64 };

double grad_random(uint64_t *state, double low, double high) {
  *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
  uint64_t z = *state;
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  z ^= z >> 31;
  return low + (high - low) * (double)(z >> 11) / 9007199254740992.0;
}

IrTensor *grad_tensor(Arena *a, const GradInput *x, uint64_t *state) {
  IrTensor *t = ir_tensor_new(a, ir_type(x->dtype, x->rank, x->dims));
  for (int64_t i = 0; i < t->count; i++) {
    double v = x->values ? x->values[i % x->value_count] : grad_random(state, x->low, x->high);
    if (x->dtype == IR_F64)
      t->data.f64[i] = v;
    else if (x->dtype == IR_I64)
      t->data.i64[i] = (int64_t)v;
    else
      t->data.boolean[i] = v != 0;
  }
  return t;
}

IrFunction *grad_function(IrModule *m, const GradCase *c, bool open_sizes) {
  IrBuilder *b = ir_function_begin(m, NULL, c->name);
  IrValue *in[GRAD_INPUTS] = {0}, *out[GRAD_RESULTS];
  for (int k = 0; k < c->count; k++) {
    IrType t = ir_type(c->inputs[k].dtype, c->inputs[k].rank, c->inputs[k].dims);
    for (int a = 0; a < t.rank; a++)
      if (open_sizes && t.dim[a] != 1) t.dim[a] = IR_DYNAMIC;
    in[k] = ir_param(b, t, NULL);
  }
  int results = c->build(b, in, out);
  return ir_function_end(b, out, NULL, results);
}

/* Shows a function that failed: it may be too long for a message of the test. */
static void show(const IrFunction *f) {
  Text text = text_new(ir_module_arena(f->module));
  ir_print(&text, f);
  fprintf(stderr, "%s\n", text.data);
}

static void verify(const IrFunction *f) {
  const char *wrong = ir_verify(f);
  if (!wrong) return;
  show(f);
  ck_abort_msg("%s: %s", f->name, wrong);
}

static void run(IrPlan *p, const IrFunction *f, const IrTensor *const *args,
                const IrTensor **results) {
  const char *error = ir_plan_run(p, args, results);
  if (!error) return;
  show(f);
  ck_abort_msg("%s: %s", f->name, error);
}

static IrTensor *copy(Arena *a, const IrTensor *t) {
  IrTensor *c = ir_tensor_new(a, t->type);
  memcpy(c->data.bytes, t->data.bytes, (size_t)t->count * ir_dtype_size(t->type.dtype));
  return c;
}

void grad_run(Arena *a, const IrFunction *f, const IrTensor *const *args, IrTensor **results) {
  const IrTensor *out[MOST_RESULTS];
  verify(f);
  IrPlan *p = ir_plan_new(f);
  run(p, f, args, out);
  for (int k = 0; k < f->result_count; k++) results[k] = copy(a, out[k]);
  ir_plan_free(p);
}

/* ---- differences ---- */

typedef struct {
  const IrFunction *f;
  IrPlan *plan;
  const IrTensor *args[MOST_PARAMS];
  IrTensor *weights[MOST_RESULTS]; /* NULL for results that are not f64 */
} Probe;

static double weighted(Probe *p) {
  const IrTensor *out[MOST_RESULTS];
  double sum = 0;
  run(p->plan, p->f, p->args, out);
  for (int k = 0; k < p->f->result_count; k++)
    for (int64_t i = 0; p->weights[k] && i < out[k]->count; i++)
      sum += p->weights[k]->data.f64[i] * out[k]->data.f64[i];
  return sum;
}

/* Central differences at two distances, combined so that the error is of fourth order. */
static double difference(Probe *p, double *x) {
  double at = *x, h = 1e-3 * fmax(1, fabs(at)), slope[2];
  for (int k = 0; k < 2; k++, h /= 2) {
    *x = at + h;
    double up = weighted(p);
    *x = at - h;
    slope[k] = (up - weighted(p)) / (2 * h);
  }
  *x = at;
  return (4 * slope[1] - slope[0]) / 3;
}

static void compare(const IrFunction *f, const IrFunction *g, int k, int64_t i, double expected,
                    double got, double tolerance) {
  if (fabs(expected - got) <= tolerance * fmax(1, fabs(expected))) return;
  show(f);
  show(g);
  ck_abort_msg("%s: derivative by element %lld of parameter %d is %.12g, not %.12g", f->name,
               (long long)i, k, got, expected);
}

/* f's own results are what they are without derivatives, but for rounding where calls have been put
 * in place. */
static void check_same(const IrFunction *f, int k, const IrTensor *x, const IrTensor *y) {
  ck_assert_msg(ir_types_equal(&x->type, &y->type), "%s: result %d has another type", f->name, k);
  for (int64_t i = 0; i < x->count; i++) {
    bool same = x->type.dtype == IR_F64
                    ? fabs(x->data.f64[i] - y->data.f64[i]) <= 1e-14 * fmax(1, fabs(y->data.f64[i]))
                : x->type.dtype == IR_I64 ? x->data.i64[i] == y->data.i64[i]
                                          : x->data.boolean[i] == y->data.boolean[i];
    ck_assert_msg(same, "%s: result %d is another than without derivatives", f->name, k);
  }
}

void check_vjp(IrFunction *f, const bool *wrt, const IrTensor *const *args, double tolerance) {
  Arena *a = ir_module_arena(f->module);
  IrTensor *results[MOST_RESULTS], *values[MOST_RESULTS];
  Probe p = {.f = f, .plan = ir_plan_new(f)};
  uint64_t state = 42;
  ck_assert_int_le(2 * f->result_count + f->param_count, MOST_RESULTS);
  grad_run(a, f, args, values);
  IrFunction *g = ir_vjp(f, wrt);
  const IrTensor *given[MOST_PARAMS + MOST_RESULTS];
  int count = 0, at = f->result_count;
  for (int k = 0; k < f->param_count; k++) given[count++] = p.args[k] = copy(a, args[k]);
  for (int k = 0; k < f->result_count; k++) {
    if (values[k]->type.dtype != IR_F64) continue;
    p.weights[k] = ir_tensor_new(a, values[k]->type);
    for (int64_t i = 0; i < values[k]->count; i++)
      p.weights[k]->data.f64[i] = grad_random(&state, -1, 1);
    given[count++] = p.weights[k];
  }
  ck_assert_int_eq(count, g->param_count);
  grad_run(a, g, given, results);
  for (int k = 0; k < f->result_count; k++) check_same(f, k, results[k], values[k]);
  for (int k = 0; k < f->param_count; k++) {
    if (!wrt[k]) continue;
    const IrTensor *d = results[at++];
    ck_assert_msg(ir_types_equal(&d->type, &args[k]->type),
                  "%s: the cotangent of parameter %d has another shape", f->name, k);
    for (int64_t i = 0; i < d->count; i++)
      compare(f, g, k, i, difference(&p, &p.args[k]->data.f64[i]), d->data.f64[i], tolerance);
  }
  ck_assert_int_eq(at, g->result_count);
  ir_plan_free(p.plan);
}

/* ---- cases ---- */

static void check_at(const GradCase *c, IrOptions options, bool open_sizes, bool second_order) {
  Arena *a = arena_new();
  IrModule *m = ir_module_new(a, options);
  IrFunction *f = grad_function(m, c, open_sizes);
  bool wrt[MOST_PARAMS] = {false};
  const IrTensor *args[MOST_PARAMS];
  uint64_t state = 7;
  for (int k = 0; k < c->count; k++) {
    wrt[k] = c->inputs[k].dtype == IR_F64 && !c->inputs[k].held;
    args[k] = grad_tensor(a, &c->inputs[k], &state);
  }
  check_vjp(f, wrt, args, 1e-8);
  check_vjp(ir_simplify(f), wrt, args, 1e-8);
  if (second_order) {
    IrFunction *g = ir_vjp(f, wrt);
    int count = c->count;
    for (int k = 0; k < f->result_count; k++) {
      if (f->results[k]->type.dtype != IR_F64) continue;
      IrTensor *results[MOST_RESULTS];
      grad_run(a, f, args, results);
      IrTensor *w = ir_tensor_new(a, results[k]->type);
      for (int64_t i = 0; i < w->count; i++) w->data.f64[i] = grad_random(&state, -1, 1);
      wrt[count] = true;
      args[count++] = w;
    }
    check_vjp(g, wrt, args, 1e-7);
  }
  arena_free(a);
}

void check_gradients(const GradCase *c, bool second_order) {
  for (int open_sizes = 0; open_sizes < 2; open_sizes++) {
    check_at(c, (IrOptions){0}, open_sizes, second_order);
    check_at(c, (IrOptions){.no_fold = true, .no_cse = true, .no_algebra = true}, open_sizes,
             second_order);
  }
}
