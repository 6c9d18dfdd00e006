/* Identities of reductions, matrix products and cumulative sums. */
#include "ir/algebra.h"

#include <math.h>
#include <string.h>

static bool reduces(const IrAttr *attr, int axis) {
  for (int k = 0; k < attr->axis_count; k++)
    if (attr->axes[k] == axis) return true;
  return false;
}

static IrValue *reduce(const Application *p, IrValue *x, const int8_t *axes, int count) {
  IrAttr attr = {.axis_count = count, .nonempty = p->attr->nonempty};
  if (count) memcpy(attr.axes, axes, sizeof *axes * (size_t)count);
  return count ? ir_emit(p->b, p->op, attr, &x, 1) : x;
}

/* The sizes of the result: those of the operand's axes that stay. */
static int result_sizes(const Application *p, IrValue **sizes) {
  int rank = 0;
  for (int k = 0; k < p->in[0]->type.rank; k++)
    if (!reduces(p->attr, k)) sizes[rank++] = ir_dim(p->b, p->in[0], k);
  return rank;
}

static bool is_extremum(IrOp op) { return op == IR_REDUCE_MAX || op == IR_REDUCE_MIN; }

/* any of false, all of true, a sum of zeros, a product of ones: whatever their number */
RULE(reduce_known) {
  double c;
  static const double neutral[] = {
      [IR_REDUCE_SUM] = 0, [IR_REDUCE_PROD] = 1, [IR_REDUCE_ANY] = 0, [IR_REDUCE_ALL] = 1};
  if (is_extremum(p->op) || p->in[0]->constant || !is_splat(p->in[0], &c) || c != neutral[p->op])
    return NULL;
  IrValue *sizes[IR_MAX_RANK];
  int rank = result_sizes(p, sizes);
  return ir_broadcast(p->b, scalar_like(p, c), sizes, rank);
}

/* Axes of size 1 need no reduction, but where one takes all axes. */
RULE(reduce_units) {
  IrValue *x = p->in[0], *sizes[IR_MAX_RANK];
  int8_t axes[IR_MAX_RANK];
  int count = 0;
  for (int k = 0; k < p->attr->axis_count; k++)
    if (x->type.dim[p->attr->axes[k]] != 1) axes[count++] = p->attr->axes[k];
  if (count > 0 && (count == p->attr->axis_count || p->type->rank == 0)) return NULL;
  int rank = result_sizes(p, sizes);
  return ir_reshape(p->b, reduce(p, x, axes, count), sizes, rank);
}

/* Logical reductions of what may be nothing are dear (emit/nodes.c): one that is of something stays
 * by itself. */
RULE(reduce_of_reduce) {
  const IrNode *n = made_by(p->in[0], p->op);
  IrAttr attr = {0};
  if (!n) return NULL;
  bool inner = ir_reduces_something(&n->attr, &n->in[0]->type),
       outer = ir_reduces_something(p->attr, &p->in[0]->type);
  if (inner && !outer && (p->op == IR_REDUCE_ANY || p->op == IR_REDUCE_ALL)) return NULL;
  attr.nonempty = inner && outer;
  for (int k = 0, kept = 0; k < n->in[0]->type.rank; k++) {
    if (reduces(&n->attr, k) || reduces(p->attr, kept++)) attr.axes[attr.axis_count++] = (int8_t)k;
  }
  return ir_emit(p->b, p->op, attr, n->in, 1);
}

/* ---- of broadcasts ---- */

/* v combined with itself as often as it is repeated */
static IrValue *repeated(const Application *p, IrValue *v, IrValue *times) {
  IrDtype dtype = v->type.dtype;
  if (p->op == IR_REDUCE_SUM) return ir_binary(p->b, IR_MUL, v, ir_cast(p->b, times, dtype));
  if (p->op == IR_REDUCE_PROD) return ir_binary(p->b, IR_POW, v, ir_cast(p->b, times, dtype));
  return v;
}

/* Axes that are repetitions are counted, not reduced. */
RULE(reduce_broadcast) {
  IrBuilder *b = p->b;
  const IrNode *n = made_by(p->in[0], IR_BROADCAST);
  if (!n || (p->op == IR_REDUCE_PROD && p->type->dtype != IR_F64)) return NULL;
  IrValue *x = n->in[0], *times = ir_i64(b, 1), *sizes[IR_MAX_RANK];
  int rank = p->in[0]->type.rank, more = rank - x->type.rank, count = 0, repeats = 0, at = 0;
  int8_t axes[IR_MAX_RANK];
  int source[IR_MAX_RANK];
  for (int k = 0; k < rank; k++) {
    bool own = k >= more && x->type.dim[k - more] != 1;
    if (!reduces(p->attr, k)) {
      sizes[at] = n->in[1 + k];
      source[at++] = own ? k - more : -1;
    } else if (own) {
      axes[count++] = (int8_t)(k - more);
    } else {
      times = ir_binary(b, IR_MUL, times, n->in[1 + k]);
      repeats++;
    }
  }
  int64_t known;
  bool counts = p->op == IR_REDUCE_SUM || p->op == IR_REDUCE_PROD;
  /* the largest of none is not the largest of one */
  if (!counts && repeats && !(is_known_size(times, &known) && known > 0)) return NULL;
  IrValue *v = reduce(p, x, axes, count);
  for (int k = 0; k < at; k++)
    for (int j = 0, lost = 0; j < count && source[k] >= 0; j++) {
      lost += axes[j] < source[k];
      if (j == count - 1) source[k] -= lost;
    }
  v = realigned(b, v, at, source);
  if (repeats) v = repeated(p, v, times);
  return ir_broadcast(b, v, sizes, at);
}

/* ---- of moved elements ---- */

static IrValue *reduce_reshape(const Application *p, const IrNode *n) {
  IrValue *x = n->in[0], *sizes[IR_MAX_RANK];
  int source[IR_MAX_RANK], count = 0;
  int8_t axes[IR_MAX_RANK];
  if (p->attr->axis_count == p->in[0]->type.rank) {
    for (int k = 0; k < x->type.rank; k++) axes[k] = (int8_t)k;
    return reduce(p, x, axes, x->type.rank);
  }
  if (!node_is_unit_reshape(n, source)) return NULL;
  for (int k = 0; k < p->attr->axis_count; k++)
    if (source[p->attr->axes[k]] >= 0) axes[count++] = (int8_t)source[p->attr->axes[k]];
  int rank = result_sizes(p, sizes);
  return ir_reshape(p->b, reduce(p, x, axes, count), sizes, rank);
}

static IrValue *reduce_transpose(const Application *p, const IrNode *n) {
  int last = -1, count = 0;
  int8_t axes[IR_MAX_RANK];
  bool reduced[IR_MAX_RANK] = {false};
  for (int k = 0; k < p->in[0]->type.rank; k++) {
    int from = n->attr.axes[k];
    if (reduces(p->attr, k)) {
      reduced[from] = true;
    } else if (from < last) {
      return NULL;
    } else {
      last = from;
    }
  }
  for (int k = 0; k < p->in[0]->type.rank; k++)
    if (reduced[k]) axes[count++] = (int8_t)k;
  return reduce(p, n->in[0], axes, count);
}

RULE(reduce_moved) {
  const IrNode *n;
  if ((n = made_by(p->in[0], IR_RESHAPE))) return reduce_reshape(p, n);
  if ((n = made_by(p->in[0], IR_TRANSPOSE))) return reduce_transpose(p, n);
  return NULL;
}

/* ---- sums of what is linear ---- */

/* Whether v, right-aligned in the reduced tensor, varies along none (along all) of the axes. */
static bool varies(const Application *p, const IrValue *v, bool all) {
  int more = p->in[0]->type.rank - v->type.rank, found = 0;
  for (int k = 0; k < p->attr->axis_count; k++) {
    int axis = p->attr->axes[k] - more;
    found += axis >= 0 && v->type.dim[axis] != 1;
  }
  return all ? found == p->attr->axis_count : found > 0;
}

/* A factor as it multiplies the sum: without the axes that are summed over. */
static IrValue *outside(const Application *p, IrValue *v) {
  int rank = p->in[0]->type.rank, more = rank - v->type.rank, source[IR_MAX_RANK], at = 0;
  for (int k = 0; k < rank; k++) {
    if (reduces(p->attr, k)) continue;
    source[at++] = k < more || v->type.dim[k - more] == 1 ? -1 : k - more;
  }
  return realigned(p->b, v, at, source);
}

static IrValue *sum_over(const Application *p, IrValue *v) {
  IrValue *sizes[IR_MAX_RANK];
  int rank = p->in[0]->type.rank;
  for (int k = 0; k < rank; k++) sizes[k] = ir_dim(p->b, p->in[0], k);
  return apply(p, (IrValue *[]){ir_broadcast(p->b, v, sizes, rank)}, 1);
}

/* Whether summing the terms x and y of the reduced tensor apart saves work. Terms known beforehand
 * stay inside a derivative, where a difference from data may be small. */
static bool better_apart(const Application *p, const IrValue *x, const IrValue *y) {
  if ((x->constant || y->constant) && p->b->adjoint) return false;
  if (varies(p, x, true) && varies(p, y, true)) return x->constant || y->constant;
  return true;
}

/* The sum over those axes first along which an operand of x does not vary. */
static IrValue *sum_in_steps(const Application *p, const IrNode *n) {
  IrValue *x = p->in[0];
  for (int side = 0; side < n->in_count; side++) {
    int more = x->type.rank - n->in[side]->type.rank, first = 0, later = 0, kept = 0;
    int8_t axes[IR_MAX_RANK], rest[IR_MAX_RANK];
    for (int k = 0; k < x->type.rank; k++) {
      bool reduced = reduces(p->attr, k);
      if (reduced && (k < more || n->in[side]->type.dim[k - more] == 1)) {
        axes[first++] = (int8_t)k;
        continue;
      }
      if (reduced) rest[later++] = (int8_t)kept;
      kept++;
    }
    if (first == 0 || later == 0) continue;
    IrAttr attr = {.axis_count = first};
    memcpy(attr.axes, axes, sizeof axes);
    IrType type = ir_scalar(x->type.dtype);
    for (int k = 0; k < x->type.rank; k++)
      if (!reduces(&attr, k)) type.dim[type.rank++] = x->type.dim[k];
    Application inner = {p->b, p->op, &attr, p->in, 1, &type};
    IrValue *v = rule_reduce_linear(&inner);
    if (v) return reduce(p, v, rest, later);
  }
  return NULL;
}

RULE(reduce_linear) {
  IrBuilder *b = p->b;
  IrValue *x = p->in[0], *sizes[IR_MAX_RANK];
  const IrNode *n = x->node;
  if (p->op != IR_REDUCE_SUM || x->type.dtype != IR_F64 || !n) return NULL;
  /* worth it only where nothing else needs the terms */
  if (b->counts_uses ? x->uses > 1 : b->adjoint) return NULL;
  IrValue *y = n->in_count > 0 ? n->in[0] : NULL, *z = n->in_count > 1 ? n->in[1] : NULL, *v = NULL;
  switch (n->op) {
  case IR_NEG: return ir_unary(b, IR_NEG, sum_over(p, y));
  case IR_MUL:
    if (!varies(p, z, false) && varies(p, y, true))
      v = ir_binary(b, IR_MUL, sum_over(p, y), outside(p, z));
    else if (!varies(p, y, false) && varies(p, z, true))
      v = ir_binary(b, IR_MUL, sum_over(p, z), outside(p, y));
    break;
  case IR_DIV:
    if (!varies(p, z, false) && varies(p, y, true))
      v = ir_binary(b, IR_DIV, sum_over(p, y), outside(p, z));
    break;
  case IR_ADD:
  case IR_SUB:
    if (better_apart(p, y, z)) v = ir_binary(b, n->op, sum_over(p, y), sum_over(p, z));
    break;
  default: break;
  }
  if (!v && p->attr->axis_count > 1 && ir_op_elementwise(n->op)) v = sum_in_steps(p, n);
  if (!v || covers(&v->type, p->type)) return v;
  int rank = result_sizes(p, sizes);
  return ir_broadcast(b, v, sizes, rank);
}

/* ---- matrix products ---- */

/* v without what repeats matrices, where the other operand has those axes. */
static IrValue *fewer_matrices(IrValue *v) {
  const IrNode *n = made_by(v, IR_BROADCAST);
  int source[IR_MAX_RANK];
  if (n && n->in[0]->type.rank >= 2) {
    const IrType *x = &n->in[0]->type;
    for (int k = 1; k <= 2; k++)
      if (x->dim[x->rank - k] == 1 && v->type.dim[v->type.rank - k] != 1) return v;
    return n->in[0];
  }
  n = made_by(v, IR_RESHAPE);
  if (!n || n->in[0]->type.rank < 2 || !node_is_unit_reshape(n, source)) return v;
  int more = v->type.rank - n->in[0]->type.rank;
  for (int k = 0; k < v->type.rank && more > 0; k++)
    if (source[k] != k - more &&
        !(source[k] < 0 && (k < more || n->in[0]->type.dim[k - more] == 1)))
      return v;
  return more > 0 ? n->in[0] : v;
}

RULE(matmul) {
  IrValue *in[2] = {p->in[0], p->in[1]};
  IrType without;
  if (p->in[0]->type.dim[p->in[0]->type.rank - 1] == 1 ||
      p->in[1]->type.dim[p->in[1]->type.rank - 2] == 1)
    return ir_binary(p->b, IR_MUL, in[0], in[1]);
  bool any = false;
  for (int k = 0; k < 2; k++) {
    IrValue *before = in[k];
    in[k] = fewer_matrices(before);
    if (in[k] == before) continue;
    const char *error = ir_infer_type(p->b->module->arena, IR_MATMUL, p->attr, in, 2, &without);
    if (!error && ir_types_equal(&without, p->type))
      any = true;
    else
      in[k] = before;
  }
  return any ? apply(p, in, 2) : NULL;
}

/* ---- cumulative sums ---- */

RULE(cumsum) {
  IrValue *x = p->in[0];
  int64_t size = x->type.dim[p->attr->axis];
  if (size == 0 || is_splat_of(x, 0) || (size == 1 && !p->attr->exclusive)) return x;
  return NULL;
}
