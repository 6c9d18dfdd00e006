/* Identities of arithmetic and of real functions. */
#include "ir/algebra.h"

#include <math.h>

static IrValue *unary(const Application *p, IrOp op, IrValue *x) { return ir_unary(p->b, op, x); }

static IrValue *binary(const Application *p, IrOp op, IrValue *x, IrValue *y) {
  return ir_binary(p->b, op, x, y);
}

static bool is_real(const Application *p) { return p->type->dtype == IR_F64; }
static bool has(const IrValue *v, unsigned facts) { return (v->facts & facts) == facts; }

/* v = x op c with a number c: its parts. */
static bool with_number(const IrValue *v, IrOp op, IrValue **x, double *c) {
  const IrNode *n = made_by(v, op);
  if (!n || !is_splat(n->in[1], c)) return false;
  *x = n->in[0];
  return true;
}

/* v = x op c with a constant c, all elements of which are known. */
static bool with_constant(const IrValue *v, IrOp op, IrValue **x, IrValue **c) {
  const IrNode *n = made_by(v, op);
  if (!n || !n->in[1]->constant) return false;
  *x = n->in[0];
  *c = n->in[1];
  return true;
}

/* v = c op x */
static bool number_first(const IrValue *v, IrOp op, double *c, IrValue **x) {
  const IrNode *n = made_by(v, op);
  if (!n || !is_splat(n->in[0], c)) return false;
  *x = n->in[1];
  return true;
}

/* A factor that loses nothing by being computed beforehand. */
static bool is_plain(double c) { return isnormal(c); }

/* ---- unary ---- */

RULE(neg) {
  const IrNode *n;
  IrValue *x = p->in[0], *y;
  double c;
  if ((n = made_by(x, IR_NEG))) return n->in[0];
  if ((n = made_by(x, IR_SUB))) return binary(p, IR_SUB, n->in[1], n->in[0]);
  if (with_number(x, IR_MUL, &y, &c)) return fitted(p, binary(p, IR_MUL, y, scalar_like(p, -c)));
  if (with_number(x, IR_ADD, &y, &c)) return fitted(p, binary(p, IR_SUB, scalar_like(p, -c), y));
  if (is_real(p) && number_first(x, IR_DIV, &c, &y))
    return fitted(p, binary(p, IR_DIV, scalar_like(p, -c), y));
  return NULL;
}

RULE(abs) {
  const IrNode *n;
  IrValue *x = p->in[0];
  if (has(x, IR_NONNEGATIVE)) return x;
  if ((n = made_by(x, IR_NEG))) return unary(p, IR_ABS, n->in[0]);
  return NULL;
}

RULE(sign) {
  if (has(p->in[0], IR_POSITIVE)) return splat_result(p, 1);
  return NULL;
}

RULE(exp) {
  const IrNode *n = made_by(p->in[0], IR_LOG);
  return n && has(n->in[0], IR_NONNEGATIVE) ? n->in[0] : NULL;
}

RULE(log) {
  IrValue *x = p->in[0], *y;
  const IrNode *part = made_by(x, IR_SLICE), *n = made_by(part ? part->in[0] : x, IR_EXP);
  double c;
  if (n && has(x, IR_POSITIVE | IR_FINITE))
    return part ? ir_slice(p->b, n->in[0], part->attr.axis, part->in[1], part->in[2]) : n->in[0];
  if (number_first(x, IR_DIV, &c, &y) && c == 1 && has(y, IR_POSITIVE))
    return fitted(p, unary(p, IR_NEG, unary(p, IR_LOG, y)));
  return NULL;
}

RULE(round) {
  const IrNode *n = made_by(p->in[0], IR_CAST);
  bool whole = n || made_by(p->in[0], IR_FLOOR) || made_by(p->in[0], IR_CEIL);
  return whole ? p->in[0] : NULL;
}

/* ---- sums ---- */

/* v = x c: what a sum of multiples of x has as factor of it. */
static IrValue *multiple_of(IrValue *v, double *c) {
  IrValue *x;
  if (with_number(v, IR_MUL, &x, c)) return x;
  const IrNode *n = made_by(v, IR_NEG);
  *c = n ? -1 : 1;
  return n ? n->in[0] : v;
}

/* Whether sums are not compensated: those that differentiation makes, but not those of the formulas
 * that it calls for. */
static bool is_loose(const Application *p) { return p->b->adjoint && !p->b->exact; }

/* Whether constants may be added up before what stands between them: among reals only where they
 * cannot cancel, since compensated formulas as (1 + x) - 1 live on exactly that rounding. `negate`
 * looks at -d. */
static bool may_join(const Application *p, const IrValue *c, const IrValue *d, bool negate) {
  double x, y;
  if (!is_real(p) || is_loose(p)) return true;
  if (!is_splat(c, &x) || !is_splat(d, &y)) return false;
  return negate ? x * -y > 0 : x * y > 0;
}

/* Whether x c + x d can be x (c + d): likewise, but what differentiation adds up is not
 * compensated. */
static bool may_collect(const Application *p, const IrValue *x, double c, double d) {
  if (c == -d) return has(x, IR_FINITE) && is_loose(p);
  return c * d > 0 || is_loose(p);
}

/* An operation on constants, or NULL where they are not to be folded. */
static IrValue *combined(const Application *p, IrOp op, IrValue *c, IrValue *d) {
  if (p->b->module->options.no_fold) return NULL;
  IrValue *v = binary(p, op, c, d);
  return v->constant ? v : NULL;
}

/* x + c, where x itself has a constant summand */
static IrValue *add_constants(const Application *p, IrValue *x, IrValue *c) {
  IrValue *y, *d, *sum;
  const IrNode *n;
  if (with_constant(x, IR_ADD, &y, &d) && may_join(p, c, d, false))
    return (sum = combined(p, IR_ADD, d, c)) ? fitted(p, binary(p, IR_ADD, y, sum)) : NULL;
  if ((n = made_by(x, IR_SUB)) && n->in[0]->constant && may_join(p, c, n->in[0], false))
    return (sum = combined(p, IR_ADD, n->in[0], c)) ? fitted(p, binary(p, IR_SUB, sum, n->in[1]))
                                                    : NULL;
  return NULL;
}

/* c - x, where x itself has a constant term */
static IrValue *subtract_constants(const Application *p, IrValue *c, IrValue *x) {
  IrValue *y, *d, *sum;
  const IrNode *n;
  if (with_constant(x, IR_ADD, &y, &d) && may_join(p, c, d, true))
    return (sum = combined(p, IR_SUB, c, d)) ? fitted(p, binary(p, IR_SUB, sum, y)) : NULL;
  if ((n = made_by(x, IR_SUB)) && n->in[0]->constant && may_join(p, c, n->in[0], true))
    return (sum = combined(p, IR_SUB, c, n->in[0])) ? fitted(p, binary(p, IR_ADD, n->in[1], sum))
                                                    : NULL;
  return NULL;
}

/* Whether v is needed beside what is being made of it, as far as that is known. */
static bool is_shared(const Application *p, const IrValue *v) {
  return p->b->counts_uses ? v->uses > 1 : p->b->adjoint;
}

/* x c + y c, where likewise the sum has as many elements as before */
static IrValue *common_scale(const Application *p, IrValue *x, IrValue *y) {
  IrValue *u, *v, *first = NULL;
  const IrNode *n;
  double c, d;
  if (!with_number(y, IR_MUL, &v, &d) || is_shared(p, y)) return NULL;
  if ((n = made_by(x, p->op)) && p->op == IR_ADD && !with_number(x, IR_MUL, &u, &c)) {
    first = n->in[0];
    if (is_shared(p, x)) return NULL;
    x = n->in[1];
  }
  if (!with_number(x, IR_MUL, &u, &c) || is_shared(p, x) || c != d || !covers(&u->type, p->type) ||
      !covers(&v->type, p->type))
    return NULL;
  IrValue *sum = binary(p, IR_MUL, binary(p, p->op, u, v), scalar_like(p, c));
  return first ? binary(p, IR_ADD, first, sum) : sum;
}

RULE(add) {
  IrValue *x = p->in[0], *y = p->in[1];
  const IrNode *n;
  double c, d;
  if (is_splat_of(y, 0)) return fitted(p, x);
  if ((n = made_by(y, IR_NEG))) return binary(p, IR_SUB, x, n->in[0]);
  if ((n = made_by(x, IR_NEG))) return binary(p, IR_SUB, y, n->in[0]);
  if (y->constant) return add_constants(p, x, y);
  if (!is_real(p)) return NULL;
  IrValue *of = multiple_of(x, &c);
  if (of == multiple_of(y, &d) && may_collect(p, of, c, d))
    return fitted(p, binary(p, IR_MUL, of, scalar_like(p, c + d)));
  return common_scale(p, x, y);
}

/* (x + y) - y = x and the like, in derivatives, whose sums are not compensated */
static IrValue *cancelled(const Application *p, IrValue *x, IrValue *y, IrOp op) {
  const IrNode *n = is_loose(p) ? made_by(x, op) : NULL;
  if (n && n->in[1] == y && covers(&n->in[0]->type, p->type)) return n->in[0];
  return n && op == IR_ADD && n->in[0] == y && covers(&n->in[1]->type, p->type) ? n->in[1] : NULL;
}

RULE(sub) {
  IrValue *x = p->in[0], *y = p->in[1], *c, *v;
  const IrNode *n;
  double e, d;
  if (is_splat_of(y, 0)) return fitted(p, x);
  if (is_splat_of(x, 0)) return fitted(p, unary(p, IR_NEG, y));
  if ((n = made_by(y, IR_NEG))) return binary(p, IR_ADD, x, n->in[0]);
  if (x == y && (!is_real(p) || has(x, IR_FINITE))) return splat_result(p, 0);
  if (y->constant) {
    c = unary(p, IR_NEG, y);
    return c->constant ? binary(p, IR_ADD, x, c) : NULL;
  }
  if (x->constant) return subtract_constants(p, x, y);
  if (!is_real(p)) return NULL;
  if ((v = cancelled(p, x, y, IR_ADD))) return v;
  IrValue *of = multiple_of(x, &e);
  if (of == multiple_of(y, &d) && may_collect(p, of, e, -d))
    return fitted(p, binary(p, IR_MUL, of, scalar_like(p, e - d)));
  return NULL;
}

/* ---- products ---- */

/* x c, where x has a numeric factor itself */
static IrValue *scale(const Application *p, IrValue *x, double c) {
  IrValue *y;
  double d;
  if (with_number(x, IR_MUL, &y, &d) && (!is_real(p) || is_plain(c * d)))
    return fitted(p, binary(p, IR_MUL, y, scalar_like(p, c * d)));
  if (!is_real(p)) return NULL;
  if (with_number(x, IR_DIV, &y, &d) && is_plain(c / d))
    return fitted(p, binary(p, IR_MUL, y, scalar_like(p, c / d)));
  if (number_first(x, IR_DIV, &d, &y) && is_plain(c * d))
    return fitted(p, binary(p, IR_DIV, scalar_like(p, c * d), y));
  return NULL;
}

/* (x c) y = (x y) c and (x / c) y = (x y) / c, where c meets as many elements as before */
static IrValue *factor_out(const Application *p, IrValue *x, IrValue *y) {
  IrValue *z;
  double c;
  IrOp op = made_by(x, IR_DIV) ? IR_DIV : IR_MUL;
  if (!with_number(x, op, &z, &c) || !covers(&z->type, p->type)) return NULL;
  return binary(p, op, binary(p, IR_MUL, z, y), scalar_like(p, c));
}

/* Divisors that a product with them takes away again. */
static bool cancels(const Application *p, const IrValue *y) {
  return !p->b->exact && has(y, IR_POSITIVE | IR_FINITE);
}

/* v = x / y: x, or NULL. */
static IrValue *dividend(const IrValue *v, const IrValue *y) {
  const IrNode *n = made_by(v, IR_DIV);
  return n && n->in[1] == y ? n->in[0] : NULL;
}

/* (z / y) y = z and (z / y + t) y = z + t y, where nothing else needs the sum */
static IrValue *without_divisor(const Application *p, IrValue *x, IrValue *y) {
  IrValue *z = dividend(x, y);
  if (!cancels(p, y)) return NULL;
  if (z) return fitted(p, z);
  const IrNode *n = made_by(x, IR_ADD);
  if (!n) n = made_by(x, IR_SUB);
  if (!n || !p->b->counts_uses || is_shared(p, x)) return NULL;
  for (int k = 0; k < 2; k++) {
    if (is_shared(p, n->in[k]) || !(z = dividend(n->in[k], y))) continue;
    IrValue *rest = binary(p, IR_MUL, n->in[1 - k], y);
    return fitted(p, k == 0 ? binary(p, n->op, z, rest) : binary(p, n->op, rest, z));
  }
  return NULL;
}

/* (1 / z) y = y / z, where nothing else needs the reciprocal and no more is divided */
static IrValue *quotient(const Application *p, IrValue *x, IrValue *y) {
  IrValue *z;
  double c;
  if (!p->b->counts_uses || is_shared(p, x) || !number_first(x, IR_DIV, &c, &z) || c != 1 ||
      !covers(&z->type, p->type))
    return NULL;
  return binary(p, IR_DIV, y, z);
}

RULE(mul) {
  IrValue *x = p->in[0], *y = p->in[1], *v;
  const IrNode *n, *m;
  double c;
  if (is_splat(y, &c)) {
    if (c == 1) return fitted(p, x);
    if (c == -1) return fitted(p, unary(p, IR_NEG, x));
    bool harmless = !is_real(p) || has(x, IR_FINITE) || p->b->adjoint;
    if (c == 0 && harmless) return splat_result(p, 0);
    if ((n = made_by(x, IR_NEG))) return fitted(p, binary(p, IR_MUL, n->in[0], scalar_like(p, -c)));
    return scale(p, x, c);
  }
  n = made_by(x, IR_NEG);
  m = made_by(y, IR_NEG);
  if (n || m) {
    v = binary(p, IR_MUL, n ? n->in[0] : x, m ? m->in[0] : y);
    return n && m ? v : unary(p, IR_NEG, v);
  }
  if (!is_real(p)) return NULL;
  static IrValue *(*const either_way[])(const Application *, IrValue *,
                                        IrValue *) = {without_divisor, factor_out, quotient};
  for (int k = 0; k < 3; k++)
    if ((v = either_way[k](p, x, y)) || (v = either_way[k](p, y, x))) return v;
  return NULL;
}

static bool is_power_of_two(double c) {
  int exponent;
  return isnormal(c) && fabs(frexp(c, &exponent)) == 0.5 && isnormal(1 / c);
}

/* ((m + y z) - m) / y = z: what is left of numbers that have a location and a scale of their own
 * once they are standardised */
static IrValue *standardised(const Application *p, const IrValue *x, const IrValue *y) {
  const IrNode *difference = made_by(x, IR_SUB), *n, *m;
  if (!difference || !cancels(p, y)) return NULL;
  const IrValue *location = difference->in[1];
  if (!(n = made_by(difference->in[0], IR_ADD)) || !has(location, IR_FINITE)) return NULL;
  for (int k = 0; k < 2; k++) {
    if (n->in[k] != location || !(m = made_by(n->in[1 - k], IR_MUL))) continue;
    for (int j = 0; j < 2; j++)
      if (m->in[j] == y) return fitted(p, m->in[1 - j]);
  }
  return NULL;
}

RULE(div) {
  IrValue *x = p->in[0], *y = p->in[1], *z;
  const IrNode *n, *m;
  double c, d;
  if (is_splat_of(y, 1)) return fitted(p, x);
  if (is_splat_of(y, -1)) return fitted(p, unary(p, IR_NEG, x));
  if (!is_real(p)) return NULL;
  if ((z = standardised(p, x, y))) return z;
  if (is_splat(y, &c)) {
    if (is_power_of_two(c)) return fitted(p, binary(p, IR_MUL, x, scalar_like(p, 1 / c)));
    if (with_number(x, IR_MUL, &z, &d) && is_plain(d / c))
      return fitted(p, binary(p, IR_MUL, z, scalar_like(p, d / c)));
    if (with_number(x, IR_DIV, &z, &d) && is_plain(d * c))
      return fitted(p, binary(p, IR_DIV, z, scalar_like(p, d * c)));
  }
  n = made_by(x, IR_NEG);
  m = made_by(y, IR_NEG);
  if (!n && !m) return NULL;
  IrValue *v = binary(p, IR_DIV, n ? n->in[0] : x, m ? m->in[0] : y);
  return n && m ? v : unary(p, IR_NEG, v);
}

RULE(mod) { return !is_real(p) && is_splat_of(p->in[1], 1) ? splat_result(p, 0) : NULL; }

RULE(pow) {
  IrValue *x = p->in[0], *y = p->in[1], *v = NULL;
  double c;
  if (is_splat_of(x, 1)) return splat_result(p, 1);
  if (!is_splat(y, &c)) return NULL;
  if (c == 0) return splat_result(p, 1);
  if (c == 1) v = x;
  if (c == 2) v = binary(p, IR_MUL, x, x);
  if (c == -1) v = binary(p, IR_DIV, scalar_like(p, 1), x);
  if (c == 0.5 && has(x, IR_NONNEGATIVE)) v = unary(p, IR_SQRT, x);
  return v ? fitted(p, v) : NULL;
}

/* ---- minimum and maximum ---- */

/* Whether all elements of x are known to be at least (at most) c, and not NaN. */
static bool bounded(const IrValue *x, double c, bool below) {
  double d;
  IrValue *y;
  if (is_splat(x, &d)) return below ? d >= c : d <= c;
  if (below && with_number(x, IR_ADD, &y, &d) && has(y, IR_NONNEGATIVE) && d >= c) return true;
  if (below) return (has(x, IR_NONNEGATIVE) && c <= 0) || (has(x, IR_NOT_NAN) && c == -INFINITY);
  return (has(x, IR_AT_MOST_ONE) && c >= 1) || (has(x, IR_NOT_NAN) && c == INFINITY);
}

RULE(extremum) {
  IrValue *x = p->in[0], *y = p->in[1], *z;
  bool max = p->op == IR_MAX;
  double c, d;
  if (x == y) return x;
  if (!is_splat(y, &c)) return NULL;
  if (bounded(x, c, max)) return fitted(p, x);
  if (bounded(x, c, !max)) return splat_result(p, c);
  if (with_number(x, p->op, &z, &d) && !isnan(c) && !isnan(d))
    return fitted(p, binary(p, p->op, z, scalar_like(p, (c > d) == max ? c : d)));
  return NULL;
}
