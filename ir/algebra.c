/* The table of identities, and what its rules share. */
#include "ir/algebra.h"

#include <math.h>

enum { RULES_PER_OP = 8 };

static const Rule rules[IR_OP_COUNT][RULES_PER_OP] = {
    [IR_NEG] = {rule_neg},
    [IR_ABS] = {rule_abs},
    [IR_SIGN] = {rule_sign},
    [IR_EXP] = {rule_exp},
    [IR_LOG] = {rule_log},
    [IR_FLOOR] = {rule_round},
    [IR_CEIL] = {rule_round},
    [IR_NOT] = {rule_negation},
    [IR_ISNAN] = {rule_isnan},
    [IR_ISINF] = {rule_isinf},
    [IR_CAST] = {rule_cast},
    [IR_ADD] = {rule_add},
    [IR_SUB] = {rule_sub},
    [IR_MUL] = {rule_mul},
    [IR_DIV] = {rule_div},
    [IR_MOD] = {rule_mod},
    [IR_POW] = {rule_pow},
    [IR_MIN] = {rule_extremum},
    [IR_MAX] = {rule_extremum},
    [IR_EQ] = {rule_compare},
    [IR_NE] = {rule_compare},
    [IR_LT] = {rule_compare},
    [IR_LE] = {rule_compare},
    [IR_GT] = {rule_compare},
    [IR_GE] = {rule_compare},
    [IR_AND] = {rule_connective},
    [IR_OR] = {rule_connective},
    [IR_SELECT] = {rule_select},
    [IR_BROADCAST] = {rule_broadcast},
    [IR_RESHAPE] = {rule_reshape},
    [IR_TRANSPOSE] = {rule_transpose},
    [IR_REVERSE] = {rule_reverse},
    [IR_SHAPE] = {rule_shape},
    [IR_SLICE] = {rule_slice},
    [IR_GATHER] = {rule_gather},
    [IR_SCATTER_ADD] = {rule_scatter},
    [IR_SCATTER_SET] = {rule_scatter},
    [IR_CONCAT] = {rule_concat},
    [IR_NONZERO] = {rule_nonzero},
#define REDUCTIONS                                                                                 \
  {                                                                                                \
    rule_reduce_known, rule_reduce_units, rule_reduce_of_reduce, rule_reduce_broadcast,            \
        rule_reduce_moved, rule_reduce_linear                                                      \
  }
    [IR_REDUCE_SUM] = REDUCTIONS,
    [IR_REDUCE_PROD] = REDUCTIONS,
    [IR_REDUCE_MAX] = REDUCTIONS,
    [IR_REDUCE_MIN] = REDUCTIONS,
    [IR_REDUCE_ANY] = REDUCTIONS,
    [IR_REDUCE_ALL] = REDUCTIONS,
#undef REDUCTIONS
    [IR_MATMUL] = {rule_matmul},
    [IR_CUMSUM] = {rule_cumsum},
};

/* Before and after those of the op itself. */
static const Rule elementwise_first[] = {rule_order, rule_strip_broadcasts};
static const Rule elementwise_last[] = {rule_strip_units, rule_reshapes_outward};

static IrValue *try(const Rule *list, int count, const Application *p) {
  IrValue *v = NULL;
  for (int k = 0; k < count && list[k] && !v; k++) v = list[k](p);
  return v;
}

IrValue *algebra_apply(IrBuilder *b, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                       const IrType *type) {
  Application p = {b, op, attr, in, count, type};
  bool elementwise = ir_op_elementwise(op);
  IrValue *v = elementwise ? try(elementwise_first, 2, &p) : NULL;
  if (!v) v = try(rules[op], RULES_PER_OP, &p);
  if (!v && elementwise) v = try(elementwise_last, 2, &p);
  return v;
}

/* ---- questions ---- */

const IrNode *made_by(const IrValue *v, IrOp op) {
  return v->node && v->node->op == op ? v->node : NULL;
}

static double first_element(const IrTensor *t) {
  switch (t->type.dtype) {
  case IR_F64: return t->data.f64[0];
  case IR_I64: return (double)t->data.i64[0];
  default: return t->data.boolean[0];
  }
}

bool is_splat(const IrValue *v, double *x) {
  const IrNode *n = made_by(v, IR_BROADCAST);
  if (n) v = n->in[0];
  if (!v->uniform) return false;
  *x = first_element(v->constant);
  /* an i64 that a double does not hold is not told apart from its neighbours */
  return v->type.dtype != IR_I64 || fabs(*x) < 9007199254740992.0;
}

bool is_splat_of(const IrValue *v, double x) {
  double y;
  return is_splat(v, &y) && y == x;
}

bool is_known_size(const IrValue *v, int64_t *n) {
  if (!v->constant || v->type.rank || v->type.dtype != IR_I64) return false;
  *n = v->constant->data.i64[0];
  return true;
}

bool covers(const IrType *v, const IrType *full) {
  if (v->rank != full->rank) return false;
  for (int k = 0; k < v->rank; k++)
    if (v->dim[k] == 1 && full->dim[k] != 1) return false;
  return true;
}

bool same_size(const IrValue *x, const IrValue *y) {
  int64_t n, m;
  return x == y || (is_known_size(x, &n) && is_known_size(y, &m) && n == m);
}

bool is_extent(const IrValue *size, const IrValue *x, int axis) {
  int64_t n;
  if (is_known_size(size, &n)) return n == x->type.dim[axis];
  const IrNode *s = made_by(size, IR_SHAPE);
  if (s && s->in[0] == x && s->attr.axis == axis) return true;
  const IrNode *part = made_by(x, IR_SLICE);
  if (part)
    return part->attr.axis == axis ? same_size(part->in[2], size)
                                   : is_extent(size, part->in[0], axis);
  const IrNode *shaped = made_by(x, IR_BROADCAST);
  if (!shaped) shaped = made_by(x, IR_RESHAPE);
  return shaped && same_size(shaped->in[1 + axis], size);
}

bool is_unit_reshape(const IrValue *x, IrValue *const *sizes, const IrType *to, int *source) {
  int k = 0, doubtful = 0;
  for (int j = 0; j < to->rank; j++) {
    source[j] = -1;
    if (to->dim[j] == 1) continue;
    while (k < x->type.rank && x->type.dim[k] == 1) k++;
    if (k == x->type.rank) return false;
    int64_t from = x->type.dim[k];
    bool known = from != IR_DYNAMIC && to->dim[j] != IR_DYNAMIC;
    if (known && from != to->dim[j]) return false;
    if (!known && !is_extent(sizes[j], x, k)) doubtful++;
    source[j] = k++;
  }
  while (k < x->type.rank && x->type.dim[k] == 1) k++;
  return k == x->type.rank && doubtful <= 1; /* with all others equal, the last is too */
}

bool node_is_unit_reshape(const IrNode *n, int *source) {
  return is_unit_reshape(n->in[0], n->in + 1, &n->out[0]->type, source);
}

/* ---- building ---- */

IrValue *scalar_like(const Application *p, double x) {
  switch (p->type->dtype) {
  case IR_F64: return ir_f64(p->b, x);
  case IR_I64: return ir_i64(p->b, (int64_t)x);
  default: return ir_bool(p->b, x != 0);
  }
}

IrValue *fitted(const Application *p, IrValue *v) {
  return elementwise_fit(p->b, v, p->in, p->count, p->type);
}

IrValue *splat_result(const Application *p, double x) { return fitted(p, scalar_like(p, x)); }

IrValue *apply(const Application *p, IrValue *const *in, int count) {
  return ir_emit(p->b, p->op, *p->attr, in, count);
}

void elementwise_dims(IrBuilder *b, IrValue *const *in, int count, const IrType *type,
                      IrValue **dims) {
  for (int k = 0; k < type->rank; k++) {
    dims[k] = type->dim[k] == IR_DYNAMIC ? NULL : ir_i64(b, type->dim[k]);
    for (int j = 0; j < count && !dims[k]; j++) {
      int axis = k - (type->rank - in[j]->type.rank);
      if (axis >= 0 && in[j]->type.dim[axis] != 1) dims[k] = ir_dim(b, in[j], axis);
    }
  }
}

IrValue *elementwise_fit(IrBuilder *b, IrValue *v, IrValue *const *in, int count,
                         const IrType *type) {
  IrValue *dims[IR_MAX_RANK];
  if (covers(&v->type, type)) return v;
  elementwise_dims(b, in, count, type, dims);
  return ir_broadcast(b, v, dims, type->rank);
}
