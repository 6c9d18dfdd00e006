/* Identities of slices, gathers, scatters and concatenations. */
#include "ir/algebra.h"

#include <string.h>

/* ---- slices ---- */

static IrValue *slice(IrBuilder *b, IrValue *x, int axis, int64_t start, int64_t length) {
  return ir_slice(b, x, axis, ir_i64(b, start), ir_i64(b, length));
}

/* The parts [start, start + length) of a concatenation, or NULL where their sizes are not known. */
static IrValue *slice_concat(const Application *p, const IrNode *n, int64_t start, int64_t length) {
  IrBuilder *b = p->b;
  int axis = p->attr->axis, count = 0;
  IrValue **parts = ARENA_ARRAY(b->module->arena, IrValue *, (size_t)n->in_count);
  int64_t at = 0, end = start + length;
  for (int k = 0; k < n->in_count && at < end; k++) {
    int64_t size = n->in[k]->type.dim[axis];
    if (size == IR_DYNAMIC) return NULL;
    int64_t from = start > at ? start - at : 0, to = end < at + size ? end - at : size;
    if (from < to) parts[count++] = slice(b, n->in[k], axis, from, to - from);
    at += size;
  }
  return at < end || count == 0 ? NULL : ir_concat(b, parts, count, axis);
}

/* A slice of a broadcast is a broadcast of the slice; along an axis that x has not, just of x. */
static IrValue *slice_broadcast(const Application *p, const IrNode *n) {
  IrBuilder *b = p->b;
  IrValue *x = n->in[0], *sizes[IR_MAX_RANK];
  int rank = p->type->rank, axis = p->attr->axis - (rank - x->type.rank);
  for (int k = 0; k < rank; k++) sizes[k] = k == p->attr->axis ? p->in[2] : n->in[1 + k];
  if (axis >= 0 && x->type.dim[axis] != 1) x = ir_slice(b, x, axis, p->in[1], p->in[2]);
  return ir_broadcast(b, x, sizes, rank);
}

RULE(slice) {
  IrValue *x = p->in[0];
  const IrNode *n;
  int axis = p->attr->axis;
  int64_t start, length, inner, available = x->type.dim[axis];
  bool known = is_known_size(p->in[1], &start) && is_known_size(p->in[2], &length);
  if (is_known_size(p->in[1], &start) && start == 0 && is_extent(p->in[2], x, axis)) return x;
  bool inside = known && start >= 0 && length >= 0 && available != IR_DYNAMIC &&
                length <= available && start <= available - length;
  if (!inside) return NULL; /* an error, perhaps, that is left for run time */
  if ((n = made_by(x, IR_BROADCAST))) return slice_broadcast(p, n);
  if ((n = made_by(x, IR_SLICE)) && n->attr.axis == axis && is_known_size(n->in[1], &inner))
    return slice(p->b, n->in[0], axis, inner + start, length);
  if ((n = made_by(x, IR_CONCAT)) && n->attr.axis == axis) return slice_concat(p, n, start, length);
  return NULL;
}

/* ---- indices ---- */

/* Whether an index, row by row, is start, start + 1, ... in order; its length. */
static bool counts_up(const IrValue *index, int64_t *start, int64_t *length) {
  const IrTensor *t = index->constant;
  if (!t || t->type.dtype != IR_I64 || t->count == 0 || t->data.i64[0] < 0) return false;
  *start = t->data.i64[0];
  *length = t->count;
  for (int64_t k = 1; k < t->count; k++)
    if (t->data.i64[k] != *start + k) return false;
  return true;
}

/* The same for an index of rank 0 or 1. */
static bool is_run(const IrValue *index, int64_t *start, int64_t *length) {
  return index->type.rank <= 1 && counts_up(index, start, length);
}

/* Whether no element is indexed twice, because each index addresses one only. */
static bool is_single(const IrValue *index, const IrAttr *attr) {
  for (int k = attr->batch; k < index->type.rank; k++)
    if (index->type.dim[k] != 1) return false;
  return true;
}

/* Whether the index is 0, 1, 2, ... for all of x's axis. */
static bool is_whole(const Application *p) {
  const IrNode *n = made_by(p->in[1], IR_IOTA);
  return n && p->attr->batch == 0 && is_extent(n->in[0], p->in[0], p->attr->axis);
}

static bool within(int64_t start, int64_t length, int64_t size) {
  return size != IR_DYNAMIC && length <= size && start <= size - length;
}

/* ---- gathers ---- */

/* A slice; where the index has more axes than one, reshaped to them. */
static IrValue *gather_run(const Application *p) {
  IrValue *x = p->in[0], *index = p->in[1], *sizes[IR_MAX_RANK];
  int axis = p->attr->axis, count = 0;
  int64_t start, length;
  if (p->attr->batch || index->type.rank < 1 || !counts_up(index, &start, &length) ||
      !within(start, length, x->type.dim[axis]))
    return NULL;
  IrValue *v = slice(p->b, x, axis, start, length);
  if (index->type.rank == 1) return v;
  for (int k = 0; k < axis; k++) sizes[count++] = ir_dim(p->b, x, k);
  for (int k = 0; k < index->type.rank; k++) sizes[count++] = ir_dim(p->b, index, k);
  for (int k = axis + 1; k < x->type.rank; k++) sizes[count++] = ir_dim(p->b, x, k);
  return ir_reshape(p->b, v, sizes, count);
}

/* Of what was gathered by known indices: by those of them that are wanted. */
static IrValue *gather_gather(const Application *p, const IrNode *n) {
  const IrAttr *attr = &n->attr;
  bool plain = attr->batch == 0 && p->attr->batch == 0 && n->in[1]->type.rank == 1 &&
               p->attr->axis == attr->axis;
  if (!plain || !n->in[1]->constant || !p->in[1]->constant) return NULL;
  IrValue *index = ir_gather(p->b, n->in[1], p->in[1], 0, 0);
  return index->constant ? ir_gather(p->b, n->in[0], index, attr->axis, 0) : NULL;
}

/* Where the only part of a concatenation that is wanted is known. */
static IrValue *gather_concat(const Application *p, const IrNode *n) {
  const IrTensor *t = p->in[1]->constant;
  int axis = p->attr->axis;
  if (!t || t->count == 0 || p->attr->batch || n->attr.axis != axis) return NULL;
  int64_t low = t->data.i64[0], high = low, at = 0;
  for (int64_t k = 1; k < t->count; k++) {
    if (t->data.i64[k] < low) low = t->data.i64[k];
    if (t->data.i64[k] > high) high = t->data.i64[k];
  }
  for (int k = 0; k < n->in_count; k++) {
    int64_t size = n->in[k]->type.dim[axis];
    if (size == IR_DYNAMIC) return NULL;
    if (low >= at && high < at + size)
      return ir_gather(p->b, n->in[k], ir_binary(p->b, IR_SUB, p->in[1], ir_i64(p->b, at)), axis,
                       0);
    at += size;
  }
  return NULL;
}

typedef enum { APART, SAME_ONCE, MIXED } Relation;

/* Whether known indices of an axis have no place in common, or are the same with no place twice. */
static Relation relation(Arena *a, const IrTensor *x, const IrTensor *y, int64_t size) {
  bool *seen = ARENA_ARRAY(a, bool, (size_t)size), same = x->count == y->count, once = true;
  for (int64_t k = 0; k < x->count; k++) {
    int64_t at = x->data.i64[k];
    if (at < 0 || at >= size) return MIXED;
    once &= !seen[at];
    seen[at] = true;
    same &= k < y->count && y->data.i64[k] == at;
  }
  if (same && once) return SAME_ONCE;
  for (int64_t k = 0; k < y->count; k++) {
    int64_t at = y->data.i64[k];
    if (at < 0 || at >= size || seen[at]) return MIXED;
  }
  return APART;
}

/* What was just written, or, at other known places, what was there before. */
static IrValue *gather_scatter(const Application *p, const IrNode *n) {
  const IrAttr *attr = &n->attr;
  IrValue *wanted = p->in[1], *written = n->in[1];
  int64_t size = n->in[0]->type.dim[attr->axis];
  if (attr->axis != p->attr->axis || attr->batch != p->attr->batch) return NULL;
  if (wanted == written && n->op == IR_SCATTER_SET && is_single(wanted, attr)) return n->in[2];
  if (attr->batch || size == IR_DYNAMIC || !wanted->constant || !written->constant ||
      wanted->type.rank != written->type.rank)
    return NULL;
  switch (relation(p->b->module->arena, wanted->constant, written->constant, size)) {
  case APART: return ir_gather(p->b, n->in[0], wanted, attr->axis, 0);
  case SAME_ONCE: return n->op == IR_SCATTER_SET ? n->in[2] : NULL;
  default: return NULL;
  }
}

/* An element of each of what is repeated. */
static IrValue *gather_broadcast(const Application *p, const IrNode *n) {
  IrBuilder *b = p->b;
  IrValue *x = n->in[0], *index = p->in[1], *sizes[IR_MAX_RANK];
  int rank = n->out[0]->type.rank, more = rank - x->type.rank, axis = p->attr->axis, count = 0;
  if (p->attr->batch) return NULL;
  for (int k = 0; k < axis; k++) sizes[count++] = n->in[1 + k];
  for (int k = 0; k < index->type.rank; k++) sizes[count++] = ir_dim(b, index, k);
  for (int k = axis + 1; k < rank; k++) sizes[count++] = n->in[1 + k];
  if (axis >= more && x->type.dim[axis - more] != 1)
    return ir_broadcast(b, ir_gather(b, x, index, axis - more, 0), sizes, count);
  /* The axis is one of repetition: whatever the index, it finds the same, if it is in range. */
  if (!index->constant || n->out[0]->type.dim[axis] == IR_DYNAMIC) return NULL;
  for (int64_t k = 0; k < index->constant->count; k++) {
    int64_t i = index->constant->data.i64[k];
    if (i < 0 || i >= n->out[0]->type.dim[axis]) return NULL;
  }
  if (axis >= more) { /* x has it, with size 1 */
    int source[IR_MAX_RANK], at = 0;
    for (int k = more; k < axis; k++) source[at++] = k - more;
    for (int k = 0; k < index->type.rank; k++) source[at++] = -1;
    for (int k = axis + 1; k < rank; k++) source[at++] = k - more;
    x = realigned(b, x, at, source);
  }
  return ir_broadcast(b, x, sizes, count);
}

/* ---- of exchanged axes ---- */

/* What v is with its first two axes exchanged, where that takes no copy; else NULL. */
static IrValue *with_exchanged_axes(IrBuilder *b, IrValue *v) {
  IrValue *sizes[IR_MAX_RANK];
  int rank = v->type.rank;
  const IrNode *n = made_by(v, IR_TRANSPOSE);
  if (n && n->attr.axes[0] == 1 && n->attr.axes[1] == 0) {
    for (int k = 2; k < rank; k++)
      if (n->attr.axes[k] != k) return NULL;
    return n->in[0];
  }
  if (rank < 2 || (v->type.dim[0] != 1 && v->type.dim[1] != 1)) return NULL;
  for (int k = 0; k < rank; k++) sizes[k] = ir_dim(b, v, k < 2 ? 1 - k : k);
  return ir_reshape(b, v, sizes, rank);
}

static IrValue *exchange_axes(IrBuilder *b, IrValue *v) {
  int8_t axes[IR_MAX_RANK] = {1, 0};
  for (int k = 2; k < v->type.rank; k++) axes[k] = (int8_t)k;
  return ir_transpose(b, v, axes);
}

/* Concatenated first, then transposed: the other transpose may meet one that it undoes. */
static IrValue *concat_exchanged(const Application *p) {
  IrValue **parts = ARENA_ARRAY(p->b->module->arena, IrValue *, (size_t)p->count);
  int transposes = 0;
  if (p->attr->axis > 1) return NULL;
  for (int k = 0; k < p->count; k++) transposes += made_by(p->in[k], IR_TRANSPOSE) != NULL;
  if (!transposes) return NULL;
  for (int k = 0; k < p->count; k++)
    if (!(parts[k] = with_exchanged_axes(p->b, p->in[k]))) return NULL;
  return exchange_axes(p->b, ir_concat(p->b, parts, p->count, 1 - p->attr->axis));
}

/* x[k][index[k]] for all k, of x = y': rows of y, all of them in one axis. */
static IrValue *gather_exchanged(const Application *p, const IrNode *n) {
  IrBuilder *b = p->b;
  IrValue *index = p->in[1], *sizes[IR_MAX_RANK], *y;
  int rank = p->in[0]->type.rank;
  if (p->attr->batch != 1 || p->attr->axis != 1 || n->attr.axes[0] != 1 ||
      !(y = with_exchanged_axes(b, p->in[0])))
    return NULL;
  IrValue *columns = ir_dim(b, y, 1), *one = ir_i64(b, 1);
  for (int k = 2; k < rank; k++) sizes[k - 1] = ir_dim(b, y, k);
  sizes[0] = ir_binary(b, IR_MUL, ir_dim(b, y, 0), columns);
  IrValue *rows = ir_reshape(b, y, sizes, rank - 1);
  for (int k = 1; k < index->type.rank; k++) sizes[k] = one;
  sizes[0] = columns;
  IrValue *column = ir_reshape(b, ir_iota(b, columns), sizes, index->type.rank);
  index = ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, index, columns), column);
  return ir_gather(b, rows, index, 0, 0);
}

static bool is_identity(const IrValue *index, int64_t size) {
  int64_t start, length;
  return size > 0 && index->type.rank == 1 && index->type.dim[0] == size &&
         is_run(index, &start, &length) && start == 0;
}

RULE(gather) {
  IrValue *x = p->in[0], *index = p->in[1];
  const IrNode *n;
  double c;
  if (p->attr->batch == 0 && x->type.rank == 1 && is_identity(x, x->type.dim[0]) &&
      !index->constant)
    return index; /* 0, 1, 2, ... at i is i */
  if ((n = made_by(x, IR_IOTA)) && p->attr->batch == 0) return index;
  if (is_whole(p)) return x;
  IrValue *v = gather_run(p);
  if (!v && (n = made_by(x, IR_GATHER))) v = gather_gather(p, n);
  if (!v && (n = made_by(x, IR_CONCAT))) v = gather_concat(p, n);
  if (!v && (n = made_by(x, IR_BROADCAST))) v = gather_broadcast(p, n);
  if (!v && (n = made_by(x, IR_TRANSPOSE))) v = gather_exchanged(p, n);
  if (!v && ((n = made_by(x, IR_SCATTER_SET)) || (n = made_by(x, IR_SCATTER_ADD))))
    v = gather_scatter(p, n);
  if (!v && x->constant && is_splat(x, &c) && x->type.rank > 0 && !index->constant) {
    IrValue *sizes[IR_MAX_RANK];
    if (p->attr->batch) return NULL;
    int count = 0;
    for (int k = 0; k < p->attr->axis; k++) sizes[count++] = ir_dim(p->b, x, k);
    for (int k = 0; k < index->type.rank; k++) sizes[count++] = ir_dim(p->b, index, k);
    for (int k = p->attr->axis + 1; k < x->type.rank; k++) sizes[count++] = ir_dim(p->b, x, k);
    v = ir_broadcast(p->b, scalar_like(p, c), sizes, count);
  }
  return v;
}

/* ---- scatters ---- */

/* Writing a run of elements is putting them between those before and those behind. */
static IrValue *scatter_run(const Application *p) {
  enum { MOST_PARTS = 64 }; /* every write copies the list of parts */
  IrBuilder *b = p->b;
  IrValue *x = p->in[0], *updates = p->in[2], *parts[3];
  int axis = p->attr->axis, count = 0;
  int64_t start, length, size = x->type.dim[axis];
  if (p->attr->batch || !is_run(p->in[1], &start, &length) || !within(start, length, size))
    return NULL;
  const IrNode *n = made_by(x, IR_CONCAT);
  if (p->op == IR_SCATTER_ADD && !is_splat_of(x, 0)) return NULL;
  if (n && n->in_count > MOST_PARTS) return NULL;
  if (p->in[1]->type.rank == 0) updates = ir_unsqueeze(b, updates, axis);
  if (start > 0) parts[count++] = slice(b, x, axis, 0, start);
  parts[count++] = updates;
  if (start + length < size)
    parts[count++] = slice(b, x, axis, start + length, size - start - length);
  return ir_concat(b, parts, count, axis);
}

RULE(scatter) {
  if (p->op == IR_SCATTER_ADD && is_splat_of(p->in[2], 0)) return p->in[0];
  for (int k = 0; k < p->in[1]->type.rank; k++)
    if (p->in[1]->type.dim[k] == 0) return p->in[0];
  if (is_whole(p) && p->op == IR_SCATTER_SET) return p->in[2];
  return scatter_run(p);
}

/* ---- concatenations ---- */

/* Whether y continues the slice x of the same value; then their union. */
static IrValue *joined_slices(IrBuilder *b, IrValue *x, IrValue *y, int axis) {
  const IrNode *n = made_by(x, IR_SLICE), *m = made_by(y, IR_SLICE);
  int64_t s, l, t, k;
  if (!n || !m || n->in[0] != m->in[0] || n->attr.axis != axis || m->attr.axis != axis) return NULL;
  if (!is_known_size(n->in[1], &s) || !is_known_size(n->in[2], &l) ||
      !is_known_size(m->in[1], &t) || !is_known_size(m->in[2], &k) || s + l != t)
    return NULL;
  return slice(b, n->in[0], axis, s, l + k);
}

/* Two repetitions of the same number. */
static IrValue *joined_splats(IrBuilder *b, IrValue *x, IrValue *y, int axis) {
  double c, d;
  IrValue *sizes[IR_MAX_RANK];
  if (x->type.dtype != IR_F64 || !is_splat(x, &c) || !is_splat(y, &d) || c != d) return NULL;
  for (int k = 0; k < x->type.rank; k++) {
    int64_t n = x->type.dim[k], m = y->type.dim[k];
    if (n == IR_DYNAMIC || m == IR_DYNAMIC) return NULL;
    sizes[k] = ir_i64(b, k == axis ? n + m : n);
  }
  return ir_broadcast(b, ir_f64(b, c), sizes, x->type.rank);
}

static IrValue *joined(IrBuilder *b, IrValue *x, IrValue *y, int axis) {
  enum { SMALL = 1 << 16 };
  IrValue *v = joined_slices(b, x, y, axis);
  if (!v) v = joined_splats(b, x, y, axis);
  if (!v && x->constant && y->constant && x->constant->count + y->constant->count <= SMALL) {
    v = ir_concat(b, (IrValue *[]){x, y}, 2, axis);
    if (!v->constant) v = NULL;
  }
  return v;
}

typedef struct {
  IrValue **items;
  int count, capacity;
  bool changed;
} Parts;

/* Parts of parts are parts, but for those that something else wants put together as well. */
static void add_part(IrBuilder *b, Parts *parts, IrValue *v, int axis) {
  const IrNode *n = made_by(v, IR_CONCAT);
  if (n && n->attr.axis == axis && !(b->counts_uses && v->uses > 1)) {
    for (int k = 0; k < n->in_count; k++) add_part(b, parts, n->in[k], axis);
    v->uses -= v->uses > 0;
    parts->changed = true;
    return;
  }
  if (v->type.dim[axis] == 0) {
    parts->changed = true;
    return;
  }
  ARENA_PUSH(b->module->arena, parts->items, parts->count, parts->capacity, v);
}

static void join_neighbours(IrBuilder *b, Parts *parts, int axis) {
  int kept = 0;
  for (int k = 0; k < parts->count; k++) {
    IrValue *v = kept ? joined(b, parts->items[kept - 1], parts->items[k], axis) : NULL;
    if (v) {
      parts->items[kept - 1] = v;
      parts->changed = true;
    } else {
      parts->items[kept++] = parts->items[k];
    }
  }
  parts->count = kept;
}

/* Parts that are put together already, side by side, become one. */
static void find_together(const Application *p, Parts *parts) {
  enum { MOST_PARTS = 32 };
  IrBuilder *b = p->b;
  if (!b->counts_uses || parts->count > MOST_PARTS) return;
  for (int length = parts->count - 1; length > 1; length--)
    for (int k = 0; k + length <= parts->count; k++) {
      IrNode *n = builder_find(b, IR_CONCAT, p->attr, NULL, parts->items + k, length);
      if (!n || n->out[0]->uses == 0) continue;
      n->out[0]->uses += 2; /* besides those that it has */
      parts->items[k] = n->out[0];
      memmove(parts->items + k + 1, parts->items + k + length,
              sizeof *parts->items * (size_t)(parts->count - k - length));
      parts->count -= length - 1;
      parts->changed = true;
      return;
    }
}

RULE(concat) {
  Parts parts = {0};
  int axis = p->attr->axis;
  if (p->count == 1) return p->in[0];
  bool known = true;
  for (int k = 0; k < p->count; k++) known &= p->in[k]->constant != NULL;
  if (known) return NULL;
  for (int k = 0; k < p->count; k++) add_part(p->b, &parts, p->in[k], axis);
  join_neighbours(p->b, &parts, axis);
  find_together(p, &parts);
  if (!parts.changed) return concat_exchanged(p);
  return parts.count ? ir_concat(p->b, parts.items, parts.count, axis) : p->in[0];
}

RULE(nonzero) {
  double c;
  IrValue *mask = p->in[0];
  if (!is_splat(mask, &c) || mask->type.dim[0] == IR_DYNAMIC) return NULL;
  return ir_iota(p->b, ir_i64(p->b, c != 0 ? mask->type.dim[0] : 0));
}
