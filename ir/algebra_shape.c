/* Identities of ops that change shapes only. */
#include "ir/algebra.h"

#include <string.h>

/* ---- sizes ---- */

static Origin origin_elementwise(const IrNode *n, int axis) {
  int rank = n->out[0]->type.rank;
  for (int k = 0; k < n->in_count; k++) {
    int at = axis - (rank - n->in[k]->type.rank);
    if (at >= 0 && n->in[k]->type.dim[at] != 1) return (Origin){.of = n->in[k], .axis = at};
  }
  return (Origin){0};
}

static Origin origin_gather(const IrNode *n, int axis) {
  int index_rank = n->in[1]->type.rank - n->attr.batch;
  if (axis < n->attr.axis) return (Origin){.of = n->in[0], .axis = axis};
  if (axis < n->attr.axis + index_rank)
    return (Origin){.of = n->in[1], .axis = axis - n->attr.axis + n->attr.batch};
  return (Origin){.of = n->in[0], .axis = axis - index_rank + 1};
}

static Origin origin_reduce(const IrNode *n, int axis) {
  int k = 0;
  for (int removed = 0;; k++) {
    if (removed < n->attr.axis_count && n->attr.axes[removed] == k)
      removed++;
    else if (axis-- == 0)
      break;
  }
  return (Origin){.of = n->in[0], .axis = k};
}

static Origin origin_matmul(const IrNode *n, int axis) {
  int from_end = n->out[0]->type.rank - axis;
  if (from_end > 2) return origin_elementwise(n, axis);
  const IrValue *x = n->in[from_end == 2 ? 0 : 1];
  return (Origin){.of = n->in[from_end == 2 ? 0 : 1], .axis = x->type.rank - from_end};
}

Origin origin_of(const IrValue *v, int axis) {
  const IrNode *n = v->node;
  if (!n) return (Origin){0};
  if (ir_op_elementwise(n->op)) return origin_elementwise(n, axis);
  switch (n->op) {
  case IR_BROADCAST:
  case IR_RESHAPE: return (Origin){.size = n->in[1 + axis]};
  case IR_TRANSPOSE: return (Origin){.of = n->in[0], .axis = n->attr.axes[axis]};
  case IR_REDUCE_SUM:
  case IR_REDUCE_PROD:
  case IR_REDUCE_MAX:
  case IR_REDUCE_MIN:
  case IR_REDUCE_ANY:
  case IR_REDUCE_ALL: return origin_reduce(n, axis);
  case IR_MATMUL: return origin_matmul(n, axis);
  case IR_SLICE:
    if (axis == n->attr.axis) return (Origin){.size = n->in[2]};
    return (Origin){.of = n->in[0], .axis = axis};
  case IR_GATHER: return origin_gather(n, axis);
  case IR_CONCAT:
    if (axis == n->attr.axis) return (Origin){0};
    return (Origin){.of = n->in[0], .axis = axis};
  case IR_SCATTER_ADD:
  case IR_SCATTER_SET:
  case IR_REVERSE:
  case IR_CUMSUM:
  case IR_ARGSORT: return (Origin){.of = n->in[0], .axis = axis};
  case IR_IOTA: return (Origin){.size = n->in[0]};
  default: return (Origin){0};
  }
}

RULE(shape) {
  enum { MOST_STEPS = 64 };
  IrValue *x = p->in[0];
  int axis = p->attr->axis;
  for (int step = 0; step < MOST_STEPS; step++) {
    if (x->type.dim[axis] != IR_DYNAMIC) return ir_i64(p->b, x->type.dim[axis]);
    Origin o = origin_of(x, axis);
    if (o.size) return o.size;
    if (!o.of) break;
    x = o.of;
    axis = o.axis;
  }
  return x == p->in[0] ? NULL : ir_dim(p->b, x, axis);
}

/* ---- broadcast ---- */

IrValue *realigned(IrBuilder *b, IrValue *x, int rank, const int *source) {
  IrValue *dims[IR_MAX_RANK];
  int count = 0;
  for (int k = 0; k < rank; k++) {
    if (source[k] < 0 && count == 0) continue;
    dims[count++] = source[k] < 0 ? ir_i64(b, 1) : ir_dim(b, x, source[k]);
  }
  return ir_reshape(b, x, dims, count);
}

static bool all_ones(const IrType *t, int count) {
  for (int k = 0; k < count; k++)
    if (t->dim[k] != 1) return false;
  return true;
}

/* x without axes of size 1 in front */
static IrValue *without_leading_units(IrBuilder *b, IrValue *x) {
  int more = 0;
  IrValue *dims[IR_MAX_RANK];
  while (more < x->type.rank && x->type.dim[more] == 1) more++;
  const IrNode *n = made_by(x, IR_RESHAPE);
  int source[IR_MAX_RANK];
  /* worth it where nothing is left of a reshape */
  if (more == 0 || !n || n->in[0]->type.rank != x->type.rank - more ||
      !node_is_unit_reshape(n, source))
    return x;
  for (int k = more; k < x->type.rank; k++) dims[k - more] = n->in[1 + k];
  IrValue *v = ir_reshape(b, x, dims, x->type.rank - more);
  return v == n->in[0] ? v : x;
}

RULE(broadcast) {
  IrValue *x = p->in[0], *less;
  const IrNode *n;
  double c;
  int rank = p->type->rank, more = rank - x->type.rank;
  if (covers(&x->type, p->type)) return x;
  if ((n = made_by(x, IR_BROADCAST))) return ir_broadcast(p->b, n->in[0], p->in + 1, rank);
  if (x->uniform && x->type.rank && is_splat(x, &c))
    return ir_broadcast(p->b, scalar_like(p, c), p->in + 1, rank);
  IrType own = ir_type(x->type.dtype, x->type.rank, p->type->dim + more);
  if (all_ones(p->type, more) && covers(&x->type, &own))
    return ir_reshape(p->b, x, p->in + 1, rank); /* adds axes of size 1 only */
  less = without_leading_units(p->b, x);
  return less == x ? NULL : ir_broadcast(p->b, less, p->in + 1, rank);
}

/* ---- reshape ---- */

static bool reshapes_to_itself(const Application *p) {
  const IrValue *x = p->in[0];
  int doubtful = 0;
  if (x->type.rank != p->type->rank) return false;
  for (int k = 0; k < x->type.rank; k++) {
    int64_t have = x->type.dim[k], want = p->type->dim[k];
    if (have != IR_DYNAMIC && have == want) continue;
    if (have != IR_DYNAMIC && want != IR_DYNAMIC) return false;
    if (!is_extent(p->in[1 + k], x, k)) doubtful++;
  }
  return doubtful <= 1; /* with all others equal, the last is too */
}

/* reshape of a broadcast, where it only adds and drops axes of size 1 */
static IrValue *reshape_broadcast(const Application *p, const IrNode *n) {
  IrValue *x = n->in[0], *result = NULL;
  int rank = p->type->rank, source[IR_MAX_RANK], more = n->out[0]->type.rank - x->type.rank;
  if (x->type.rank == 0) return ir_broadcast(p->b, x, p->in + 1, rank);
  if (!is_unit_reshape(n->out[0], p->in + 1, p->type, source)) return NULL;
  for (int k = 0; k < rank; k++) {
    source[k] = source[k] < more ? -1 : source[k] - more;
    if (source[k] >= 0 && x->type.dim[source[k]] == 1) source[k] = -1;
  }
  result = realigned(p->b, x, rank, source);
  return ir_broadcast(p->b, result, p->in + 1, rank);
}

/* Whether x is made, for the reshape alone, of numbers and reductions, elementwise, which the
 * reshape gives back their axes. */
static bool is_of_reductions(const IrValue *x, const IrType *to, int depth) {
  enum { DEEPEST = 5 };
  if (keeps_axes(x, to)) return true;
  if (depth == DEEPEST || x->uses > 1 || !x->node || !ir_op_elementwise(x->node->op)) return false;
  bool any = false;
  for (int k = 0; k < x->node->in_count; k++) {
    const IrValue *v = x->node->in[k];
    if (v->type.rank == 0) continue;
    if (v->type.rank != x->type.rank || !is_of_reductions(v, to, depth + 1)) return false;
    any = true;
  }
  return any;
}

/* The same made of the reductions reshaped. */
static IrValue *with_axes(const Application *p, IrValue *x) {
  IrValue *in[3];
  if (x->type.rank == 0) return x;
  if (keeps_axes(x, p->type)) return ir_reshape(p->b, x, p->in + 1, p->type->rank);
  for (int k = 0; k < x->node->in_count; k++) in[k] = with_axes(p, x->node->in[k]);
  return ir_emit(p->b, x->node->op, x->node->attr, in, x->node->in_count);
}

/* One number that is reduced is so over all axes. */
static IrValue *reduce_to_number(const Application *p) {
  const IrNode *n = p->in[0]->node;
  if (p->type->rank || !n || !ir_op_reduction(n->op) || ir_type_count(&p->in[0]->type) != 1)
    return NULL;
  IrAttr attr = {.axis_count = n->in[0]->type.rank, .nonempty = n->attr.nonempty};
  for (int k = 0; k < attr.axis_count; k++) attr.axes[k] = (int8_t)k;
  return ir_emit(p->b, n->op, attr, n->in, 1);
}

RULE(reshape) {
  IrValue *x = p->in[0], *v;
  const IrNode *n;
  if (reshapes_to_itself(p)) return x;
  if ((v = reduce_to_number(p))) return v;
  if (p->b->counts_uses && !keeps_axes(x, p->type) && is_of_reductions(x, p->type, 0))
    return with_axes(p, x);
  if ((n = made_by(x, IR_RESHAPE))) return ir_reshape(p->b, n->in[0], p->in + 1, p->type->rank);
  if ((n = made_by(x, IR_BROADCAST))) return reshape_broadcast(p, n);
  return NULL;
}

/* ---- transpose and reverse ---- */

/* Whether axes other than those of size 1 stay in order. */
static bool keeps_order(const IrType *x, const IrAttr *attr) {
  int last = -1;
  for (int k = 0; k < x->rank; k++) {
    if (x->dim[attr->axes[k]] == 1) continue;
    if (attr->axes[k] < last) return false;
    last = attr->axes[k];
  }
  return true;
}

/* transpose of a broadcast of what stays in order itself */
static IrValue *transpose_broadcast(const Application *p, const IrNode *n) {
  IrValue *x = n->in[0], *dims[IR_MAX_RANK];
  int rank = p->type->rank, more = rank - x->type.rank, source[IR_MAX_RANK], last = -1;
  for (int k = 0; k < rank; k++) {
    int from = p->attr->axes[k];
    dims[k] = n->in[1 + from];
    source[k] = from < more || x->type.dim[from - more] == 1 ? -1 : from - more;
    if (source[k] < 0) continue;
    if (source[k] < last) return NULL;
    last = source[k];
  }
  return ir_broadcast(p->b, realigned(p->b, x, rank, source), dims, rank);
}

RULE(transpose) {
  IrValue *x = p->in[0], *dims[IR_MAX_RANK];
  const IrNode *n;
  if (keeps_order(&x->type, p->attr)) {
    for (int k = 0; k < x->type.rank; k++) dims[k] = ir_dim(p->b, x, p->attr->axes[k]);
    return ir_reshape(p->b, x, dims, x->type.rank);
  }
  if ((n = made_by(x, IR_TRANSPOSE))) {
    int8_t axes[IR_MAX_RANK];
    for (int k = 0; k < x->type.rank; k++) axes[k] = n->attr.axes[p->attr->axes[k]];
    return ir_transpose(p->b, n->in[0], axes);
  }
  if ((n = made_by(x, IR_BROADCAST))) return transpose_broadcast(p, n);
  return NULL;
}

RULE(reverse) {
  IrValue *x = p->in[0];
  const IrNode *n = made_by(x, IR_REVERSE);
  double c;
  int64_t size = x->type.dim[p->attr->axis];
  if (n && n->attr.axis == p->attr->axis) return n->in[0];
  return size == 0 || size == 1 || is_splat(x, &c) ? x : NULL;
}
