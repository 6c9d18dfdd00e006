/* Assignments. A value assigned inside a loop that runs as a level finds its way to the level the
 * variable lives at: element writes scatter, increments are summed over the iterations, selected
 * iterations are merged. */
#include "lower/trace.h"

/* Where an lvalue leads: members of nested tuples, then indices. Arrays of tuples are tuples of
 * arrays, so the indices of a[i].1[j] are i and j of the member. */
typedef struct {
  Binding *binding;
  int member_count, index_count;
  int *members;
  Index *indices;
} Place;

static void find_place(Tracer *t, const Expr *e, Place *p) {
  switch (e->kind) {
  case E_VARIABLE: p->binding = lookup(t, e->variable); return;
  case E_PAREN: find_place(t, e->args[0], p); return;
  case E_PROJECT: {
    find_place(t, e->args[0], p);
    int *members = ARENA_ARRAY(t->arena, int, (size_t)p->member_count + 1);
    for (int k = 0; k < p->member_count; k++) members[k] = p->members[k];
    members[p->member_count++] = (int)e->integer - 1;
    p->members = members;
    return;
  }
  case E_INDEX: {
    find_place(t, e->args[0], p);
    Index *all = ARENA_ARRAY(t->arena, Index, (size_t)(p->index_count + e->index_count));
    for (int k = 0; k < p->index_count; k++) all[k] = p->indices[k];
    for (int k = 0; k < e->index_count; k++) all[p->index_count + k] = e->indices[k];
    p->indices = all;
    p->index_count += e->index_count;
    return;
  }
  default: trace_unsupported(t, e->span, "assigning to this expression");
  }
}

Tr merge_selection(Tracer *t, Tr old, Tr v, Level *level, Level *home) {
  for (; level != home; level = level->parent) {
    if (!level->flat || !level->selection)
      trace_unsupported(
          t, t->span,
          "assigning to a variable of an outer loop in every iteration of an inner one");
    Level *parent = level->parent;
    Tr base = tr_spread(t, tr_cast(t, old, v.value->type.dtype), parent);
    v = tr_spread(t, v, level);
    int own = tr_rank(v), rank = 1;
    IrBuilder *b = t->b;
    IrValue *dims[IR_MAX_RANK], *index = NULL;
    for (int a = 0; a < parent->depth; a++) {
      IrValue *n = ir_dim(b, base.value, a);
      index = index ? ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, index, n), level->flat_index[a])
                    : level->flat_index[a];
      dims[0] = a ? ir_binary(b, IR_MUL, dims[0], n) : n;
    }
    for (int k = 0; k < own; k++) dims[rank++] = tr_dim(t, v, k);
    IrValue *x =
        ir_scatter(b, IR_SCATTER_SET, ir_reshape(b, base.value, dims, rank), index, v.value, 0, 0);
    for (int k = 0; k < parent->depth + own; k++) dims[k] = ir_dim(b, base.value, k);
    v = (Tr){ir_reshape(b, x, dims, parent->depth + own), parent, v.varying || base.varying};
  }
  return v;
}

/* v, which must have these dims: where it is known not to, Stan throws. */
static Tr fitted(Tracer *t, Tr v, const Tr *dims, int rank) {
  for (int k = 0; k < rank; k++) {
    int64_t wanted, have = tr_static_dim(v, k);
    if (have == IR_DYNAMIC || !tr_known_int(dims[k], &wanted) || wanted == have) continue;
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    return tr_broadcast(t, v.value->type.dtype == IR_F64 ? tr_real(t, 0) : tr_int(t, 0), rank,
                        dims);
  }
  return v;
}

/* The dims of what is at these indices. */
static int indexed_dims(Tracer *t, Tr base, const TracedIndex *indices, int count, Tr *dims) {
  int rank = 0;
  for (int k = 0; k < count; k++) {
    const TracedIndex *i = &indices[k];
    if (i->kind == INDEX_ALL)
      dims[rank++] = tr_dim_value(t, base, k);
    else if (i->kind == INDEX_RANGE)
      dims[rank++] = i->length;
    else if (i->multi)
      dims[rank++] = tr_dim_value(t, i->value, 0);
  }
  for (int k = count; k < tr_rank(base); k++) dims[rank++] = tr_dim_value(t, base, k);
  return rank;
}

/* What had no size takes any. */
static Tr fitted_whole(Tracer *t, Tr v, Tr place) {
  Tr dims[IR_MAX_RANK];
  for (int k = 0; k < tr_rank(v); k++) {
    if (tr_static_dim(place, k) == 0) return v;
    dims[k] = tr_dim_value(t, place, k);
  }
  return fitted(t, v, dims, tr_rank(v));
}

/* Whether the variable keeps its value in some of the iterations and chains where it matters. */
static bool masked(const Tracer *t, const Binding *binding) {
  return t->mask.value && !same_mask(binding->mask, t->mask);
}

static void store(Tracer *t, SVal *place, const Binding *binding, SVal v) {
  Level *home = binding->home;
  place->autodiff |= v.autodiff && t->frame->is_library;
  if (place->type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)place->type->member_count);
    for (int k = 0; k < place->type->member_count; k++) {
      members[k] = place->members[k];
      store(t, &members[k], binding, v.members[k]);
    }
    place->members = members;
    return;
  }
  v.tr = fitted_whole(t, v.tr, place->tr);
  Tr x = tr_cast(t, v.tr, place->tr.value->type.dtype == IR_F64 ? IR_F64 : IR_I64);
  if (place->type->base == T_INT && v.tr.value->type.dtype == IR_BOOL &&
      place->tr.value->type.dtype != IR_F64)
    x = as_int(t, v.tr);
  if (masked(t, binding))
    x = select_value(t, t->mask, sval(place->type, x, false), sval(place->type, place->tr, false))
            .tr;
  if (level_deeper(x.level, home) != home || t->level != home) {
    bool selected =
        t->level && t->level->flat && t->level->selection && level_deeper(t->level, home) != home;
    if (selected)
      x = merge_selection(t, place->tr, x, t->level, home);
    else if (level_deeper(x.level, home) != home)
      trace_unsupported(
          t, t->span,
          "assigning to a variable of an outer loop in every iteration of an inner one");
  }
  place->tr = x;
}

void assign_variable(Tracer *t, Binding *binding, SVal v) { store(t, &binding->value, binding, v); }

static void store_elements(Tracer *t, SVal *place, const Binding *binding,
                           const TracedIndex *indices, int count, SVal v, bool add) {
  place->autodiff |= v.autodiff && t->frame->is_library;
  if (place->type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)place->type->member_count);
    for (int k = 0; k < place->type->member_count; k++) {
      members[k] = place->members[k];
      store_elements(t, &members[k], binding, indices, count, v.members[k], add);
    }
    place->members = members;
    return;
  }
  Tr dims[IR_MAX_RANK];
  v.tr = fitted(t, v.tr, dims, indexed_dims(t, place->tr, indices, count, dims));
  Tr x = v.tr;
  if (masked(t, binding)) {
    if (add) {
      Tr zero = x.value->type.dtype == IR_F64 ? tr_real(t, 0) : tr_int(t, 0);
      x = tr_select(t, t->mask, x.value->type.dtype == IR_BOOL ? as_int(t, x) : x, zero);
    } else {
      SVal old = index_value(t, *place, indices, count, v.type);
      x = select_value(t, t->mask, v, old).tr;
    }
  }
  place->tr = index_update(t, place->tr, binding->home, indices, count, x, add);
}

static SVal *member_at(Tracer *t, Place *p) {
  SVal *v = &p->binding->value;
  for (int k = 0; k < p->member_count; k++) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)v->type->member_count);
    for (int m = 0; m < v->type->member_count; m++) members[m] = v->members[m];
    v->members = members; /* values are shared between variables: write to a copy */
    v = &members[p->members[k]];
  }
  return v;
}

/* x += e inside a level that x lives above: the sum over the iterations. */
static void increment(Tracer *t, Place *p, SVal *place, Tr e, bool negative) {
  Level *home = p->binding->home;
  IrDtype dtype = place->tr.value->type.dtype;
  e = tr_cast(t, e, dtype == IR_BOOL ? IR_I64 : dtype);
  if (negative) e = tr_unary(t, IR_NEG, e);
  if (p->index_count) {
    TracedIndex *indices = trace_indices(t, p->indices, p->index_count, place->tr);
    store_elements(t, place, p->binding, indices, p->index_count, sval(place->type, e, true), true);
    return;
  }
  if (t->mask.value) {
    Tr zero = dtype == IR_F64 ? tr_real(t, 0) : tr_int(t, 0);
    e = tr_select(t, t->mask, e, zero);
  }
  place->tr = tr_binary(t, IR_ADD, tr_cast(t, place->tr, e.value->type.dtype),
                        tr_fold(t, IR_REDUCE_SUM, e, t->level, home));
}

static void assign_to(Tracer *t, const Expr *lvalue, SVal v) {
  Place p = {0};
  find_place(t, lvalue, &p);
  SVal *place = member_at(t, &p);
  if (!p.index_count) {
    store(t, place, p.binding, v);
    return;
  }
  SVal *shape = place;
  while (shape->type->base == T_TUPLE) shape = &shape->members[0];
  TracedIndex *indices = trace_indices(t, p.indices, p.index_count, shape->tr);
  store_elements(t, place, p.binding, indices, p.index_count, v, false);
}

/* (a, b[i], (c, d)) = v */
static void unpack(Tracer *t, const Expr *targets, SVal v) {
  for (int k = 0; k < targets->arg_count; k++) {
    const Expr *target = targets->args[k];
    if (target->kind == E_TUPLE)
      unpack(t, target, v.members[k]);
    else
      assign_to(t, target, promote(t, v.members[k], target->type));
  }
}

void trace_assign(Tracer *t, const Stmt *s) {
  if (s->kind == S_UNPACK) {
    unpack(t, s->lhs, trace_expr(t, s->rhs));
    return;
  }
  bool negative;
  const Expr *e = as_increment(s, &negative);
  Place p = {0};
  find_place(t, s->lhs, &p);
  if (e && p.binding->home != t->level &&
      level_deeper(t->level, p.binding->home) != p.binding->home) {
    SVal v = trace_expr(t, e), *place = member_at(t, &p);
    place->autodiff |= v.autodiff && t->frame->is_library;
    increment(t, &p, place, v.tr, negative);
    return;
  }
  SVal v = trace_expr(t, s->rhs);
  if (s->has_op) {
    Expr at = {.kind = E_BINARY, .span = s->span, .type = s->lhs->type};
    bool linear = s->op == OP_ADD || s->op == OP_SUB;
    v = trace_operator(t, &at, s->op, linear ? trace_place(t, s->lhs) : trace_expr(t, s->lhs), v);
  }
  assign_to(t, s->lhs, promote(t, v, s->lhs->type));
}
