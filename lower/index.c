/* Reading and writing elements. Several single indices in a row become one position in the
 * flattened axes, so that x[i, j] in a nest of loops is one gather, and with known indices no work
 * at all. */
#include "lower/trace.h"

static bool in_range(Tracer *t, Tr index, Tr extent, bool *known) {
  Tr low = tr_binary(t, IR_GE, index, tr_int(t, 0)), high = tr_binary(t, IR_LT, index, extent);
  Tr both = tr_reduce_all(t, IR_REDUCE_ALL, tr_binary(t, IR_AND, low, high));
  const IrTensor *c = both.value->constant;
  *known = c != NULL;
  if (!c) return false;
  for (int64_t k = 0; k < c->count; k++)
    if (!c->data.boolean[k]) return false;
  return true;
}

/* An index (from 0) that is out of range throws where it is used, and is harmless where it is
 * masked out. Indices that neither the data at hand nor the parameters decide are left to the
 * runtime's own check. */
static Tr checked(Tracer *t, Tr index, Tr extent) {
  bool known;
  if (in_range(t, index, extent, &known)) return index;
  if (t->target) return index; /* the library's own, which is never out of range */
  if (!known && !index.varying && !t->mask.value) return index;
  Tr low = tr_binary(t, IR_LT, index, tr_int(t, 0)), high = tr_binary(t, IR_GE, index, extent);
  trace_throw(t, tr_binary(t, IR_OR, low, high));
  Tr last = tr_binary(t, IR_SUB, extent, tr_int(t, 1));
  return tr_binary(t, IR_MAX, tr_binary(t, IR_MIN, index, last), tr_int(t, 0));
}

/* v = base + *shift, as far as constants are added to or taken from it. */
static const IrValue *without_shift(const IrValue *v, int64_t *shift) {
  *shift = 0;
  while (v->node && (v->node->op == IR_ADD || v->node->op == IR_SUB)) {
    const IrTensor *c = v->node->in[1]->constant;
    if (!c || c->count < 1 || !ir_tensor_uniform(c)) break;
    *shift += v->node->op == IR_ADD ? c->data.i64[0] : -c->data.i64[0];
    v = v->node->in[0];
  }
  return v;
}

/* last - first + 1 of a range: where it is the same for all iterations of a level, one number. */
static Tr range_length(Tracer *t, Tr first, Tr last) {
  int64_t a, b;
  if (first.level && without_shift(first.value, &a) == without_shift(last.value, &b))
    return tr_int(t, b - a + 1 > 0 ? b - a + 1 : 0);
  Tr length = tr_binary(t, IR_SUB, tr_binary(t, IR_ADD, last, tr_int(t, 1)), first);
  length = tr_binary(t, IR_MAX, length, tr_int(t, 0)); /* a range that runs backwards is empty */
  const IrTensor *c = length.value->constant;
  bool uniform = length.level && c && ir_tensor_uniform(c);
  return uniform ? tr_int(t, c->data.i64[0]) : length;
}

TracedIndex *trace_indices(Tracer *t, const Index *indices, int count, Tr base) {
  TracedIndex *out = ARENA_ARRAY(t->arena, TracedIndex, (size_t)count);
  Tr one = tr_int(t, 1);
  for (int k = 0; k < count; k++) {
    const Index *i = &indices[k];
    Tr extent = tr_dim_value(t, base, k);
    TracedIndex *o = &out[k];
    o->kind = i->kind;
    if (i->kind == INDEX_ALL) continue;
    Tr a = i->a ? trace_int(t, i->a) : one;
    if (i->kind == INDEX_SINGLE) {
      o->multi = i->a->type->array_dims > 0;
      o->value = checked(t, tr_binary(t, IR_SUB, a, one), extent);
      continue;
    }
    o->kind = INDEX_RANGE;
    Tr b = i->b ? trace_int(t, i->b) : extent;
    o->length = range_length(t, a, b);
    Tr empty = tr_binary(t, IR_EQ, o->length, tr_int(t, 0)), start = tr_binary(t, IR_SUB, a, one);
    Tr bad = tr_binary(t, IR_OR, tr_binary(t, IR_LT, start, tr_int(t, 0)),
                       tr_binary(t, IR_GT, b, extent));
    bad = tr_binary(t, IR_AND, bad, tr_not(t, empty));
    bool known;
    if (tr_known_bool(bad, &known) && known) {
      trace_throw(t, bad);
      o->length = tr_int(t, 0);
    }
    o->value = tr_select(t, empty, tr_int(t, 0), start);
    if (tr_known_bool(bad, &known) && known) o->value = tr_int(t, 0);
  }
  return out;
}

/* Axes [0, merged) of x flattened into one. */
static Tr flatten(Tracer *t, Tr x, int merged) {
  if (merged == 1) return x;
  Tr dims[IR_MAX_RANK];
  int rank = tr_rank(x), n = 1;
  dims[0] = tr_dim_value(t, x, 0);
  for (int k = 1; k < merged; k++) dims[0] = tr_binary(t, IR_MUL, dims[0], tr_dim_value(t, x, k));
  for (int k = merged; k < rank; k++) dims[n++] = tr_dim_value(t, x, k);
  return tr_reshape(t, x, n, dims);
}

/* Where x is of a level above the index, the loops in between become axes of the index, so that x
 * is not copied for each of their iterations. */
static Tr gather_first(Tracer *t, Tr x, Tr index) {
  int axes = 0;
  if (level_deeper(x.level, index.level) == x.level) return tr_gather(t, x, index, 0);
  Tr sunk = tr_leave(t, index, index.level, x.level, &axes);
  if (!sunk.value) return tr_gather(t, x, index, 0);
  Tr r = tr_gather(t, x, sunk, 0);
  Level *level = index.level;
  if (!x.level) return (Tr){r.value, level, r.varying};
  if (!r.level)
    for (int k = 0; k < x.level->depth; k++) r.value = ir_unsqueeze(t->b, r.value, 0);
  return (Tr){r.value, level, r.varying};
}

static Tr index_tensor(Tracer *t, Tr x, const TracedIndex *indices, int count) {
  int axis = 0;
  for (int k = 0; k < count;) {
    const TracedIndex *i = &indices[k];
    if (i->kind == INDEX_ALL) {
      axis++, k++;
    } else if (i->kind == INDEX_RANGE) {
      x = tr_slice(t, x, axis++, i->value, i->length), k++;
    } else if (i->multi) {
      x = tr_gather(t, x, i->value, axis++), k++;
    } else if (axis == 0) {
      Tr at = i->value;
      int run = 1;
      while (k + run < count && indices[k + run].kind == INDEX_SINGLE && !indices[k + run].multi) {
        at = tr_binary(t, IR_MUL, at, tr_dim_value(t, x, run));
        at = tr_binary(t, IR_ADD, at, indices[k + run].value);
        run++;
      }
      x = gather_first(t, flatten(t, x, run), at);
      k += run;
    } else {
      x = tr_gather(t, x, i->value, axis), k++;
    }
  }
  return x;
}

SVal index_value(Tracer *t, SVal base, const TracedIndex *indices, int count,
                 const StanType *type) {
  SVal r = {.type = type, .autodiff = base.autodiff};
  if (base.type->base != T_TUPLE) {
    r.tr = index_tensor(t, base.tr, indices, count);
    return r;
  }
  r.members = ARENA_ARRAY(t->arena, SVal, (size_t)type->member_count);
  for (int m = 0; m < type->member_count; m++)
    r.members[m] = index_value(t, base.members[m], indices, count,
                               type_array_of(t->arena, type->members[m], type->array_dims));
  return r;
}

/* ---- writing ---- */

static Tr as_positions(Tracer *t, const TracedIndex *i, Tr extent) {
  if (i->kind == INDEX_SINGLE) return i->value;
  Tr length = i->kind == INDEX_ALL ? extent : i->length;
  Tr iota = tr_emit(t, IR_IOTA, (IrAttr){0}, 1, &length);
  return i->kind == INDEX_ALL ? iota : tr_binary(t, IR_ADD, iota, i->value);
}

/* Positions of the written elements in the flattened first `count` axes of base: own axes one a
 * multi-index. */
static Tr positions(Tracer *t, Tr base, const TracedIndex *indices, int count) {
  Tr at = {0};
  int rank = 0;
  for (int k = 0; k < count; k++) {
    Tr extent = tr_dim_value(t, base, k), i = as_positions(t, &indices[k], extent);
    bool single = tr_rank(i) == 0;
    if (at.value) {
      at = tr_binary(t, IR_MUL, at, extent);
      if (!single) at = tr_unsqueeze(t, at, rank);
      at = tr_binary(t, IR_ADD, at, i);
    } else {
      at = i;
    }
    rank += !single;
  }
  return at;
}

/* Every own axis of v in one. */
static Tr flat_own(Tracer *t, Tr v, int rank, int keep) {
  Tr dims[IR_MAX_RANK];
  dims[0] = tr_int(t, 1);
  for (int k = 0; k < rank; k++) dims[0] = tr_binary(t, IR_MUL, dims[0], tr_dim_value(t, v, k));
  for (int k = 0; k < keep; k++) dims[1 + k] = tr_dim_value(t, v, rank + k);
  return tr_reshape(t, v, 1 + keep, dims);
}

/* v with own axes [0, rank) of the extents that `like`, or the loops' sizes for the first `axes`,
 * have. */
static Tr full_own(Tracer *t, Tr v, Level *level, int axes, Tr like, int rank) {
  Tr dims[IR_MAX_RANK];
  Level *l = level;
  for (int k = axes - 1; k >= 0; k--, l = l->parent) dims[k] = tr_const(l->size);
  int own = tr_rank(v);
  for (int k = axes; k < rank; k++) dims[k] = tr_dim_value(t, like, k);
  for (int k = rank; k < own; k++) dims[k] = tr_dim_value(t, v, k);
  return tr_broadcast(t, v, own, dims);
}

/* Across a flat level: base is taken with all of home's axes, and the position along them is part
 * of the index. */
static Tr update_flat(Tracer *t, Tr base, Level *home, Tr at, Tr v, bool add) {
  Level *level = t->level;
  IrBuilder *b = t->b;
  base = tr_spread(t, base, home);
  int own = tr_rank(base), home_depth = home->depth;
  Tr whole = {base.value, NULL, base.varying};
  Tr flat = flatten(t, whole, home_depth + 1), position = {0};
  for (int a = 0; a < home_depth; a++) { /* home's own axes, as values of the current level */
    Level *l = home;
    while (l->depth > a + 1) l = l->parent;
    Tr iota = tr_enter(t, tr_const(ir_iota(b, l->size)), l);
    position = position.value
                   ? tr_binary(t, IR_ADD, tr_binary(t, IR_MUL, position, tr_const(l->size)), iota)
                   : iota;
  }
  int at_rank = tr_rank(at);
  for (int k = 0; k < at_rank; k++) position = tr_unsqueeze(t, position, tr_rank(position));
  at = tr_binary(t, IR_ADD,
                 tr_binary(t, IR_MUL, position, tr_const(ir_dim(b, base.value, home_depth))), at);
  at = tr_spread(t, at, level);
  v = tr_spread(t, v, level);
  int axes = level->depth + at_rank;
  Tr index = flat_own(t, (Tr){at.value, NULL, at.varying}, axes, 0);
  Tr updates = flat_own(t, (Tr){v.value, NULL, v.varying}, axes, own - 1);
  Tr r = tr_emit(t, add ? IR_SCATTER_ADD : IR_SCATTER_SET, (IrAttr){0}, 3,
                 (Tr[]){flat, index, updates});
  Tr dims[IR_MAX_RANK];
  for (int k = 0; k < home_depth + own; k++) dims[k] = tr_const(ir_dim(b, base.value, k));
  r = tr_reshape(t, r, home_depth + own, dims);
  return (Tr){r.value, home, r.varying};
}

Tr index_update(Tracer *t, Tr base, Level *home, const TracedIndex *indices, int count, Tr v,
                bool add) {
  int last = count; /* trailing full axes are carried along */
  while (last > 1 && indices[last - 1].kind == INDEX_ALL) last--;
  int rank = tr_rank(base), tail = rank - last;
  Tr at = positions(t, base, indices, last);
  int at_rank = tr_rank(at), axes = 0, v_axes = 0;
  v = tr_cast(t, v, base.value->type.dtype);
  bool flat_between = false;
  for (Level *l = t->level; l != home; l = l->parent) flat_between |= l->flat && home;
  Tr r, dims[IR_MAX_RANK];
  for (int k = 0; k < rank; k++) dims[k] = tr_dim_value(t, base, k);
  if (flat_between) {
    if (last > 1) base = flatten(t, base, last);
    r = update_flat(t, base, home, at, v, add);
  } else {
    Tr index = tr_leave(t, at, t->level, home, &axes),
       value = tr_leave(t, v, t->level, home, &v_axes);
    index = full_own(t, index, t->level, axes, index, axes);
    value = full_own(t, value, t->level, axes, index, axes + at_rank);
    index = flat_own(t, index, axes + at_rank, 0);
    value = flat_own(t, value, axes + at_rank, tail);
    r = tr_emit(t, add ? IR_SCATTER_ADD : IR_SCATTER_SET, (IrAttr){0}, 3,
                (Tr[]){flatten(t, base, last), index, value});
  }
  return last > 1 ? tr_reshape(t, r, rank, dims) : r;
}
