/* Splitting loops. An iteration costs time for each of its nodes, however small, so that what can
 * be computed for all iterations at once is: before the loop, where it does not depend on what is
 * carried; after it, where nothing carried depends on it. Sums over the iterations are taken then
 * too, and what is carried over one iteration only is the stack of it, shifted. */
#include "ir/copy_loop.h"

#include "ir/affine.h"
#include "ir/algebra.h"
#include "ir/extent.h"

#include <string.h>

/* Elements that a stack may have. */
static const int64_t MOST_ELEMENTS = 1 << 22;
/* What a node, a carried value and a stacked result of a loop cost in each iteration. */
enum { COST_NODE = 4, COST_CARRIED = 2, COST_STACK = 6 };
/* Elements of a row of a stack that may have any number of them. */
enum { MOST_OF_MANY = 64 };
/* Elements that it takes longer to stack, and to read outside of the cache, than a node takes. */
enum { MOST_OF_ROW = 128 };

/* ---- batched ops ---- */

static bool has_body(const IrNode *n) {
  return n->op == IR_CALL || n->op == IR_IF || n->op == IR_LOOP;
}

/* The first operand that is a size of the result, which is the same in all iterations. */
static int first_size(const IrNode *n) {
  switch (n->op) {
  case IR_BROADCAST:
  case IR_RESHAPE: return 1;
  case IR_SLICE: return 2;
  case IR_IOTA:
  case IR_NONZERO: return 0;
  default: return n->in_count;
  }
}

/* Whether n times the elements of t, as far as its sizes are known, are more than so many. */
static bool exceeds(int64_t n, const IrType *t, int64_t most) {
  for (int k = 0; k < t->rank; k++) {
    int64_t d = t->dim[k] == IR_DYNAMIC ? 1 : t->dim[k];
    if (d > 0 && n > most / d) return true;
    n *= d;
  }
  return n > most;
}

/* Whether a stack of v would not be too large, where the number of iterations is known. */
static bool fits_memory(const LoopCopy *l, const IrType *t) {
  return !exceeds(l->trips, t, MOST_ELEMENTS) && t->rank < IR_MAX_RANK - 1;
}

static IrValue *fixed_size(LoopCopy *l, const IrValue *v, int axis);

/* Whether something is stacked anyway whose elements have an axis of that size. */
static bool is_stacked_size(LoopCopy *l, const IrValue *size) {
  for (int k = l->first_scanned; k < l->first_captured; k++)
    for (int a = 1; a < l->in[k]->type.rank; a++)
      if (same_size(size, extent_of(l->c->b, l->in[k], a))) return true;
  for (int k = 0; k < l->outs; k++)
    for (int a = 0; a < out_result(l, k)->type.rank && l->keep_out[k]; a++) {
      IrValue *other = fixed_size(l, out_result(l, k), a);
      if (other && same_size(size, other)) return true;
    }
  return false;
}

/* Whether v may be stacked. Where the number of iterations is not known, that is what is small, or
 * no larger than other stacks by more than a small factor. */
static bool fits_stack(LoopCopy *l, const IrValue *v) {
  int64_t n = 1;
  int open = 0;
  if (!l->open) return fits_memory(l, &v->type);
  for (int k = 0; k < v->type.rank; k++) {
    int64_t d = v->type.dim[k];
    IrValue *size = d == IR_DYNAMIC ? fixed_size(l, v, k) : NULL;
    if (d == IR_DYNAMIC && (open++ || !size || !is_stacked_size(l, size))) return false;
    if (d != IR_DYNAMIC && d > MOST_OF_MANY) return false;
    if (d != IR_DYNAMIC) n *= d;
    if (n > MOST_OF_MANY) return false;
  }
  return v->type.rank < IR_MAX_RANK - 1;
}

/* Whether the result of n is no larger than one of its operands, which is stacked, or than a tensor
 * of which each iteration reads another part. */
static bool follows_stack(const LoopCopy *l, const IrNode *n) {
  const IrType *t = &n->out[0]->type;
  int64_t offset;
  switch (n->op) {
  case IR_RESHAPE:
  case IR_TRANSPOSE:
  case IR_SLICE:
  case IR_REVERSE:
  case IR_CUMSUM:
  case IR_REDUCE_SUM:
  case IR_REDUCE_PROD:
  case IR_REDUCE_MAX:
  case IR_REDUCE_MIN:
  case IR_REDUCE_ANY:
  case IR_REDUCE_ALL: return place_of(l, n->in[0]) == PLACE_STACKED;
  case IR_GATHER:
    return place_of(l, n->in[0]) == PLACE_OUTSIDE && place_of(l, n->in[1]) == PLACE_STACKED &&
           affine_numbers(l->outside.map[n->in[1]->id], &offset);
  default: break;
  }
  for (int k = 0; k < n->in_count && ir_op_elementwise(n->op); k++)
    if (place_of(l, n->in[k]) == PLACE_STACKED && covers(&n->in[k]->type, t)) return true;
  return false;
}

static bool can_batch(LoopCopy *l, const IrNode *n) {
  if (!l->split || has_body(n) || n->op == IR_NONZERO) return false;
  for (int k = first_size(n); k < n->in_count; k++)
    if (place_of(l, n->in[k]) != PLACE_OUTSIDE) return false;
  if (l->open && n->out[0]->type.rank < IR_MAX_RANK - 1 && follows_stack(l, n)) return true;
  return fits_stack(l, n->out[0]);
}

/* n for all iterations at once, of operands that are outside or stacked. */
static IrValue *emit_batched(LoopCopy *l, const IrNode *n) {
  IrBuilder *b = l->c->b;
  Arena *a = b->module->arena;
  IrValue **in = ARENA_ARRAY(a, IrValue *, (size_t)n->in_count);
  bool *batched = ARENA_ARRAY(a, bool, (size_t)n->in_count);
  for (int k = 0; k < n->in_count; k++) {
    in[k] = l->outside.map[n->in[k]->id];
    batched[k] = place_of(l, n->in[k]) != PLACE_OUTSIDE;
  }
  const IrScope *scope = ir_set_scope(b, n->scope ? n->scope : b->scope);
  bool adjoint = ir_set_adjoint(b, b->adjoint || n->adjoint);
  bool exact = ir_set_exact(b, b->exact || n->exact);
  IrValue *v = ir_emit_batched(b, n->op, n->attr, in, n->in_count, batched, 1);
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
  ir_set_exact(b, exact);
  if (v) v->facts = facts_close(v->facts | n->out[0]->facts);
  return v;
}

/* ---- stacks ---- */

/* v with an axis 0 of `extent`. */
static IrValue *repeated(IrBuilder *b, IrValue *v, IrValue *extent) {
  IrValue *dims[IR_MAX_RANK];
  dims[0] = extent;
  for (int k = 0; k < v->type.rank; k++) dims[1 + k] = ir_dim(b, v, k);
  return ir_broadcast(b, v, dims, v->type.rank + 1);
}

IrValue *loop_stacked(LoopCopy *l, const IrValue *v) {
  IrBuilder *b = l->c->b;
  IrValue *stack = l->outside.map[v->id], *dims[IR_MAX_RANK];
  if (place_of(l, v) == PLACE_OUTSIDE)
    return l->stacks[v->id] ? l->stacked[v->id]
                            : repeated(b, stack, ir_binary(b, IR_MAX, l->count, ir_i64(b, 0)));
  if (!l->split || stack->type.dim[0] != 1) return stack;
  dims[0] = l->count;
  for (int k = 1; k < stack->type.rank; k++) dims[k] = ir_dim(b, stack, k);
  return ir_broadcast(b, stack, dims, stack->type.rank);
}

/* The carried value k as the loop begins and as iterations end, in the order of their numbers. */
static IrValue *all_values(LoopCopy *l, int k, IrValue *ends) {
  IrValue *first = ir_unsqueeze(l->c->b, initial_value(l, k), 0);
  bool reverse = l->node->attr.reverse;
  return ir_concat(l->c->b, reverse ? (IrValue *[]){ends, first} : (IrValue *[]){first, ends}, 2,
                   0);
}

/* The stack of carried value k as iterations begin, from the stack of it as they end. */
static IrValue *shifted(LoopCopy *l, int k, IrValue *ends) {
  IrBuilder *b = l->c->b;
  IrValue *first = ir_unsqueeze(b, initial_value(l, k), 0);
  bool reverse = l->node->attr.reverse;
  if (l->open) return ir_slice(b, all_values(l, k, ends), 0, ir_i64(b, reverse ? 1 : 0), l->count);
  IrValue *rest = ir_slice(b, ends, 0, ir_i64(b, reverse ? 1 : 0), ir_i64(b, l->trips - 1));
  return ir_concat(b, reverse ? (IrValue *[]){rest, first} : (IrValue *[]){first, rest}, 2, 0);
}

IrValue *loop_last(LoopCopy *l, int k) {
  IrBuilder *b = l->c->b;
  IrValue *stack = loop_stacked(l, carried_result(l, k));
  if (l->open) {
    IrValue *last = l->node->attr.reverse ? ir_i64(b, 0) : l->count;
    return ir_gather(b, all_values(l, k, stack), last, 0, 0);
  }
  int64_t at = l->node->attr.reverse ? 0 : l->trips - 1;
  return ir_squeeze(b, ir_slice(b, stack, 0, ir_i64(b, at), ir_i64(b, 1)), 0);
}

/* What each iteration adds to an accumulator. */
static const IrValue *added(const LoopCopy *l, int k) {
  const IrNode *n = carried_result(l, k)->node;
  return n->in[n->in[0] == carried_param(l, k) ? 1 : 0];
}

IrValue *loop_accumulated(LoopCopy *l, int k) {
  IrBuilder *b = l->c->b;
  const IrNode *n = carried_result(l, k)->node;
  const IrValue *x = added(l, k);
  const IrScope *scope = ir_set_scope(b, n->scope ? n->scope : b->scope);
  bool adjoint = ir_set_adjoint(b, b->adjoint || n->adjoint);
  IrValue *sum = ir_reduce(b, IR_REDUCE_SUM, loop_stacked(l, x), (int8_t[]){0}, 1);
  IrValue *v = ir_binary(b, n->op, initial_value(l, k), sum);
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
  return v;
}

/* ---- sizes ---- */

/* Whether the extent of v's axis is the same in all iterations. */
static bool is_fixed(const LoopCopy *l, const IrValue *v, int axis) {
  enum { MOST_STEPS = 64 };
  for (int step = 0; step < MOST_STEPS; step++) {
    if (v->type.dim[axis] != IR_DYNAMIC || place_of(l, v) != PLACE_INSIDE) return true;
    if (!v->node) return v->index == 0 || !(l->varies[v->index - 1] >> axis & 1);
    Origin o = origin_of(v, axis);
    if (o.size) return place_of(l, o.size) == PLACE_OUTSIDE;
    if (!o.of) return false;
    v = o.of;
    axis = o.axis;
  }
  return false;
}

static bool has_fixed_shape(const LoopCopy *l, const IrValue *v) {
  for (int k = 0; k < v->type.rank; k++)
    if (!is_fixed(l, v, k)) return false;
  return true;
}

/* Finds the axes of carried values whose extents may change. */
static void find_varying_sizes(LoopCopy *l) {
  for (bool changed = true; changed;) {
    changed = false;
    for (int k = 0; k < l->carried; k++)
      for (int a = 0; a < carried_param(l, k)->type.rank; a++) {
        if (!l->keep_carried[k] || (l->varies[k] >> a & 1) || is_fixed(l, carried_result(l, k), a))
          continue;
        l->varies[k] |= 1u << a;
        changed = true;
      }
  }
}

/* ---- before the loop ---- */

static void place(LoopCopy *l, const IrValue *v, Place where, IrValue *value) {
  l->place[v->id] = where;
  l->outside.map[v->id] = value;
}

/* The element that every iteration sees of a scanned input that repeats it, or NULL. */
static IrValue *repeated_element(IrBuilder *b, IrValue *input) {
  const IrNode *n = input->node;
  if (!n || n->op != IR_BROADCAST || n->in[0]->type.rank >= input->type.rank) return NULL;
  return ir_broadcast(b, n->in[0], n->in + 2, input->type.rank - 1);
}

static void place_params(LoopCopy *l) {
  const IrFunction *f = l->body;
  IrBuilder *b = l->c->b;
  if (l->split && fits_stack(l, f->params[0]))
    place(l, f->params[0], PLACE_STACKED, ir_iota(b, l->count));
  for (int k = 0; k < l->carried; k++)
    if (!l->keep_carried[k]) place(l, carried_param(l, k), PLACE_OUTSIDE, initial_value(l, k));
  for (int k = 0; k < l->node->attr.scanned; k++) {
    const IrValue *param = f->params[1 + l->carried + k];
    if (!is_live(l, param)) continue;
    IrValue *input = l->in[l->first_scanned + k], *same = repeated_element(b, input);
    place(l, param, same ? PLACE_OUTSIDE : PLACE_STACKED, same ? same : input);
  }
  for (int k = 1 + l->carried + l->node->attr.scanned, j = l->first_captured; k < f->param_count;)
    place(l, f->params[k++], PLACE_OUTSIDE, l->in[j++]);
}

/* The size of something that is the same in all iterations, or NULL. */
static IrValue *fixed_size(LoopCopy *l, const IrValue *v, int axis) {
  enum { MOST_STEPS = 64 };
  IrBuilder *b = l->c->b;
  for (int step = 0; step < MOST_STEPS; step++) {
    Place where = place_of(l, v);
    IrValue *outer = l->outside.map[v->id];
    if (v->type.dim[axis] != IR_DYNAMIC) return ir_i64(b, v->type.dim[axis]);
    if (where != PLACE_INSIDE && outer) /* not what is still to come after the loop */
      return ir_dim(b, outer, axis + (where == PLACE_OUTSIDE ? 0 : 1));
    if (!v->node) {
      bool fixed = v->index > 0 && v->index <= l->carried && !(l->varies[v->index - 1] >> axis & 1);
      return fixed ? ir_dim(b, initial_value(l, v->index - 1), axis) : NULL;
    }
    Origin o = origin_of(v, axis);
    if (o.size) return place_of(l, o.size) == PLACE_OUTSIDE ? l->outside.map[o.size->id] : NULL;
    if (!o.of) return NULL;
    v = o.of;
    axis = o.axis;
  }
  return NULL;
}

IrValue *loop_in_shape(LoopCopy *l, const IrValue *v, IrValue *stack) {
  IrValue *dims[IR_MAX_RANK] = {l->count};
  if (!l->split || !l->open) return stack;
  for (int k = 0; k < v->type.rank; k++) {
    dims[1 + k] = fixed_size(l, v, k);
    if (!dims[1 + k]) return stack;
  }
  return ir_reshape(l->c->b, stack, dims, v->type.rank + 1);
}

/* Whether n is a reshape that only adds and drops axes of size 1, which has a value always. */
static bool adds_units(const IrNode *n) {
  int source[IR_MAX_RANK];
  return n->op == IR_RESHAPE && node_is_unit_reshape(n, source);
}

static void place_node(LoopCopy *l, const IrNode *n) {
  bool inside = false, stacked = false;
  if (n->op == IR_CONST) return; /* they have their places */
  if (n->op == IR_SHAPE && l->split) {
    IrValue *size = fixed_size(l, n->in[0], n->attr.axis);
    if (size) place(l, n->out[0], PLACE_OUTSIDE, size);
    if (size) return;
  }
  for (int k = 0; k < n->in_count; k++) {
    inside |= place_of(l, n->in[k]) == PLACE_INSIDE;
    stacked |= place_of(l, n->in[k]) == PLACE_STACKED;
  }
  if (inside || !l->c->session->options.hoist) return;
  if (!stacked && (l->runs || node_is_total(n) || adds_units(n))) {
    copy_node(&l->outside, n);
    for (int k = 0; k < n->out_count; k++) l->place[n->out[k]->id] = PLACE_OUTSIDE;
  } else if (stacked && can_batch(l, n)) {
    IrValue *v = emit_batched(l, n);
    if (v) place(l, n->out[0], PLACE_STACKED, v);
  }
}

static bool node_is_core(const LoopCopy *l, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (l->core[n->out[k]->id]) return true;
  return false;
}

static bool node_is_live(const LoopCopy *l, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (is_live(l, n->out[k])) return true;
  return false;
}

/* Whether a stack is one of values of v's shape. */
static bool same_extents(IrBuilder *b, IrValue *v, IrValue *stack) {
  for (int k = 0; k < v->type.rank; k++)
    if (!same_size(ir_dim(b, v, k), ir_dim(b, stack, 1 + k))) return false;
  return true;
}

/* Carried values whose next value is known for all iterations are known for all iterations. */
static bool place_shifted(LoopCopy *l) {
  bool any = false;
  for (int k = 0; k < l->carried && l->split; k++) {
    const IrValue *param = carried_param(l, k), *result = carried_result(l, k);
    if (!l->keep_carried[k] || place_of(l, param) != PLACE_INSIDE ||
        place_of(l, result) == PLACE_INSIDE || !fits_stack(l, param))
      continue;
    IrValue *ends = loop_stacked(l, result);
    IrType element = ir_row_type(&ends->type);
    if (!ir_type_fits(&element, &initial_value(l, k)->type) ||
        !same_extents(l->c->b, initial_value(l, k), ends))
      continue;
    place(l, param, PLACE_STACKED, shifted(l, k, ends));
    any = true;
  }
  return any;
}

/* ---- after the loop ---- */

/* Whether carried value k is a sum over the iterations of what does not depend on it. */
static bool is_accumulator(LoopCopy *l, int k) {
  const IrValue *param = carried_param(l, k), *result = carried_result(l, k);
  const IrNode *n = result->node;
  if (!l->keep_carried[k] || place_of(l, result) != PLACE_INSIDE || !n ||
      (n->op != IR_ADD && n->op != IR_SUB) || result->type.dtype != IR_F64)
    return false;
  const IrValue *x = n->in[0] == param ? n->in[1] : n->in[0];
  if ((n->in[0] != param && (n->op == IR_SUB || n->in[1] != param)) || x == param) return false;
  return l->outside.uses[param->id] == 1 && l->outside.uses[result->id] == 1 &&
         covers(&x->type, &param->type) && fits_stack(l, param);
}

static void mark_core(LoopCopy *l, const IrValue *v) {
  if (is_live(l, v) && place_of(l, v) == PLACE_INSIDE) l->core[v->id] = true;
}

/* Whether n is the same in all iterations, but has a value only if there is one. */
static bool is_conditional(const LoopCopy *l, const IrNode *n) {
  bool outside = true;
  for (int k = 0; k < n->in_count; k++) outside &= place_of(l, n->in[k]) == PLACE_OUTSIDE;
  return outside;
}

/* Finds what inside the loop has to be there: what carried values depend on, sums apart, and what
 * cannot be computed for all iterations at once. */
static void find_core(LoopCopy *l) {
  const IrFunction *f = l->body;
  if (l->first_result) mark_core(l, f->results[0]);
  for (int k = 0; k < l->carried; k++)
    if (l->keep_carried[k] && !l->accumulates[k]) mark_core(l, carried_result(l, k));
  for (int i = f->node_count - 1; i >= 0; i--) {
    const IrNode *n = f->nodes[i];
    if (!loop_keeps_inside(l, n)) continue;
    bool core = !can_batch(l, n) || is_conditional(l, n) || node_is_core(l, n);
    for (int k = 0; k < n->out_count && core; k++) mark_core(l, n->out[k]);
    for (int k = 0; k < n->in_count && core; k++) mark_core(l, n->in[k]);
  }
}

/* Whether v is known after the loop only if the loop stacks it. */
static bool needs_stack(const LoopCopy *l, const IrValue *v) {
  return place_of(l, v) == PLACE_INSIDE && (l->core[v->id] || !v->node);
}

static bool cannot_stack(LoopCopy *l, const IrValue *v) {
  bool large = exceeds(1, &v->type, MOST_OF_ROW);
  return needs_stack(l, v) && (large || !(has_fixed_shape(l, v) && fits_stack(l, v)));
}

/* What would need stacks that cannot be had stays in the loop. */
static bool retain(LoopCopy *l) {
  const IrFunction *f = l->body;
  bool changed = false;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (!loop_keeps_inside(l, n) || node_is_core(l, n)) continue;
    bool core = false;
    for (int k = 0; k < n->in_count; k++) core |= cannot_stack(l, n->in[k]);
    if (core) mark_core(l, n->out[0]);
    changed |= core;
  }
  for (int k = 0; k < l->carried; k++) {
    if (!l->accumulates[k] || !cannot_stack(l, added(l, k))) continue;
    l->accumulates[k] = false;
    changed = true;
  }
  return changed;
}

/* Marks that the loop has to stack v. Returns how many more stacks that are. */
static int need_stack(LoopCopy *l, const IrValue *v) {
  if (!needs_stack(l, v) || l->stacks[v->id]) return 0;
  l->stacks[v->id] = true;
  return 1;
}

/* Moves what is not core behind the loop, if that is worth the stacks it needs. */
static bool move_after(LoopCopy *l) {
  const IrFunction *f = l->body;
  size_t values = (size_t)f->value_count;
  Arena *a = l->c->b->module->arena;
  bool *before = ARENA_ARRAY(a, bool, values);
  int gain = 0;
  memcpy(before, l->stacks, values);
  for (size_t id = 0; id < values; id++)
    if (l->stacks[id] && l->place[id] == PLACE_INSIDE) gain += COST_STACK;
  memset(l->stacks, 0, values);
  for (int k = 0; k < l->carried; k++) {
    if (!l->accumulates[k]) continue;
    gain += COST_NODE + COST_CARRIED;
    gain -= COST_STACK * need_stack(l, added(l, k));
  }
  for (int k = 0; k < l->outs; k++)
    if (l->keep_out[k] && before[out_result(l, k)->id])
      gain -= COST_STACK * need_stack(l, out_result(l, k));
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (!loop_keeps_inside(l, n) || node_is_core(l, n)) continue;
    gain += COST_NODE;
    for (int k = 0; k < n->in_count; k++) gain -= COST_STACK * need_stack(l, n->in[k]);
  }
  if (gain > 0) return true;
  memcpy(l->stacks, before, values);
  return false;
}

static void place_rest(LoopCopy *l) {
  const IrFunction *f = l->body;
  for (int k = 0; k < l->carried; k++) l->accumulates[k] = is_accumulator(l, k);
  memset(l->varies, 0, sizeof *l->varies * (size_t)l->carried);
  find_varying_sizes(l);
  do find_core(l);
  while (retain(l));
  if (!move_after(l)) {
    memset(l->accumulates, 0, sizeof *l->accumulates * (size_t)l->carried);
    return;
  }
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (loop_keeps_inside(l, n) && !node_is_core(l, n)) l->place[n->out[0]->id] = PLACE_AFTER;
  }
}

static void place_constants(LoopCopy *l) {
  for (int i = 0; i < l->body->node_count; i++) {
    const IrNode *n = l->body->nodes[i];
    if (n->op != IR_CONST || !node_is_live(l, n)) continue;
    copy_node(&l->outside, n);
    l->place[n->out[0]->id] = PLACE_OUTSIDE;
  }
}

void loop_place(LoopCopy *l) {
  place_params(l);
  place_constants(l);
  if (l->split) find_varying_sizes(l);
  do {
    for (int i = 0; i < l->body->node_count; i++)
      if (node_is_live(l, l->body->nodes[i])) place_node(l, l->body->nodes[i]);
  } while (place_shifted(l));
}

/* Whether the stack of carried value k as iterations begin follows from that as they end. */
static bool follows(const LoopCopy *l, int k) {
  const IrValue *param = carried_param(l, k), *result = carried_result(l, k);
  return l->split && l->stacks[param->id] && l->stacks[result->id] && result->node &&
         place_of(l, result) == PLACE_INSIDE && (l->open || l->trips > COST_STACK) &&
         !l->varies[k] && ir_type_fits(&initial_value(l, k)->type, &result->type);
}

/* Slices of what is stacked anyway need no stack of their own. */
static void find_parts(LoopCopy *l) {
  const IrFunction *f = l->body;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->op != IR_SLICE || !can_batch(l, n) || !l->stacks[n->out[0]->id] ||
        place_of(l, n->out[0]) != PLACE_INSIDE || place_of(l, n->in[0]) != PLACE_INSIDE ||
        !l->stacks[n->in[0]->id])
      continue;
    l->stacks[n->out[0]->id] = false;
    l->parts[n->out[0]->id] = true;
  }
}

void loop_find_boundary(LoopCopy *l) {
  const IrFunction *f = l->body;
  if (l->split) place_rest(l);
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->in_count && loop_keeps_inside(l, f->nodes[i]); k++)
      l->given[f->nodes[i]->in[k]->id] |= place_of(l, f->nodes[i]->in[k]) == PLACE_STACKED;
  for (int k = 0; k < f->result_count; k++) {
    const IrValue *v = f->results[k];
    int carried = k - l->first_result;
    bool read = carried < 0 || (carried < l->carried && l->keep_carried[carried] &&
                                place_of(l, carried_param(l, carried)) == PLACE_INSIDE);
    l->given[v->id] |= read && place_of(l, v) == PLACE_STACKED;
    if (place_of(l, v) != PLACE_STACKED) continue;
    if (l->split)
      l->stacks[v->id] = false; /* it is a stack already */
    else
      l->given[v->id] |= l->stacks[v->id];
  }
  l->given[f->params[0]->id] = false;
  for (int k = 0; k < l->carried; k++)
    if (follows(l, k)) {
      l->stacks[carried_param(l, k)->id] = false;
      l->follows[k] = true;
    }
  find_parts(l);
}

void loop_place_after(LoopCopy *l) {
  const IrFunction *f = l->body;
  for (int k = 0; k < l->carried; k++)
    if (l->follows[k])
      l->outside.map[carried_param(l, k)->id] =
          shifted(l, k, l->outside.map[carried_result(l, k)->id]);
  for (int i = 0; i < f->node_count; i++) {
    const IrValue *v = f->nodes[i]->out_count ? f->nodes[i]->out[0] : NULL;
    if (v && is_live(l, v) && (place_of(l, v) == PLACE_AFTER || l->parts[v->id]))
      l->outside.map[v->id] = emit_batched(l, f->nodes[i]);
  }
}
