/* Identities of comparisons, connectives, selections and casts. */
#include "ir/algebra.h"

#include <math.h>

static bool has(const IrValue *v, unsigned facts) { return (v->facts & facts) == facts; }

static IrValue *unary(const Application *p, IrOp op, IrValue *x) { return ir_unary(p->b, op, x); }

/* ---- predicates ---- */

RULE(negation) {
  IrValue *x = p->in[0];
  const IrNode *n;
  if ((n = made_by(x, IR_NOT))) return n->in[0];
  if ((n = made_by(x, IR_EQ))) return ir_binary(p->b, IR_NE, n->in[0], n->in[1]);
  if ((n = made_by(x, IR_NE))) return ir_binary(p->b, IR_EQ, n->in[0], n->in[1]);
  static const IrOp opposite[][2] = {
      {IR_LT, IR_GE}, {IR_GE, IR_LT}, {IR_LE, IR_GT}, {IR_GT, IR_LE}};
  for (int k = 0; k < 4; k++) {
    n = made_by(x, opposite[k][0]);
    bool ordered = n && (n->in[0]->type.dtype != IR_F64 ||
                         (has(n->in[0], IR_NOT_NAN) && has(n->in[1], IR_NOT_NAN)));
    if (ordered) return ir_binary(p->b, opposite[k][1], n->in[0], n->in[1]);
  }
  return NULL;
}

RULE(isnan) { return has(p->in[0], IR_NOT_NAN) ? splat_result(p, 0) : NULL; }
RULE(isinf) { return has(p->in[0], IR_FINITE) ? splat_result(p, 0) : NULL; }

/* ---- comparisons ---- */

/* What is known of a value's elements: bounds that hold unless they are NaN. */
typedef struct {
  double low, high;
  bool above_low; /* and are not equal to low */
  bool number;
} Range;

static Range range_of(const IrValue *v) {
  Range r = {-INFINITY, INFINITY, false, v->type.dtype != IR_F64 || has(v, IR_NOT_NAN)};
  double x;
  if (is_splat(v, &x)) return (Range){x, x, false, !isnan(x)};
  r.above_low = has(v, IR_FINITE); /* than -infinity */
  if (has(v, IR_NONNEGATIVE)) {
    r.low = 0;
    r.above_low = has(v, IR_POSITIVE);
  }
  if (has(v, IR_AT_MOST_ONE)) r.high = 1;
  return r;
}

/* Every x < every y */
static bool always_less(const IrValue *a, const IrValue *b) {
  Range x = range_of(a), y = range_of(b);
  if (!x.number || !y.number) return false;
  if (has(a, IR_FINITE) && y.low == INFINITY) return true;
  return x.high < y.low || (x.high == y.low && y.above_low);
}

static bool always_at_most(const IrValue *a, const IrValue *b) {
  Range x = range_of(a), y = range_of(b);
  if (!x.number || !y.number) return false;
  return a == b || x.high <= y.low || y.low == INFINITY || x.high == -INFINITY;
}

/* 1, 0, or -1 where it is not known, for all elements at once */
static int decide(IrOp op, const IrValue *x, const IrValue *y) {
  switch (op) {
  case IR_LT: return always_less(x, y) ? 1 : always_at_most(y, x) ? 0 : -1;
  case IR_LE: return always_at_most(x, y) ? 1 : always_less(y, x) ? 0 : -1;
  case IR_GT: return decide(IR_LT, y, x);
  case IR_GE: return decide(IR_LE, y, x);
  default: {
    bool apart = always_less(x, y) || always_less(y, x);
    bool same = x == y && range_of(x).number;
    if (!apart && !same) return -1;
    return same == (op == IR_EQ);
  }
  }
}

/* x, a bool as a number, compared with 0: the bool or its opposite; NULL where x is none. */
static IrValue *truth(const Application *p, const IrValue *x, const IrValue *y) {
  const IrNode *n = made_by(x, IR_CAST);
  double c;
  if (!n || n->in[0]->type.dtype != IR_BOOL || !is_splat(y, &c) || c != 0) return NULL;
  if (p->op == IR_NE || p->op == IR_GT) return n->in[0];
  return p->op == IR_EQ || p->op == IR_LE ? unary(p, IR_NOT, n->in[0]) : NULL;
}

RULE(compare) {
  IrValue *x = p->in[0], *y = p->in[1], *b = truth(p, x, y);
  if (b) return fitted(p, b);
  int known = decide(p->op, x, y);
  if (known >= 0) return splat_result(p, known);
  double c;
  if (x->type.dtype == IR_BOOL && is_splat(y, &c)) {
    if (p->op == IR_EQ) return fitted(p, c != 0 ? x : unary(p, IR_NOT, x));
    if (p->op == IR_NE) return fitted(p, c != 0 ? unary(p, IR_NOT, x) : x);
  }
  return NULL;
}

/* ---- connectives ---- */

/* Whether x is `op` of y and something. */
static bool includes(const IrValue *x, IrOp op, const IrValue *y) {
  const IrNode *n = made_by(x, op);
  return n && (n->in[0] == y || n->in[1] == y);
}

static bool opposites(const IrValue *x, const IrValue *y) {
  const IrNode *n = made_by(x, IR_NOT), *m = made_by(y, IR_NOT);
  return (n && n->in[0] == y) || (m && m->in[0] == x);
}

RULE(connective) {
  IrValue *x = p->in[0], *y = p->in[1];
  double absorbing = p->op == IR_OR, c;
  IrOp other = p->op == IR_AND ? IR_OR : IR_AND;
  if (is_splat(y, &c)) return c == absorbing ? splat_result(p, absorbing) : fitted(p, x);
  if (x == y || includes(x, p->op, y)) return fitted(p, x);
  if (includes(y, p->op, x)) return fitted(p, y);
  if (includes(x, other, y)) return fitted(p, y);
  if (includes(y, other, x)) return fitted(p, x);
  if (opposites(x, y)) return splat_result(p, absorbing);
  return NULL;
}

/* ---- selection ---- */

static IrValue *select_bool(const Application *p, IrValue *c, IrValue *x, IrValue *y) {
  double d;
  if (is_splat(x, &d))
    return d != 0 ? ir_binary(p->b, IR_OR, c, y) : ir_binary(p->b, IR_AND, unary(p, IR_NOT, c), y);
  if (is_splat(y, &d))
    return d != 0 ? ir_binary(p->b, IR_OR, unary(p, IR_NOT, c), x) : ir_binary(p->b, IR_AND, c, x);
  return NULL;
}

RULE(select) {
  IrValue *c = p->in[0], *x = p->in[1], *y = p->in[2], *v;
  const IrNode *n;
  double d;
  if (is_splat(c, &d)) return fitted(p, d != 0 ? x : y);
  if (x == y) return fitted(p, x);
  if ((n = made_by(c, IR_NOT))) return ir_select(p->b, n->in[0], y, x);
  if ((n = made_by(x, IR_SELECT)) && n->in[0] == c)
    return fitted(p, ir_select(p->b, c, n->in[1], y));
  if ((n = made_by(y, IR_SELECT)) && n->in[0] == c)
    return fitted(p, ir_select(p->b, c, x, n->in[2]));
  if (p->type->dtype == IR_BOOL) {
    v = select_bool(p, c, x, y);
    return v ? fitted(p, v) : NULL;
  }
  if (is_splat_of(x, 1) && is_splat_of(y, 0)) return fitted(p, ir_cast(p->b, c, p->type->dtype));
  return NULL;
}

/* ---- casts ---- */

RULE(cast) {
  IrValue *x = p->in[0];
  const IrNode *n = made_by(x, IR_CAST);
  if (x->type.dtype == p->type->dtype) return x;
  if (!n) return NULL;
  IrDtype first = n->in[0]->type.dtype, second = x->type.dtype;
  bool keeps =
      first == IR_BOOL || (first == IR_I64 && second == IR_F64 && p->type->dtype == IR_I64);
  return keeps ? ir_cast(p->b, n->in[0], p->type->dtype) : NULL;
}
