/* Identities of all elementwise ops: what only repeats elements or adds axes moves behind them. */
#include "ir/algebra.h"

enum { MOST_OPERANDS = 3 };

static bool is_known(const IrValue *v) {
  double x;
  return v->constant || is_splat(v, &x);
}

RULE(order) {
  if (p->count != 2 || !ir_op_commutative(p->op)) return NULL;
  if (!is_known(p->in[0]) || is_known(p->in[1])) return NULL;
  return apply(p, (IrValue *[]){p->in[1], p->in[0]}, 2);
}

RULE(strip_broadcasts) {
  IrValue *in[MOST_OPERANDS];
  bool any = false;
  for (int k = 0; k < p->count; k++) {
    const IrNode *n = made_by(p->in[k], IR_BROADCAST);
    in[k] = n ? n->in[0] : p->in[k];
    any |= n != NULL;
  }
  return any ? fitted(p, apply(p, in, p->count)) : NULL;
}

static bool adds_leading_units(const IrNode *n) {
  int source[IR_MAX_RANK], more = n->out[0]->type.rank - n->in[0]->type.rank;
  if (more <= 0 || !node_is_unit_reshape(n, source)) return false;
  for (int k = 0; k < more; k++)
    if (n->out[0]->type.dim[k] != 1) return false;
  for (int k = more; k < n->out[0]->type.rank; k++)
    if (source[k] != k - more && n->in[0]->type.dim[k - more] != 1) return false;
  return true;
}

/* What stands for v in a result of many elements: fewer axes, or a single number. */
static IrValue *stripped(const Application *p, IrValue *v) {
  const IrNode *n = made_by(v, IR_RESHAPE);
  double x;
  if (n && adds_leading_units(n)) return n->in[0];
  if (v->type.rank && v->uniform && is_splat(v, &x))
    return v->type.dtype == IR_F64   ? ir_f64(p->b, x)
           : v->type.dtype == IR_I64 ? ir_i64(p->b, (int64_t)x)
                                     : ir_bool(p->b, x != 0);
  return v;
}

RULE(strip_units) {
  IrValue *in[MOST_OPERANDS];
  bool any = false;
  for (int k = 0; k < p->count; k++) in[k] = p->in[k];
  for (int k = 0; k < p->count; k++) {
    IrType without;
    IrValue *less = stripped(p, in[k]), *before = in[k];
    if (less == before) continue;
    in[k] = less;
    /* only where the other operands have the full shape of the result */
    ir_infer_elementwise(p->b->module->arena, p->type->dtype, in, p->count, &without);
    if (ir_types_equal(&without, p->type))
      any = true;
    else
      in[k] = before;
  }
  return any ? apply(p, in, p->count) : NULL;
}

static bool same_units(const IrType *x, const IrType *y) {
  if (x->rank != y->rank) return false;
  for (int k = 0; k < x->rank; k++)
    if ((x->dim[k] == 1) != (y->dim[k] == 1)) return false;
  return true;
}

/* Whether two reshapes do the same by adding and dropping axes of size 1 only. Their other sizes
 * are the same where the op takes both. */
static bool same_reshape(const IrNode *n, const IrNode *m) {
  int source[IR_MAX_RANK];
  return same_units(&n->in[0]->type, &m->in[0]->type) &&
         same_units(&n->out[0]->type, &m->out[0]->type) && node_is_unit_reshape(n, source) &&
         node_is_unit_reshape(m, source);
}

/* A sum and its kin with the axes put back that it was taken over: a reduction that keeps its axes,
 * which is one node where models run. */
bool keeps_axes(const IrValue *reduction, const IrType *to) {
  const IrNode *n = reduction->node;
  if (!n || n->op < IR_REDUCE_SUM || n->op > IR_REDUCE_ALL || n->in[0]->type.rank != to->rank)
    return false;
  for (int k = 0, removed = 0, own = 0; k < to->rank; k++) {
    bool reduced = removed < n->attr.axis_count && n->attr.axes[removed] == k;
    removed += reduced;
    if (reduced ? to->dim[k] != 1 : (to->dim[k] == 1) != (reduction->type.dim[own++] == 1))
      return false;
  }
  return true;
}

RULE(reshapes_outward) {
  IrValue *in[MOST_OPERANDS];
  const IrNode *first = NULL;
  for (int k = 0; k < p->count; k++) {
    const IrNode *n = made_by(p->in[k], IR_RESHAPE);
    in[k] = n ? n->in[0] : p->in[k];
    if (!n && p->in[k]->type.rank) return NULL;
    if (n && keeps_axes(n->in[0], &n->out[0]->type)) return NULL;
    if (n && first && !same_reshape(first, n)) return NULL;
    if (n && !first) first = n;
  }
  if (!first) return NULL;
  return ir_reshape(p->b, apply(p, in, p->count), first->in + 1, first->in_count - 1);
}
