/* Sums of logarithms as logarithms of products: a product takes a tenth of the time that a
 * logarithm takes. Numbers whose bounds are known are multiplied in groups that can neither
 * overflow nor underflow. What rounding adds to a sum is no more than it has where a number near 1
 * was rounded before its logarithm was taken.
 *
 * Derivatives would see the product, so this comes after differentiation. */
#include "ir/bounds.h"
#include "ir/economy.h"

#include <math.h>

enum {
  LEAST_GROUP = 8,   /* smaller groups are not worth their nodes, */
  LARGEST_GROUP = 48 /* nor are larger ones: of 100 elements there are to be two groups at least */
};

static const double MOST_EXPONENT = 700; /* of e, in a double */

/* ---- one logarithm ---- */

/* How the elements over which a sum runs are divided into groups. */
typedef struct {
  int rank; /* axes in front of them */
  int64_t count, group;
} Division;

/* The number of elements along the reduced axes, when these are the last ones. */
static int64_t trailing_count(const IrNode *sum, const IrType *t) {
  int64_t count = 1;
  int first = t->rank - sum->attr.axis_count;
  for (int k = 0; k < sum->attr.axis_count; k++) {
    if (sum->attr.axes[k] != first + k || t->dim[first + k] == IR_DYNAMIC) return -1;
    count *= t->dim[first + k];
  }
  return count;
}

/* Whether numbers like x can be multiplied, and how many at a time. */
static bool divide(const IrNode *sum, const IrValue *x, Division *d) {
  Bounds bounds = bounds_of(x);
  d->rank = x->type.rank - sum->attr.axis_count;
  d->count = trailing_count(sum, &x->type);
  if (d->count < 2 || !(bounds.low > 0) || !(bounds.high < INFINITY)) return false;
  double most = fmax(fabs(log(bounds.low)), fabs(log(bounds.high)));
  double largest = most > 0 ? floor(MOST_EXPONENT / most) : LARGEST_GROUP;
  d->group = largest < LARGEST_GROUP ? (int64_t)largest : LARGEST_GROUP;
  if (d->count <= LARGEST_GROUP) {
    bool one = d->group >= d->count;
    d->group = d->count;
    return one;
  }
  /* the graph is to be the same however many elements there are, so that there is always a rest */
  while (d->group >= LEAST_GROUP && d->count % d->group == 0) d->group--;
  return d->group >= LEAST_GROUP;
}

/* x with the elements in one axis, or in two. */
static IrValue *in_groups(IrBuilder *b, IrValue *x, int rank, int64_t first, int64_t second) {
  IrValue *dims[IR_MAX_RANK];
  for (int k = 0; k < rank; k++) dims[k] = ir_dim(b, x, k);
  dims[rank] = ir_i64(b, first);
  if (second) dims[rank + 1] = ir_i64(b, second);
  return ir_reshape(b, x, dims, rank + (second ? 2 : 1));
}

static IrValue *sum_of_logs(IrBuilder *b, IrValue *x, const Division *d) {
  int8_t last = (int8_t)d->rank;
  int64_t groups = d->count / d->group, rest = d->count % d->group;
  if (!rest)
    return ir_unary(b, IR_LOG,
                    ir_reduce(b, IR_REDUCE_PROD, in_groups(b, x, d->rank, d->count, 0), &last, 1));
  IrValue *start = ir_i64(b, d->count - rest), *parts[2];
  x = in_groups(b, x, d->rank, d->count, 0);
  parts[0] = in_groups(b, ir_slice(b, x, d->rank, ir_i64(b, 0), start), d->rank, d->group, groups);
  parts[0] = ir_reduce(b, IR_REDUCE_PROD, parts[0], &last, 1);
  parts[1] = ir_slice(b, x, d->rank, start, ir_i64(b, rest));
  return ir_reduce(b, IR_REDUCE_SUM, ir_unary(b, IR_LOG, ir_concat(b, parts, 2, d->rank)), &last,
                   1);
}

/* ---- sums ---- */

static bool is_own(const Rewriting *w, const IrValue *v) { return w->uses[v->id] == 1; }

/* The part v of what is summed up: its logarithms that can be joined are added to *logs, and the
 * rest is returned, NULL where there is none. */
static IrValue *take_logs(const Rewriting *w, const IrNode *sum, const IrValue *v, bool minus,
                          IrValue **logs) {
  const IrNode *n = v->node;
  Division d;
  if (!n || !is_own(w, v) || !ir_types_equal(&v->type, &sum->in[0]->type)) return w->map[v->id];
  if (n->op == IR_LOG && divide(sum, n->in[0], &d)) {
    IrValue *x = sum_of_logs(w->b, w->map[n->in[0]->id], &d);
    if (*logs || minus)
      *logs =
          *logs ? ir_binary(w->b, minus ? IR_SUB : IR_ADD, *logs, x) : ir_unary(w->b, IR_NEG, x);
    else
      *logs = x;
    return NULL;
  }
  if (n->op == IR_NEG) {
    IrValue *x = take_logs(w, sum, n->in[0], !minus, logs);
    return x == w->map[n->in[0]->id] ? w->map[v->id] : x ? ir_unary(w->b, IR_NEG, x) : NULL;
  }
  if (n->op != IR_ADD && n->op != IR_SUB) return w->map[v->id];
  IrValue *x = take_logs(w, sum, n->in[0], minus, logs),
          *y = take_logs(w, sum, n->in[1], minus != (n->op == IR_SUB), logs);
  if (x == w->map[n->in[0]->id] && y == w->map[n->in[1]->id]) return w->map[v->id];
  if (!y) return x;
  if (!x) return n->op == IR_SUB ? ir_unary(w->b, IR_NEG, y) : y;
  return ir_binary(w->b, n->op, x, y);
}

/* The rest of a sum may have lost axes along which only the logarithms differed. */
static IrValue *sum_of_rest(const Rewriting *w, const IrNode *sum, IrValue *rest) {
  IrValue *full = w->map[sum->in[0]->id];
  if (!ir_types_equal(&rest->type, &full->type)) rest = ir_broadcast_like(w->b, rest, full);
  return ir_reduce(w->b, IR_REDUCE_SUM, rest, sum->attr.axes, sum->attr.axis_count);
}

IrValue *join_logs(const Rewriting *w, const IrNode *n) {
  IrValue *logs = NULL;
  if (n->op != IR_REDUCE_SUM || n->out[0]->type.dtype != IR_F64) return NULL;
  IrValue *rest = take_logs(w, n, n->in[0], false, &logs);
  if (!logs) return NULL;
  return rest ? ir_binary(w->b, IR_ADD, sum_of_rest(w, n, rest), logs) : logs;
}
