/* The derivative rules that ops.def names: the cotangents of a node's operands, given that of its
 * result. They are linear in it, so that constant factors of it are applied at the end. */
#include "ir/grad.h"

#include <float.h>

bool wanted(const Adjoint *a, int k) { return reverse_active(a->r, a->node->in[k]); }

static IrValue *mul(Adjoint *a, IrValue *x, IrValue *y) { return ir_binary(a->b, IR_MUL, x, y); }
static IrValue *divide(Adjoint *a, IrValue *x, IrValue *y) { return ir_binary(a->b, IR_DIV, x, y); }

/* ---- back to an operand's shape ---- */

/* Where axis j of the result is in a tensor that broadcasts to it: -1 where it has none. */
static int axis_in(const Adjoint *a, const IrValue *v, int j) {
  int k = j - (a->out->type.rank - v->type.rank);
  return k >= 0 ? k : -1;
}

/* Whether v differs along axis j of the result. */
static bool extends(const Adjoint *a, const IrValue *v, int j) {
  int k = axis_in(a, v, j);
  return k >= 0 && v->type.dim[k] != 1;
}

/* Whether operand x is repeated along axis j of the result. */
static bool repeated(const Adjoint *a, const IrValue *x, int j) {
  return a->out->type.dim[j] != 1 && !extends(a, x, j);
}

static bool any_repeated(const Adjoint *a, const IrValue *x, const IrValue *v) {
  for (int j = 0; j < a->out->type.rank; j++)
    if (repeated(a, x, j) && extends(a, v, j)) return true;
  return false;
}

/* v, whose axes are named by `axis` (numbers of the result's axes, ascending), with axes of size 1
 * put between them where x has an axis, and none beyond x's. */
static IrValue *aligned(Adjoint *a, IrValue *v, const int *axis, const IrValue *x) {
  int out = a->out->type.rank, first = out, rank = 0, at = 0;
  IrValue *dims[IR_MAX_RANK];
  bool fits = v->type.rank <= x->type.rank;
  for (int k = v->type.rank - 1; k >= 0; k--) {
    fits &= axis[k] == out - v->type.rank + k;
    if (v->type.dim[k] != 1) first = axis[k];
  }
  if (fits) return v;
  for (int j = first; j < out; j++) {
    while (at < v->type.rank && axis[at] < j) at++;
    bool there = at < v->type.rank && axis[at] == j;
    dims[rank++] = there ? ir_dim(a->b, v, at) : ir_i64(a->b, 1);
  }
  return ir_reshape(a->b, v, dims, rank);
}

/* v, which broadcasts to the result's shape, summed over the axes along which operand x is
 * repeated. Axes that v does not have count with their extent, which goes to *scale as far as it is
 * known. */
static IrValue *gather_up(Adjoint *a, const IrValue *x, IrValue *v, double *scale) {
  int8_t axes[IR_MAX_RANK];
  int kept[IR_MAX_RANK] = {0}, count = 0, rest = 0;
  IrValue *times = NULL;
  for (int j = 0; j < a->out->type.rank; j++) {
    int k = axis_in(a, v, j);
    bool over = repeated(a, x, j);
    if (over && extends(a, v, j)) {
      axes[count++] = (int8_t)k;
      continue;
    }
    if (k >= 0) kept[rest++] = j;
    if (!over) continue;
    if (a->out->type.dim[j] != IR_DYNAMIC) {
      *scale *= (double)a->out->type.dim[j];
    } else {
      IrValue *n = ir_dim(a->b, a->out, j);
      times = times ? mul(a, times, n) : n;
    }
  }
  if (count) v = ir_reduce(a->b, IR_REDUCE_SUM, v, axes, count);
  v = aligned(a, v, kept, x);
  return times ? mul(a, v, ir_cast(a->b, times, IR_F64)) : v;
}

static void add_to(Adjoint *a, int k, double scale, IrValue *v) {
  reverse_add_whole(a->r, a->node->in[k], a->scale * scale, v);
}

void flow(Adjoint *a, int k, double scale, IrValue *v) {
  if (!wanted(a, k)) return;
  v = gather_up(a, a->in[k], v, &scale);
  add_to(a, k, scale, v);
}

/* v, which does not extend along axes where x is repeated, without axes that x lacks. */
static IrValue *dropped(Adjoint *a, const IrValue *x, IrValue *v) {
  int axis[IR_MAX_RANK];
  for (int k = 0; k < v->type.rank; k++) axis[k] = k + a->out->type.rank - v->type.rank;
  return v->type.rank > x->type.rank ? aligned(a, v, axis, x) : v;
}

static bool known_scalar(const IrValue *v, double *x) {
  if (!v->constant || v->type.rank || v->type.dtype != IR_F64) return false;
  *x = v->constant->data.f64[0];
  return true;
}

/* u * v summed as gather_up does: a factor that is the same along those axes is applied after. */
static IrValue *gather_product(Adjoint *a, const IrValue *x, IrValue *u, IrValue *v,
                               double *scale) {
  double factor;
  if (known_scalar(u, &factor)) {
    IrValue *other = u;
    u = v;
    v = other;
  }
  if (known_scalar(v, &factor)) {
    *scale *= factor;
    return gather_up(a, x, u, scale);
  }
  if (any_repeated(a, x, v)) {
    IrValue *other = u;
    u = v;
    v = other;
  }
  if (any_repeated(a, x, v)) return gather_up(a, x, mul(a, u, v), scale);
  return mul(a, gather_up(a, x, u, scale), dropped(a, x, v));
}

void flow_product(Adjoint *a, int k, double scale, IrValue *u, IrValue *v) {
  if (!wanted(a, k)) return;
  v = gather_product(a, a->in[k], u, v, &scale);
  add_to(a, k, scale, v);
}

/* ---- elementwise ---- */

static void vjp_neg(Adjoint *a) { flow(a, 0, -1, a->g); }
static void vjp_abs(Adjoint *a) { flow_product(a, 0, 1, a->g, ir_unary(a->b, IR_SIGN, a->in[0])); }
static void vjp_exp(Adjoint *a) { flow_product(a, 0, 1, a->g, a->out); }
static void vjp_log(Adjoint *a) { flow(a, 0, 1, divide(a, a->g, a->in[0])); }
static void vjp_sin(Adjoint *a) { flow_product(a, 0, 1, a->g, ir_unary(a->b, IR_COS, a->in[0])); }
static void vjp_cos(Adjoint *a) { flow_product(a, 0, -1, a->g, ir_unary(a->b, IR_SIN, a->in[0])); }

static void vjp_cast(Adjoint *a) { flow(a, 0, 1, a->g); }

static bool positive(const Adjoint *a, int k) {
  return (a->in[k]->facts | a->node->in[k]->facts) & IR_POSITIVE;
}

/* v, or 0 where x is 0 */
static IrValue *unless_zero(Adjoint *a, IrValue *x, IrValue *v) {
  IrValue *zero = ir_f64(a->b, 0);
  return ir_select(a->b, ir_binary(a->b, IR_EQ, x, zero), zero, v);
}

/* 1 / sqrt(x), but 0 at 0, is sqrt(x) / x for the smallest x that is not subnormal: this takes no
 * select. */
static void vjp_sqrt(Adjoint *a) {
  if (positive(a, 0)) {
    flow(a, 0, 0.5, divide(a, a->g, a->out));
    return;
  }
  IrValue *x = ir_binary(a->b, IR_MAX, a->in[0], ir_f64(a->b, DBL_MIN));
  flow_product(a, 0, 0.5, a->g, divide(a, a->out, x));
}

static void vjp_tanh(Adjoint *a) {
  IrValue *square = mul(a, a->out, a->out);
  flow_product(a, 0, 1, a->g, ir_binary(a->b, IR_SUB, ir_f64(a->b, 1), square));
}

static void vjp_add(Adjoint *a) {
  flow(a, 0, 1, a->g);
  flow(a, 1, 1, a->g);
}

static void vjp_sub(Adjoint *a) {
  flow(a, 0, 1, a->g);
  flow(a, 1, -1, a->g);
}

static void vjp_mul(Adjoint *a) {
  if (a->in[0] == a->in[1] && a->node->in[0] == a->node->in[1]) {
    flow_product(a, 0, 2, a->g, a->in[0]);
  } else {
    flow_product(a, 0, 1, a->g, a->in[1]);
    flow_product(a, 1, 1, a->g, a->in[0]);
  }
}

static void vjp_div(Adjoint *a) {
  IrValue *x = a->in[0], *y = a->in[1], *quotient = NULL;
  double scale = 1, divisor;
  bool constant = known_scalar(y, &divisor);
  if (wanted(a, 0)) {
    if (constant && divisor != 0)
      flow(a, 0, 1 / divisor, a->g);
    else if (any_repeated(a, x, a->g) && !any_repeated(a, x, y))
      add_to(a, 0, scale, divide(a, gather_up(a, x, a->g, &scale), dropped(a, x, y)));
    else
      flow(a, 0, 1, quotient = divide(a, a->g, y));
  }
  if (!wanted(a, 1)) return;
  scale = -1;
  if (quotient && !any_repeated(a, y, a->out)) {
    flow_product(a, 1, -1, quotient, a->out);
  } else {
    IrValue *v = gather_product(a, y, a->g, a->out, &scale);
    add_to(a, 1, scale, divide(a, v, y));
  }
}

/* fmod(x, y) = x - trunc(x / y) * y */
static void vjp_mod(Adjoint *a) {
  flow(a, 0, 1, a->g);
  if (!wanted(a, 1)) return;
  IrValue *whole = divide(a, ir_binary(a->b, IR_SUB, a->in[0], a->out), a->in[1]);
  flow_product(a, 1, -1, a->g, whole);
}

/* x to a power known at compile time. */
static void known_power(Adjoint *a, double y) {
  IrValue *x = a->in[0];
  if (y == 0) return;
  if (y == 1) {
    flow(a, 0, 1, a->g);
  } else if (y == 2) {
    flow_product(a, 0, 2, a->g, x);
  } else if (y == 3) {
    flow_product(a, 0, 3, a->g, mul(a, x, x));
  } else if (y == -1) {
    flow_product(a, 0, -1, a->g, mul(a, a->out, a->out));
  } else if (y > 1) {
    flow_product(a, 0, y, a->g, ir_binary(a->b, IR_POW, x, ir_f64(a->b, y - 1)));
  } else {
    IrValue *v = divide(a, a->out, x);
    flow_product(a, 0, y, a->g, positive(a, 0) || y < 0 ? v : unless_zero(a, x, v));
  }
}

/* Where the base is 0, nothing flows, as in Stan: the limits would be infinite or NaN. */
static void vjp_pow(Adjoint *a) {
  IrValue *x = a->in[0], *y = a->in[1], *v;
  double exponent;
  if (known_scalar(y, &exponent)) {
    known_power(a, exponent);
    return;
  }
  if (wanted(a, 0)) {
    v = mul(a, divide(a, a->out, x), y);
    flow_product(a, 0, 1, a->g, positive(a, 0) ? v : unless_zero(a, x, v));
  }
  if (wanted(a, 1)) {
    v = mul(a, a->out, ir_unary(a->b, IR_LOG, x));
    flow_product(a, 1, 1, a->g, positive(a, 0) ? v : unless_zero(a, x, v));
  }
}

/* v where c holds (or, with `otherwise`, where it does not), else 0, to operand k. */
static void flow_where(Adjoint *a, int k, IrValue *c, IrValue *v, bool otherwise) {
  double scale = 1;
  if (!wanted(a, k)) return;
  IrValue *x = a->in[k], *zero = ir_f64(a->b, 0);
  bool before = any_repeated(a, x, c);
  if (!before) {
    v = gather_up(a, x, v, &scale);
    c = dropped(a, x, c);
  }
  v = otherwise ? ir_select(a->b, c, zero, v) : ir_select(a->b, c, v, zero);
  if (before) v = gather_up(a, x, v, &scale);
  add_to(a, k, scale, v);
}

/* At ties the operand that is differentiated has it, or the second, as with Stan's fmin and fmax.
 */
static void vjp_extremum(Adjoint *a, IrOp strict, IrOp weak) {
  bool both = wanted(a, 0) && wanted(a, 1);
  IrOp first = both || !wanted(a, 0) ? strict : weak;
  IrValue *c = ir_binary(a->b, first, a->in[0], a->in[1]);
  flow_where(a, 0, c, a->g, false);
  flow_where(a, 1, c, a->g, true);
}

static void vjp_min(Adjoint *a) { vjp_extremum(a, IR_LT, IR_LE); }
static void vjp_max(Adjoint *a) { vjp_extremum(a, IR_GT, IR_GE); }

static void vjp_select(Adjoint *a) {
  flow_where(a, 1, a->in[0], a->g, false);
  flow_where(a, 2, a->in[0], a->g, true);
}

static void vjp_broadcast(Adjoint *a) { flow(a, 0, 1, a->g); }

/* ---- reductions ---- */

static bool reduces(const IrNode *n, int axis) {
  for (int k = 0; k < n->attr.axis_count; k++)
    if (n->attr.axes[k] == axis) return true;
  return false;
}

/* v, which broadcasts to the result of a reduction, so that it broadcasts to the operand. */
static IrValue *expanded(Adjoint *a, IrValue *v) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0, at = v->type.rank;
  bool moved = false;
  for (int j = a->in[0]->type.rank - 1; j >= 0 && at > 0; j--) {
    bool gone = reduces(a->node, j);
    moved |= gone;
    if (!gone) at--;
    dims[rank++] = gone ? ir_i64(a->b, 1) : ir_dim(a->b, v, at);
  }
  for (int k = 0; k < rank / 2; k++) {
    IrValue *other = dims[k];
    dims[k] = dims[rank - 1 - k];
    dims[rank - 1 - k] = other;
  }
  return moved ? ir_reshape(a->b, v, dims, rank) : v;
}

static void vjp_reduce_sum(Adjoint *a) { add_to(a, 0, 1, expanded(a, a->g)); }

static IrValue *reduced(Adjoint *a, IrOp op, IrValue *x) {
  return expanded(a, ir_reduce(a->b, op, x, a->node->attr.axes, a->node->attr.axis_count));
}

/* The product of the others: the result over the element, but zeros are counted apart. */
static void vjp_reduce_prod(Adjoint *a) {
  IrBuilder *b = a->b;
  IrValue *x = a->in[0], *g = expanded(a, a->g);
  if (positive(a, 0)) {
    add_to(a, 0, 1, divide(a, mul(a, g, expanded(a, a->out)), x));
    return;
  }
  IrValue *zero = ir_f64(b, 0), *one = ir_f64(b, 1), *none = ir_i64(b, 0);
  IrValue *is_zero = ir_binary(b, IR_EQ, x, zero), *count = ir_cast(b, is_zero, IR_I64);
  IrValue *others = ir_binary(b, IR_SUB, reduced(a, IR_REDUCE_SUM, count), count);
  IrValue *safe = ir_select(b, is_zero, one, x);
  IrValue *product = mul(a, g, reduced(a, IR_REDUCE_PROD, safe));
  add_to(a, 0, 1, ir_select(b, ir_binary(b, IR_EQ, others, none), divide(a, product, safe), zero));
}

/* Numbers of the elements within a reduction, in row-major order over the reduced axes; they
 * broadcast to the operand. */
static IrValue *numbers(Adjoint *a, IrValue **count) {
  IrBuilder *b = a->b;
  IrValue *x = a->in[0], *number = NULL;
  *count = ir_i64(b, 1);
  for (int j = x->type.rank - 1; j >= 0; j--) {
    if (!reduces(a->node, j)) continue;
    IrValue *size = ir_dim(b, x, j), *dims[IR_MAX_RANK] = {size};
    int rank = 1;
    while (rank < x->type.rank - j) dims[rank++] = ir_i64(b, 1);
    IrValue *along = ir_binary(b, IR_MUL, ir_reshape(b, ir_iota(b, size), dims, rank), *count);
    number = number ? ir_binary(b, IR_ADD, number, along) : along;
    *count = ir_binary(b, IR_MUL, *count, size);
  }
  return number;
}

/* To the first of the extremal elements. */
static void vjp_reduce_extremum(Adjoint *a) {
  IrBuilder *b = a->b;
  IrValue *count, *number = numbers(a, &count), *zero = ir_f64(b, 0);
  if (!number) {
    add_to(a, 0, 1, a->g);
    return;
  }
  IrValue *hit = ir_binary(b, IR_EQ, a->in[0], expanded(a, a->out));
  IrValue *first = reduced(a, IR_REDUCE_MIN, ir_select(b, hit, number, count));
  add_to(a, 0, 1, ir_select(b, ir_binary(b, IR_EQ, number, first), expanded(a, a->g), zero));
}

/* ---- matrix products ---- */

static IrValue *transposed(Adjoint *a, IrValue *v) {
  int8_t p[IR_MAX_RANK];
  int rank = v->type.rank;
  if (v->type.dim[rank - 1] == 1 || v->type.dim[rank - 2] == 1) {
    IrValue *dims[IR_MAX_RANK];
    for (int k = 0; k < rank; k++) dims[k] = ir_dim(a->b, v, k);
    dims[rank - 1] = ir_dim(a->b, v, rank - 2);
    dims[rank - 2] = ir_dim(a->b, v, rank - 1);
    return ir_reshape(a->b, v, dims, rank);
  }
  for (int k = 0; k < rank; k++) p[k] = (int8_t)k;
  p[rank - 1] = (int8_t)(rank - 2);
  p[rank - 2] = (int8_t)(rank - 1);
  return ir_transpose(a->b, v, p);
}

/* A matrix product, or the product of its factors' elements where the inner size is 1. */
static IrValue *multiplied(Adjoint *a, IrValue *x, IrValue *y) {
  return x->type.dim[x->type.rank - 1] == 1 ? mul(a, x, y) : ir_matmul(a->b, x, y);
}

/* Sums over leading axes along which operand k was repeated. */
static void flow_matrix(Adjoint *a, int k, IrValue *v) {
  const IrType *x = &a->in[k]->type;
  int8_t axes[IR_MAX_RANK] = {0};
  int count = 0, more = v->type.rank - x->rank;
  bool units = false;
  for (int j = 0; j < v->type.rank - 2; j++) {
    bool missing = j < more || x->dim[j - more] == 1;
    if (!missing || (j >= more && v->type.dim[j] == 1)) continue;
    axes[count++] = (int8_t)j;
    units |= j >= more;
  }
  v = ir_reduce(a->b, IR_REDUCE_SUM, v, axes, count);
  if (units) {
    IrValue *dims[IR_MAX_RANK];
    for (int j = 0; j < x->rank; j++) dims[j] = ir_dim(a->b, a->in[k], j);
    v = ir_reshape(a->b, v, dims, x->rank);
  }
  add_to(a, k, 1, v);
}

/* With one column, x' g is had as (g' x)', which transposes but vectors; with one row likewise. */
static void vjp_matmul(Adjoint *a) {
  IrValue *x = a->in[0], *y = a->in[1], *g = full_like(a->b, a->g, a->out);
  bool row = g->type.dim[g->type.rank - 2] == 1, column = g->type.dim[g->type.rank - 1] == 1;
  if (wanted(a, 0))
    flow_matrix(a, 0,
                row ? transposed(a, multiplied(a, y, transposed(a, g)))
                    : multiplied(a, g, transposed(a, y)));
  if (wanted(a, 1))
    flow_matrix(a, 1,
                column ? transposed(a, multiplied(a, transposed(a, g), x))
                       : multiplied(a, transposed(a, x), g));
}

/* ---- movement of elements ---- */

/* Whether all elements of g are the same, so that it makes no difference where they go. */
static bool is_uniform(const IrValue *g) {
  for (int k = 0; k < g->type.rank; k++)
    if (g->type.dim[k] != 1) return false;
  return true;
}

static IrValue *as_scalar(Adjoint *a, IrValue *g) {
  return g->type.rank ? ir_reshape(a->b, g, NULL, 0) : g;
}

/* g with all axes of the result, those that it does not have being 1. */
static IrValue *with_all_axes(Adjoint *a, IrValue *g) {
  IrValue *dims[IR_MAX_RANK];
  int rank = a->out->type.rank, more = rank - g->type.rank;
  for (int k = 0; k < rank; k++) dims[k] = k < more ? ir_i64(a->b, 1) : ir_dim(a->b, g, k - more);
  return more ? ir_reshape(a->b, g, dims, rank) : g;
}

static void vjp_reshape(Adjoint *a) {
  IrValue *x = a->in[0], *dims[IR_MAX_RANK];
  if (is_uniform(a->g)) {
    add_to(a, 0, 1, as_scalar(a, a->g));
    return;
  }
  for (int k = 0; k < x->type.rank; k++) dims[k] = ir_dim(a->b, x, k);
  add_to(a, 0, 1, ir_reshape(a->b, full_like(a->b, a->g, a->out), dims, x->type.rank));
}

static void vjp_transpose(Adjoint *a) {
  int8_t inverse[IR_MAX_RANK];
  if (is_uniform(a->g)) {
    add_to(a, 0, 1, as_scalar(a, a->g));
    return;
  }
  for (int k = 0; k < a->node->attr.axis_count; k++) inverse[a->node->attr.axes[k]] = (int8_t)k;
  add_to(a, 0, 1, ir_transpose(a->b, with_all_axes(a, a->g), inverse));
}

static void vjp_reverse(Adjoint *a) {
  int axis = a->node->attr.axis;
  if (!extends(a, a->g, axis)) {
    add_to(a, 0, 1, a->g);
    return;
  }
  IrAttr attr = {.axis = axis_in(a, a->g, axis)};
  add_to(a, 0, 1, ir_emit(a->b, IR_REVERSE, attr, &a->g, 1));
}

static void vjp_cumsum(Adjoint *a) {
  IrValue *g = full_like(a->b, a->g, a->out);
  IrAttr attr = a->node->attr;
  attr.reverse = !attr.reverse;
  add_to(a, 0, 1, ir_emit(a->b, IR_CUMSUM, attr, &g, 1));
}

static void vjp_concat(Adjoint *a) {
  int axis = a->node->attr.axis;
  bool everywhere = !extends(a, a->g, axis);
  IrValue *start = ir_i64(a->b, 0);
  for (int k = 0; k < a->node->in_count; k++) {
    IrValue *length = ir_dim(a->b, a->in[k], axis), *part = a->g;
    if (wanted(a, k)) {
      if (!everywhere) part = ir_slice(a->b, part, axis_in(a, a->g, axis), start, length);
      add_to(a, k, 1, part);
    }
    if (!everywhere) start = ir_binary(a->b, IR_ADD, start, length);
  }
}

/* ---- parts of tensors ---- */

static void add_slice(Adjoint *a, IrValue *v, int axis, IrValue *start, IrValue *length) {
  reverse_add(a->r, a->node->in[0],
              (Contribution){.kind = PART_SLICE,
                             .scale = a->scale,
                             .value = v,
                             .at = start,
                             .length = length,
                             .axis = axis});
}

static void vjp_slice(Adjoint *a) { add_slice(a, a->g, a->node->attr.axis, a->in[1], a->in[2]); }

/* Whether indices of rank 1 are start, start + 1, ... */
static bool contiguous(Adjoint *a, const IrValue *index, IrValue **start) {
  const IrNode *n = index->node;
  if (index->type.rank != 1) return false;
  if (index->constant) {
    const int64_t *at = index->constant->data.i64;
    for (int64_t k = 1; k < index->constant->count; k++)
      if (at[k] - k != at[0]) return false;
    *start = ir_i64(a->b, index->constant->count ? at[0] : 0);
    return true;
  }
  if (n && n->op == IR_IOTA) {
    *start = ir_i64(a->b, 0);
    return true;
  }
  if (!n || n->op != IR_ADD) return false;
  for (int k = 0; k < 2; k++) {
    const IrNode *iota = n->in[k]->node;
    if (!iota || iota->op != IR_IOTA || n->in[1 - k]->type.rank) continue;
    *start = n->in[1 - k];
    return true;
  }
  return false;
}

static void vjp_gather(Adjoint *a) {
  IrValue *index = a->in[1], *start;
  int axis = a->node->attr.axis, batch = a->node->attr.batch;
  if (batch == 0 && index->type.rank == 0 && index->constant) {
    IrValue *row = a->g;
    int behind = a->out->type.rank - axis;
    if (row->type.rank > behind) row = ir_unsqueeze(a->b, row, row->type.rank - behind);
    add_slice(a, row, axis, index, ir_i64(a->b, 1));
  } else if (batch == 0 && contiguous(a, index, &start)) {
    add_slice(a, a->g, axis, start, ir_dim(a->b, index, 0));
  } else {
    reverse_add(a->r, a->node->in[0],
                (Contribution){.kind = PART_SCATTER,
                               .scale = a->scale,
                               .value = full_like(a->b, a->g, a->out),
                               .at = index,
                               .axis = axis,
                               .batch = batch});
  }
}

static IrValue *gathered(Adjoint *a) {
  if (is_uniform(a->g)) return as_scalar(a, a->g);
  IrValue *g = full_like(a->b, a->g, a->out);
  return ir_gather(a->b, g, a->in[1], a->node->attr.axis, a->node->attr.batch);
}

static void vjp_scatter_add(Adjoint *a) {
  if (wanted(a, 0)) add_to(a, 0, 1, a->g);
  if (wanted(a, 2)) add_to(a, 2, 1, gathered(a));
}

/* Whether no two of the indices along one batch are the same, as far as that is evident. */
static bool distinct(Adjoint *a, IrValue *index) {
  IrValue *start;
  int own = index->type.rank - a->node->attr.batch;
  if (own == 0 || (own == 1 && index->type.dim[index->type.rank - 1] == 1)) return true;
  return contiguous(a, index, &start);
}

/* Whether each update is the last that is written to its place: a bool shaped like the index. */
static IrValue *survives(Adjoint *a) {
  IrBuilder *b = a->b;
  IrValue *x = a->in[0], *index = a->in[1], *dims[IR_MAX_RANK], *count = ir_i64(b, 1);
  int batch = a->node->attr.batch, own = index->type.rank - batch;
  for (int k = 0; k < batch; k++) dims[k] = ir_dim(b, x, k);
  dims[batch] = ir_dim(b, x, a->node->attr.axis);
  IrValue *writer = ir_broadcast(b, ir_i64(b, 0), dims, batch + 1);
  for (int k = 0; k < own; k++) {
    dims[k] = ir_dim(b, index, batch + k);
    count = ir_binary(b, IR_MUL, count, dims[k]);
  }
  IrValue *number = full_like(b, ir_reshape(b, ir_iota(b, count), dims, own), index);
  writer = ir_scatter(b, IR_SCATTER_SET, writer, index, number, batch, batch);
  return ir_binary(b, IR_EQ, ir_gather(b, writer, index, batch, batch), number);
}

/* A bool shaped like the index, with the axes of an update: x[:axis] + index[batch:] + x[axis+1:].
 */
static IrValue *like_updates(Adjoint *a, IrValue *c) {
  IrBuilder *b = a->b;
  int axis = a->node->attr.axis, batch = a->node->attr.batch, rank = 0;
  IrValue *dims[IR_MAX_RANK];
  for (int k = 0; k < batch; k++) dims[rank++] = ir_dim(b, c, k);
  for (int k = batch; k < axis; k++) dims[rank++] = ir_i64(b, 1);
  for (int k = batch; k < c->type.rank; k++) dims[rank++] = ir_dim(b, c, k);
  while (rank < a->in[2]->type.rank) dims[rank++] = ir_i64(b, 1);
  return ir_reshape(b, c, dims, rank);
}

static void vjp_scatter_set(Adjoint *a) {
  IrBuilder *b = a->b;
  IrValue *zero = ir_f64(b, 0);
  if (wanted(a, 0)) {
    IrValue *g = full_like(b, a->g, a->out);
    add_to(a, 0, 1,
           ir_scatter(b, IR_SCATTER_SET, g, a->in[1], zeros_like(b, a->in[2]), a->node->attr.axis,
                      a->node->attr.batch));
  }
  if (!wanted(a, 2)) return;
  IrValue *v = gathered(a);
  if (!distinct(a, a->in[1])) v = ir_select(b, like_updates(a, survives(a)), v, zero);
  add_to(a, 2, 1, v);
}

/* ---- the table ---- */

#define vjp_none   NULL
#define vjp_region NULL

Vjp *const ir_vjp_rules[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = vjp_##vjp,
#include "ir/ops.def"
#undef OP
};

bool ir_op_differentiable(IrOp op) { return ir_vjp_rules[op] != NULL; }
