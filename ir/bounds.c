/* Between which numbers the elements of a value lie, as far as its formula tells. */
#include "ir/bounds.h"

#include <math.h>

enum { DEEPEST = 8 }; /* formulas are looked into so far */

static const Bounds anything = {-INFINITY, INFINITY};

static double lesser(double x, double y) { return x < y ? x : y; }
static double greater(double x, double y) { return x > y ? x : y; }

static Bounds of_both(Bounds x, Bounds y) {
  return (Bounds){lesser(x.low, y.low), greater(x.high, y.high)};
}

/* What undefined limits, as of infinity minus infinity, leave unknown. */
static Bounds limits(double low, double high) {
  return (Bounds){isnan(low) ? -INFINITY : low, isnan(high) ? INFINITY : high};
}

static Bounds of_facts(const IrValue *v) {
  Bounds x = anything;
  if (v->facts & IR_NONNEGATIVE) x.low = 0;
  if (v->facts & IR_AT_MOST_ONE) x.high = 1;
  return x;
}

static Bounds of_tensor(const IrTensor *t) {
  Bounds x = {INFINITY, -INFINITY};
  if (t->type.dtype != IR_F64 || t->count == 0) return anything;
  for (int64_t k = 0; k < t->count; k++) {
    double y = t->data.f64[k];
    if (!isnan(y)) x = of_both(x, (Bounds){y, y});
  }
  return x.low <= x.high ? x : anything;
}

static bool is_number(const IrValue *v, double *c) {
  if (!v->uniform || v->type.dtype != IR_F64) return false;
  *c = v->constant->data.f64[0];
  return true;
}

/* c = (v > number) or the like: what else holds of v where c does (or, with `otherwise`, does not;
 * a comparison with NaN never holds, which is no element to be bounded). */
static Bounds where(const IrValue *c, const IrValue *v, bool otherwise) {
  Bounds x = anything;
  double number;
  const IrNode *n = c->node;
  if (!n || n->in_count != 2 || n->in[0] != v || !is_number(n->in[1], &number)) return x;
  bool above = n->op == IR_GT || n->op == IR_GE, below = n->op == IR_LT || n->op == IR_LE;
  if ((above && !otherwise) || (below && otherwise)) x.low = number;
  if ((below && !otherwise) || (above && otherwise)) x.high = number;
  return x;
}

static Bounds intersection(Bounds x, Bounds y) {
  return (Bounds){greater(x.low, y.low), lesser(x.high, y.high)};
}

static Bounds product(Bounds x, Bounds y) {
  if (x.low < 0 || y.low < 0) return anything;
  return limits(x.low * y.low, x.high * y.high);
}

/* Whether v is a maximum over x and others. */
static bool is_at_least(const IrValue *v, const IrValue *x, int depth) {
  const IrNode *n = v->node;
  if (v == x) return true;
  return depth < DEEPEST && n && n->op == IR_MAX &&
         (is_at_least(n->in[0], x, depth + 1) || is_at_least(n->in[1], x, depth + 1));
}

/* min(x, ...) - max(x, ...) */
static bool is_drop(const IrNode *n) {
  const IrNode *least = n->in[0]->node;
  return least && least->op == IR_MIN &&
         (is_at_least(n->in[1], least->in[0], 0) || is_at_least(n->in[1], least->in[1], 0));
}

static Bounds look(const IrValue *v, int depth);

static Bounds of_node(const IrNode *n, int depth) {
  Bounds x, y;
  switch (n->op) {
  case IR_BROADCAST:
  case IR_RESHAPE:
  case IR_TRANSPOSE:
  case IR_SLICE:
  case IR_GATHER: return look(n->in[0], depth);
  case IR_NEG: x = look(n->in[0], depth); return (Bounds){-x.high, -x.low};
  case IR_ABS: return (Bounds){0, INFINITY};
  case IR_EXP: x = look(n->in[0], depth); return (Bounds){exp(x.low), exp(x.high)};
  case IR_ADD:
    x = look(n->in[0], depth);
    y = look(n->in[1], depth);
    return limits(x.low + y.low, x.high + y.high);
  case IR_SUB:
    x = look(n->in[0], depth);
    y = look(n->in[1], depth);
    x = limits(x.low - y.high, x.high - y.low);
    return is_drop(n) ? intersection(x, (Bounds){-INFINITY, 0}) : x;
  case IR_MUL: return product(look(n->in[0], depth), look(n->in[1], depth));
  case IR_MIN:
    x = look(n->in[0], depth);
    y = look(n->in[1], depth);
    return (Bounds){lesser(x.low, y.low), lesser(x.high, y.high)};
  case IR_MAX:
    x = look(n->in[0], depth);
    y = look(n->in[1], depth);
    return (Bounds){greater(x.low, y.low), greater(x.high, y.high)};
  case IR_SELECT:
    x = intersection(look(n->in[1], depth), where(n->in[0], n->in[1], false));
    y = intersection(look(n->in[2], depth), where(n->in[0], n->in[2], true));
    return of_both(x, y);
  default: return anything;
  }
}

static Bounds look(const IrValue *v, int depth) {
  if (v->type.dtype != IR_F64) return anything;
  if (v->constant) return of_tensor(v->constant);
  Bounds x = of_facts(v);
  return v->node && depth < DEEPEST ? intersection(x, of_node(v->node, depth + 1)) : x;
}

Bounds bounds_of(const IrValue *v) { return look(v, 0); }
