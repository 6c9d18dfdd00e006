/* Levels, and ops on values of different levels. */
#include "lower/trace.h"

#include <assert.h>
#include <math.h>
#include <string.h>

Tr tr_const(IrValue *v) { return (Tr){v, NULL, false}; }
Tr tr_real(Tracer *t, double x) { return tr_const(ir_f64(t->b, x)); }
Tr tr_int(Tracer *t, int64_t x) { return tr_const(ir_i64(t->b, x)); }
Tr tr_nothing(Tracer *t, bool integer) { return integer ? tr_int(t, INT32_MIN) : tr_real(t, NAN); }

static int depth_of(const Level *level) { return level ? level->depth : 0; }

int tr_rank(Tr v) { return v.value->type.rank - depth_of(v.level); }
int64_t tr_static_dim(Tr v, int k) { return v.value->type.dim[depth_of(v.level) + k]; }
IrValue *tr_dim(Tracer *t, Tr v, int k) { return ir_dim(t->b, v.value, depth_of(v.level) + k); }
Tr tr_dim_value(Tracer *t, Tr v, int k) { return tr_const(tr_dim(t, v, k)); }

bool tr_known(Tr v) { return v.value->constant != NULL; }

bool tr_known_bool(Tr v, bool *value) {
  const IrTensor *c = v.value->constant;
  if (!c || c->type.dtype != IR_BOOL || !ir_tensor_uniform(c)) return false;
  *value = c->data.boolean[0];
  return true;
}

bool tr_known_int(Tr v, int64_t *value) {
  const IrTensor *c = v.value->constant;
  if (!c || c->type.dtype != IR_I64 || c->count != 1) return false;
  *value = c->data.i64[0];
  return true;
}

void trace_unsupported(Tracer *t, Span span, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = arena_vprintf(t->arena, format, args);
  va_end(args);
  diag_fatal(t->diagnostics, DIAG_UNSUPPORTED, span, "%s", message);
}

void trace_ragged(Tracer *t, Span span, const char *what) {
  trace_ragged_size(t, span, what, (Tr){0});
}

void trace_ragged_size(Tracer *t, Span span, const char *what, Tr size) {
  if (t->ragged) {
    t->ragged->size = size;
    longjmp(t->ragged->escape, 1);
  }
  trace_unsupported(t, span, "a size that differs between the iterations of a vectorised loop (%s)",
                    what);
}

/* ---- functions by themselves ---- */

Tracer trace_apart(Tracer *t, IrBuilder *b, Frame *frame) {
  Tracer before = *t;
  t->b = b;
  t->frame = frame;
  t->level = NULL;
  t->mask = t->broken = t->continued = t->key = t->place = (Tr){0};
  t->thrown = NULL;
  t->ahead = NULL;
  t->accumulators[ACC_TARGET] = tr_real(t, 0);
  t->accumulators[ACC_VALID] = tr_const(ir_bool(b, true));
  return before;
}

IrFunction *trace_apart_end(Tracer *t, Tracer before, IrValue *const *results, int count) {
  IrFunction *f = ir_unbuffer(ir_function_end(t->b, results, NULL, count));
  before.scope_count = t->scope_count;
  *t = before;
  return f;
}

/* ---- levels ---- */

Level *level_product(Tracer *t, Level *parent, IrValue *size) {
  Level *l = ARENA_NEW(t->arena, Level);
  *l = (Level){.parent = parent, .depth = depth_of(parent) + 1, .size = size};
  if (l->depth > 5)
    trace_unsupported(t, t->span, "loops nested more than five deep that vectorise together");
  return l;
}

Level *level_deeper(Level *a, Level *b) {
  if (!b) return a;
  for (Level *l = a; l; l = l->parent)
    if (l == b) return a;
  return b;
}

/* The level whose axis is axis `a` of `level` (a product chain: one level an axis; a flat level
 * starts it). */
static Level *level_of_axis(Level *level, int a) {
  while (level->depth > a + 1) level = level->parent;
  return level;
}

static IrValue *axis_size(Level *level, int a) { return level_of_axis(level, a)->size; }

/* From the last axis to the first. Where there are no iterations, there is nothing to divide, but
 * runtimes look at the divisor. */
void level_set_places(Tracer *t, Level *l, IrValue *at) {
  IrBuilder *b = t->b;
  for (int a = l->parent->depth - 1; a > 0; a--) {
    IrValue *n = ir_binary(b, IR_MAX, axis_size(l->parent, a), ir_i64(b, 1));
    l->flat_index[a] = ir_binary(b, IR_MOD, at, n);
    at = ir_binary(b, IR_DIV, at, n);
  }
  l->flat_index[0] = at;
}

Level *level_where(Tracer *t, Level *parent, Tr mask) {
  IrBuilder *b = t->b;
  mask = tr_spread(t, mask, parent);
  int depth = parent->depth;
  IrValue *count = ir_i64(b, 1);
  for (int a = 0; a < depth; a++) count = ir_binary(b, IR_MUL, count, axis_size(parent, a));
  IrValue *at =
      ir_emit(b, IR_NONZERO, (IrAttr){0}, (IrValue *[]){ir_reshape(b, mask.value, &count, 1)}, 1);
  Level *l = ARENA_NEW(t->arena, Level);
  *l = (Level){
      .parent = parent, .depth = 1, .flat = true, .selection = true, .size = ir_dim(b, at, 0)};
  level_set_places(t, l, at);
  return l;
}

/* From the parent of a flat level to the level: picks the selected iterations. */
static Tr lift_flat(Tracer *t, Tr v, Level *level) {
  IrBuilder *b = t->b;
  int depth = v.level->depth, axis = 0;
  IrValue *x = v.value, *index = NULL, *dims[IR_MAX_RANK];
  for (int a = 0; a < depth; a++) { /* drop axes along which v does not vary, merge the others */
    if (x->type.dim[axis] == 1 && x->type.rank > 0 && !(axis + 1 == depth - a && !index)) {
      if (depth - a > 1 || index) {
        x = ir_squeeze(b, x, axis);
        continue;
      }
    }
    IrValue *n = ir_dim(b, x, axis);
    index = index ? ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, index, n), level->flat_index[a])
                  : level->flat_index[a];
    axis++;
  }
  if (axis == 1 && x->type.dim[0] == 1) return (Tr){x, level, v.varying};
  if (axis > 1) {
    dims[0] = ir_i64(b, 1);
    for (int a = 0; a < axis; a++) dims[0] = ir_binary(b, IR_MUL, dims[0], ir_dim(b, x, a));
    int rank = 1;
    for (int a = axis; a < x->type.rank; a++) dims[rank++] = ir_dim(b, x, a);
    x = ir_reshape(b, x, dims, rank);
  }
  return (Tr){ir_gather(b, x, index, 0, 0), level, v.varying};
}

Tr tr_lift(Tracer *t, Tr v, Level *level) {
  if (v.level == level || !v.level) return v;
  assert(level);
  v = tr_lift(t, v, level->parent);
  if (level->flat) return lift_flat(t, v, level);
  return (Tr){ir_unsqueeze(t->b, v.value, level->parent->depth), level, v.varying};
}

Tr tr_spread(Tracer *t, Tr v, Level *level) {
  if (!level) return v;
  v = tr_lift(t, v, level);
  int own = tr_rank(v), depth = level->depth;
  IrValue *dims[IR_MAX_RANK];
  for (int a = 0; a < depth; a++) dims[a] = axis_size(level, a);
  for (int a = 0; a < own; a++) dims[depth + a] = tr_dim(t, v, a);
  return (Tr){ir_broadcast(t->b, v.value, dims, depth + own), level, v.varying};
}

Tr tr_enter(Tracer *t, Tr v, Level *level) {
  IrValue *x = v.value;
  if (v.level)
    x = tr_lift(t, v, level->parent).value;
  else
    for (int a = 1; a < level->depth; a++) x = ir_unsqueeze(t->b, x, 0);
  return (Tr){x, level, v.varying};
}

Tr tr_leave(Tracer *t, Tr v, Level *level, Level *home, int *axes) {
  *axes = 0;
  for (Level *l = level; l != home; l = l->parent) {
    if (l->flat && home) return (Tr){0};
    ++*axes;
    if (l->flat) break;
  }
  /* of what v carries: nothing, home's axes only, or some of the inner ones */
  int inner = *axes, have = depth_of(v.level) - depth_of(home);
  Level *target = level;
  if (!v.level || have <= 0) {
    IrValue *x = v.value;
    if (v.level) x = tr_lift(t, v, home).value;
    int at = v.level ? depth_of(home) : 0;
    for (int a = 0; a < inner; a++) x = ir_unsqueeze(t->b, x, at);
    return (Tr){x, v.level ? home : NULL, v.varying};
  }
  v = tr_lift(t, v, target);
  /* an outer axis that v does not vary along may be dropped altogether */
  bool outer_constant = true;
  for (int a = 0; a < depth_of(home); a++) outer_constant &= v.value->type.dim[a] == 1;
  if (home && outer_constant) {
    IrValue *x = v.value;
    for (int a = 0; a < home->depth; a++) x = ir_squeeze(t->b, x, 0);
    return (Tr){x, NULL, v.varying};
  }
  return (Tr){v.value, home, v.varying};
}

/* ---- ops ---- */

Tr tr_guard(Tracer *t, Tr v, double safe) {
  if (!t->mask.value || !v.varying || v.value->type.dtype != IR_F64 || v.value->constant) return v;
  Tr mask = t->mask;
  int rank = tr_rank(v);
  for (int k = 0; k < rank && mask.level; k++) mask = tr_unsqueeze(t, mask, tr_rank(mask));
  Tr in[3] = {mask, v, tr_real(t, safe)};
  return tr_emit(t, IR_SELECT, (IrAttr){0}, 3, in);
}

static const IrValue *mask_origin(const IrValue *v) {
  while (v && v->node && (v->node->op == IR_RESHAPE || v->node->op == IR_BROADCAST))
    v = v->node->in[0];
  return v;
}

bool same_mask(Tr a, Tr b) { return mask_origin(a.value) == mask_origin(b.value); }

bool is_above(Tr v, Level *level) {
  return v.level != level && level_deeper(v.level, level) == level;
}

static bool differentiated(const Tracer *t) {
  EntryPoint entry = t->options->entry;
  if (t->in_library || t->discrete || t->target) return false;
  return entry == ENTRY_SAMPLE ? t->block != BLOCK_GENERATED_QUANTITIES
                               : entry == ENTRY_LOG_DENSITY && !t->options->no_gradient;
}

Tr tr_inside(Tracer *t, Tr v) {
  Tr mask = t->mask;
  if (!mask.value || !v.varying || v.value->type.dtype != IR_F64 || v.value->constant ||
      !differentiated(t))
    return v;
  const IrNode *n = v.value->node;
  if (n && n->op == IR_SELECT && n->in[0] == mask.value &&
      ir_types_equal(&n->in[1]->type, &v.value->type)) {
    v.value = n->in[1]; /* stored by the branch itself */
    return v;
  }
  if (tr_rank(v) && is_above(v, mask.level)) {
    t->uncopied++;
    return v;
  }
  return tr_guard(t, v, 1); /* which has all facts that a parameter may have */
}

Tr tr_settled(Tracer *t, Tr v) {
  const IrTensor *c = v.value->constant;
  if (!v.level || tr_rank(v) || !c || c->type.dtype != IR_I64 || !ir_tensor_uniform(c)) return v;
  return tr_int(t, c->data.i64[0]);
}

/* Of the operands of an op whose result has a size that differs: that size, if it is known. */
static Tr differing_size(const Tr *in, int count) {
  for (int k = count == 1 ? 0 : 1; k < count; k++) /* the first, of several, is what is shaped */
    if (in[k].level && in[k].value->constant && in[k].value->type.dtype == IR_I64 &&
        tr_rank(in[k]) == 0)
      return in[k];
  return (Tr){0};
}

Tr tr_emit(Tracer *t, IrOp op, IrAttr attr, int count, const Tr *in) {
  Tr *operands = ARENA_ARRAY(t->arena, Tr, (size_t)count + 1);
  IrValue **values = ARENA_ARRAY(t->arena, IrValue *, (size_t)count + 1);
  bool *batched = ARENA_ARRAY(t->arena, bool, (size_t)count + 1);
  Tr result = {0};
  for (int k = 0; k < count; k++) {
    double safe;
    operands[k] = t->mask.value && ir_op_guard(op, k, &safe) ? tr_guard(t, in[k], safe)
                                                             : tr_settled(t, in[k]);
    result.level = level_deeper(operands[k].level, result.level);
    result.varying |= operands[k].varying;
  }
  for (int k = 0; k < count; k++) {
    Tr v = tr_lift(t, operands[k], result.level);
    values[k] = v.value;
    batched[k] = v.level != NULL;
  }
  result.value = result.level
                     ? ir_emit_batched(t->b, op, attr, values, count, batched, result.level->depth)
                     : ir_emit(t->b, op, attr, values, count);
  if (!result.value) trace_ragged_size(t, t->span, ir_op_name(op), differing_size(operands, count));
  return tr_settled(t, result);
}

Tr tr_unary(Tracer *t, IrOp op, Tr a) { return tr_emit(t, op, (IrAttr){0}, 1, &a); }
Tr tr_binary(Tracer *t, IrOp op, Tr a, Tr b) {
  return tr_emit(t, op, (IrAttr){0}, 2, (Tr[]){a, b});
}
Tr tr_select(Tracer *t, Tr c, Tr a, Tr b) {
  return tr_emit(t, IR_SELECT, (IrAttr){0}, 3, (Tr[]){c, a, b});
}
Tr tr_not(Tracer *t, Tr a) { return tr_unary(t, IR_NOT, a); }

Tr tr_cast(Tracer *t, Tr a, IrDtype dtype) {
  if (a.value->type.dtype == dtype) return a;
  return (Tr){ir_cast(t->b, a.value, dtype), a.level, a.varying};
}

Tr tr_and(Tracer *t, Tr a, Tr b) {
  if (!a.value) return b;
  if (!b.value) return a;
  return tr_binary(t, IR_AND, a, b);
}

Tr tr_reduce(Tracer *t, IrOp op, Tr a, int axis) {
  IrAttr attr = {.axis_count = 1, .axes = {(int8_t)axis}};
  return tr_emit(t, op, attr, 1, &a);
}

Tr tr_reduce_all(Tracer *t, IrOp op, Tr a) {
  IrAttr attr = {.axis_count = tr_rank(a)};
  if (!attr.axis_count) return a;
  for (int k = 0; k < attr.axis_count; k++) attr.axes[k] = (int8_t)k;
  return tr_emit(t, op, attr, 1, &a);
}

static Tr with_dims(Tracer *t, IrOp op, Tr a, int rank, const Tr *dims) {
  Tr in[IR_MAX_RANK + 1] = {a};
  for (int k = 0; k < rank; k++) in[k + 1] = dims[k];
  return tr_emit(t, op, (IrAttr){0}, rank + 1, in);
}

Tr tr_reshape(Tracer *t, Tr a, int rank, const Tr *dims) {
  return with_dims(t, IR_RESHAPE, a, rank, dims);
}
Tr tr_broadcast(Tracer *t, Tr a, int rank, const Tr *dims) {
  return with_dims(t, IR_BROADCAST, a, rank, dims);
}

Tr tr_gather(Tracer *t, Tr x, Tr index, int axis) {
  return tr_emit(t, IR_GATHER, (IrAttr){.axis = axis}, 2, (Tr[]){x, index});
}

Tr tr_slice(Tracer *t, Tr x, int axis, Tr start, Tr length) {
  if (length.varying && !tr_known(length))
    trace_unsupported(t, t->span, "a size that depends on the parameters");
  return tr_emit(t, IR_SLICE, (IrAttr){.axis = axis}, 3, (Tr[]){x, start, length});
}

Tr tr_concat(Tracer *t, int count, const Tr *parts, int axis) {
  return tr_emit(t, IR_CONCAT, (IrAttr){.axis = axis}, count, parts);
}

Tr tr_unsqueeze(Tracer *t, Tr x, int axis) {
  return (Tr){ir_unsqueeze(t->b, x.value, depth_of(x.level) + axis), x.level, x.varying};
}

Tr tr_transpose(Tracer *t, Tr x) {
  int8_t axes[IR_MAX_RANK];
  int rank = x.value->type.rank;
  for (int k = 0; k < rank; k++) axes[k] = (int8_t)k;
  axes[rank - 1] = (int8_t)(rank - 2);
  axes[rank - 2] = (int8_t)(rank - 1);
  return (Tr){ir_transpose(t->b, x.value, axes), x.level, x.varying};
}

/* ---- folding the iterations of a level ---- */

/* v combined `count` times with itself. */
static Tr repeated(Tracer *t, IrOp reduce, Tr v, IrValue *count) {
  if (reduce != IR_REDUCE_SUM && reduce != IR_REDUCE_PROD) return v;
  IrDtype dtype = v.value->type.dtype;
  Tr n = tr_cast(t, tr_const(count), dtype);
  return tr_binary(t, reduce == IR_REDUCE_SUM ? IR_MUL : IR_POW, v, n);
}

/* Of a flat level into its parent: sums the selected iterations where they came from. */
static Tr fold_flat(Tracer *t, IrOp reduce, Tr v, Level *level) {
  if (reduce != IR_REDUCE_SUM)
    trace_unsupported(t, t->span, "this reduction over a ragged selection of iterations");
  IrBuilder *b = t->b;
  Level *parent = level->parent;
  v = tr_spread(t, v, level);
  int own = tr_rank(v), rank = 1;
  IrValue *dims[IR_MAX_RANK], *index = NULL;
  for (int a = 0; a < parent->depth; a++) {
    IrValue *n = axis_size(parent, a);
    index = index ? ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, index, n), level->flat_index[a])
                  : level->flat_index[a];
    dims[0] = a ? ir_binary(b, IR_MUL, dims[0], n) : n;
  }
  for (int k = 0; k < own; k++) dims[rank++] = tr_dim(t, v, k);
  IrValue *zero = v.value->type.dtype == IR_F64 ? ir_f64(b, 0) : ir_i64(b, 0);
  IrValue *sum =
      ir_scatter(b, IR_SCATTER_ADD, ir_broadcast(b, zero, dims, rank), index, v.value, 0, 0);
  for (int k = own; k > 0; k--) dims[parent->depth + k - 1] = dims[k];
  for (int a = 0; a < parent->depth; a++) dims[a] = axis_size(parent, a);
  return (Tr){ir_reshape(b, sum, dims, parent->depth + own), parent, v.varying};
}

Tr tr_fold(Tracer *t, IrOp reduce, Tr v, Level *level, Level *home) {
  while (level != home) {
    if (level->flat && home) {
      v = v.level ? fold_flat(t, reduce, v, level)
                  : fold_flat(t, reduce, tr_spread(t, v, level), level);
      level = level->parent;
      continue;
    }
    if (v.level && v.level != level && level->flat) v = tr_lift(t, v, level);
    int axis = level->depth - 1;
    if (!v.level || v.level != level) {
      v = repeated(t, reduce, v, level->size);
    } else {
      bool once = v.value->type.dim[axis] == 1 &&
                  !(level->size->constant && level->size->constant->data.i64[0] == 1);
      int8_t axes[1] = {(int8_t)axis};
      Level *above = level->flat ? NULL : level->parent;
      if (once)
        v = repeated(t, reduce, (Tr){ir_squeeze(t->b, v.value, axis), above, v.varying},
                     level->size);
      else
        v = (Tr){ir_reduce(t->b, reduce, v.value, axes, 1), above, v.varying};
    }
    level = level->flat ? NULL : level->parent;
  }
  return v;
}

void trace_throw(Tracer *t, Tr bad) {
  bool known;
  if (t->target || (tr_known_bool(bad, &known) && !known)) return; /* no algorithm throws */
  bad = tr_reduce_all(t, IR_REDUCE_ANY, bad);
  if (t->thrown) {
    *t->thrown = t->thrown->value ? tr_binary(t, IR_OR, *t->thrown, bad) : bad;
    return;
  }
  bad = tr_and(t, t->mask, bad);
  bad = tr_fold(t, IR_REDUCE_ANY, bad, t->level, NULL);
  Tr *valid = &t->accumulators[ACC_VALID];
  *valid = tr_binary(t, IR_AND, *valid, tr_not(t, bad));
}
