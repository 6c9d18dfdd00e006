/* Copying loops: results that nobody reads are dropped, with what the body carries and computes for
 * them; what need not be in the loop goes out of it. */
#include "ir/copy_loop.h"

#include "ir/extent.h"

/* ---- the plan ---- */

static bool is_invariant(const LoopCopy *l, int k) {
  return carried_result(l, k) == carried_param(l, k);
}

/* Finds what of the body its used results need. */
static void find_live(LoopCopy *l, bool *live, const int *uses) {
  const IrNode *n = l->node;
  for (int k = 0; k < l->outs; k++) {
    l->keep_out[k] = uses[n->out[l->carried + k]->id] > 0;
    if (l->keep_out[k]) live[out_result(l, k)->id] = true;
  }
  if (l->first_result) live[l->body->results[0]->id] = true;
  for (bool changed = true; changed;) {
    changed = false;
    mark_live(l->body, live);
    for (int k = 0; k < l->carried; k++) {
      bool needed = uses[n->out[k]->id] > 0 || live[carried_param(l, k)->id];
      if (!needed || l->keep_carried[k] || is_invariant(l, k)) continue;
      l->keep_carried[k] = changed = true;
      live[carried_result(l, k)->id] = true;
    }
  }
}

static bool is_true(const IrValue *v) { return v->constant && v->constant->data.boolean[0]; }

static LoopCopy plan_loop(Copier *c, const IrNode *n, IrValue *const *in) {
  Arena *a = c->b->module->arena;
  LoopCopy l = {.c = c, .node = n, .body = n->body[0], .in = in, .count = in[0]};
  l.first_result = n->attr.has_condition ? 1 : 0;
  l.condition = n->attr.has_condition ? in[1] : NULL;
  l.carried = n->attr.carried;
  l.outs = n->out_count - l.carried;
  l.first_carried = 1 + l.first_result;
  l.first_scanned = l.first_carried + l.carried;
  l.first_captured = l.first_scanned + n->attr.scanned;
  const IrTensor *count = l.count->constant;
  l.runs = count && count->data.i64[0] > 0 && (!l.condition || is_true(l.condition));
  l.trips = count ? count->data.i64[0] : 0;
  l.open = l.count && !count && (is_shared_size(c->b, l.count) || makes_size(c->f, n->in[0]));
  l.split = c->session->options.hoist && !l.condition && (l.open || l.trips > 1);
  for (int k = l.first_scanned; k < l.first_captured && l.split; k++)
    l.split = has_extent(in[k], 0, l.count);
  if (l.split && l.open) l.count = ir_binary(c->b, IR_MAX, l.count, ir_i64(c->b, 0));
  if (l.split && !c->b->module->options.no_algebra)
    l.body = regrouped_body(c->session, l.body, l.carried);
  size_t values = (size_t)l.body->value_count;
  l.keep_carried = ARENA_ARRAY(a, bool, (size_t)l.carried);
  l.keep_out = ARENA_ARRAY(a, bool, (size_t)l.outs);
  l.varies = ARENA_ARRAY(a, unsigned, (size_t)l.carried);
  l.follows = ARENA_ARRAY(a, bool, (size_t)l.carried);
  l.accumulates = ARENA_ARRAY(a, bool, (size_t)l.carried);
  l.place = ARENA_ARRAY(a, Place, values);
  l.core = ARENA_ARRAY(a, bool, values);
  l.given = ARENA_ARRAY(a, bool, values);
  l.stacks = ARENA_ARRAY(a, bool, values);
  l.stacked = ARENA_ARRAY(a, IrValue *, values);
  l.parts = ARENA_ARRAY(a, bool, values);
  bool *live = ARENA_ARRAY(a, bool, values);
  find_live(&l, live, c->uses);
  l.outside = copier_new(c->session, c->b, l.body);
  l.outside.live = live;
  l.outside.around = c->around;
  l.outside.in_loop = c->in_loop;
  l.outside.runs = c->runs;
  l.outside.doubtful = c->doubtful || !l.runs;
  copier_count_uses(&l.outside);
  return l;
}

bool loop_keeps_inside(const LoopCopy *l, const IrNode *n) {
  bool inside = false;
  for (int k = 0; k < n->out_count; k++)
    inside |= is_live(l, n->out[k]) && place_of(l, n->out[k]) == PLACE_INSIDE;
  for (int k = 0; k < l->carried && inside; k++) /* the sum itself comes after the loop */
    if (l->accumulates[k] && carried_result(l, k)->node == n) return false;
  return inside;
}

/* ---- the body ---- */

static bool is_carried(const LoopCopy *l, int k) {
  return l->keep_carried[k] && !l->accumulates[k] &&
         place_of(l, carried_param(l, k)) == PLACE_INSIDE;
}

/* The type of a carried value, with the sizes of its initial value where `refine` hopes that they
 * last. */
static IrType start_type(const LoopCopy *l, int k, bool refine) {
  IrType t = carried_param(l, k)->type;
  return refine ? ir_type_meet(&t, &initial_value(l, k)->type) : t;
}

static void give_stacked(LoopCopy *l, Copier *inner, const IrValue *v, IrLoop *loop,
                         IrValue **inputs) {
  IrValue *stack = loop_stacked(l, v);
  IrType element = ir_row_type(&stack->type);
  if (ir_type_fits(&element, &v->type)) element = ir_type_meet(&v->type, &element);
  IrValue *param = v->node ? ir_param(inner->b, element, NULL)
                           : copy_param(inner->b, l->body, v->index, element);
  param->facts = facts_close(v->facts | stack->facts);
  inner->map[v->id] = param;
  inputs[loop->scanned++] = stack;
}

/* Gives the body its parameters, and values to what is outside. */
static void bind_parameters(LoopCopy *l, Copier *inner, IrLoop *loop, IrValue **initial,
                            IrValue **inputs, bool refine) {
  const IrFunction *f = l->body;
  IrValue *i = copy_param(inner->b, f, 0, ir_scalar(IR_I64));
  i->facts |= IR_NONNEGATIVE | IR_FINITE | IR_NOT_NAN;
  for (int k = 0; k < l->carried; k++) {
    if (!is_carried(l, k)) continue;
    inner->map[carried_param(l, k)->id] = copy_param(inner->b, f, 1 + k, start_type(l, k, refine));
    initial[loop->carried++] = initial_value(l, k);
  }
  for (int k = 1; k < f->param_count; k++)
    if (l->given[f->params[k]->id]) give_stacked(l, inner, f->params[k], loop, inputs);
  for (int j = 0; j < f->node_count; j++)
    for (int k = 0; k < f->nodes[j]->out_count; k++)
      if (l->given[f->nodes[j]->out[k]->id])
        give_stacked(l, inner, f->nodes[j]->out[k], loop, inputs);
  for (int id = 0; id < f->value_count; id++)
    if (l->place[id] == PLACE_OUTSIDE) inner->map[id] = l->outside.map[id];
  inner->map[f->params[0]->id] = i;
}

/* Whether the sizes of what is carried lasted through the body. */
static bool types_last(const LoopCopy *l, const Copier *inner) {
  for (int k = 0; k < l->carried; k++) {
    if (!is_carried(l, k)) continue;
    const IrType *before = &copier_mapped(inner, carried_param(l, k))->type;
    const IrType *after = &copier_mapped(inner, carried_result(l, k))->type;
    const IrType *declared = &carried_param(l, k)->type;
    for (int a = 0; a < before->rank; a++)
      if (declared->dim[a] == IR_DYNAMIC && before->dim[a] != after->dim[a]) return false;
  }
  return true;
}

/* Copies what stays in the loop; `inner` is then its copier. False where the sizes of initial
 * values do not last. */
static bool copy_body(LoopCopy *l, Copier *inner, IrLoop *loop, bool refine) {
  Arena *a = l->c->b->module->arena;
  const IrFunction *f = l->body;
  IrValue **initial = ARENA_ARRAY(a, IrValue *, (size_t)l->carried),
          **inputs = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count);
  bool *live = ARENA_ARRAY(a, bool, (size_t)f->value_count);
  *inner = l->outside;
  inner->b = ir_function_begin(l->c->b->module, l->c->b, f->name);
  inner->map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count);
  inner->live = live;
  inner->around = l->c;
  inner->in_loop = true;
  inner->runs = l->runs;
  inner->doubtful = l->c->doubtful;
  *loop = (IrLoop){.count = l->count,
                   .condition = l->condition,
                   .initial = initial,
                   .inputs = inputs,
                   .reverse = l->node->attr.reverse};
  for (int j = 0; j < f->node_count; j++)
    for (int k = 0; k < f->nodes[j]->out_count; k++)
      live[f->nodes[j]->out[k]->id] =
          is_live(l, f->nodes[j]->out[k]) && loop_keeps_inside(l, f->nodes[j]);
  bind_parameters(l, inner, loop, initial, inputs, refine);
  copy_nodes(inner);
  return !refine || types_last(l, inner);
}

/* ---- the loop and its results ---- */

/* Whether a loop's count is a size, as opposed to something computed: over a batch that might
 * differ between the elements, which loops can deal with and shapes cannot. */
static bool is_size(const IrValue *count) {
  return count->constant || (count->node && count->node->op == IR_SHAPE);
}

/* Whether an out that is the same in all iterations can be stacked without the loop. */
static bool repeats(const LoopCopy *l, const IrValue *v) {
  return place_of(l, v) == PLACE_OUTSIDE && !l->condition && is_size(l->count) &&
         v->type.rank < IR_MAX_RANK;
}

static void take_stack(LoopCopy *l, const IrValue *v, IrValue *const *results, int *made) {
  IrValue **map = place_of(l, v) == PLACE_OUTSIDE ? l->stacked : l->outside.map;
  if (l->stacks[v->id]) map[v->id] = loop_in_shape(l, v, results[(*made)++]);
}

static void emit_loop(LoopCopy *l, Copier *inner, IrLoop loop) {
  Arena *a = l->c->b->module->arena;
  const IrFunction *f = l->body;
  IrValue **results = ARENA_ARRAY(a, IrValue *, (size_t)(f->result_count + f->value_count));
  int count = 0, made = 0;
  if (loop.condition && is_true(loop.condition) && is_true(copier_mapped(inner, f->results[0])))
    loop.condition = NULL;
  if (loop.condition) results[count++] = copier_mapped(inner, f->results[0]);
  for (int k = 0; k < l->carried; k++)
    if (is_carried(l, k)) results[count++] = copier_mapped(inner, carried_result(l, k));
  for (int id = 0; id < f->value_count; id++)
    if (l->stacks[id]) results[count++] = inner->map[id];
  if (count == (loop.condition ? 1 : 0)) return;
  ir_function_end(inner->b, results, NULL, count);
  ir_loop(l->c->b, loop, inner->b, results);
  for (int k = 0; k < l->carried; k++)
    if (is_carried(l, k)) l->c->map[l->node->out[k]->id] = results[made++];
  for (int k = 0; k < f->param_count; k++) take_stack(l, f->params[k], results, &made);
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->out_count; k++)
      take_stack(l, f->nodes[i]->out[k], results, &made);
}

static void finish_loop(LoopCopy *l) {
  const IrNode *n = l->node;
  IrValue **map = l->c->map;
  loop_place_after(l);
  for (int k = 0; k < l->carried; k++) {
    if (is_carried(l, k)) continue;
    if (l->accumulates[k])
      map[n->out[k]->id] = loop_accumulated(l, k);
    else if (l->keep_carried[k])
      map[n->out[k]->id] = loop_last(l, k);
    else
      map[n->out[k]->id] = initial_value(l, k);
  }
  for (int k = 0; k < l->outs; k++)
    if (l->keep_out[k]) map[n->out[l->carried + k]->id] = loop_stacked(l, out_result(l, k));
}

void copy_loop(Copier *c, const IrNode *n, IrValue *const *in) {
  LoopCopy l = plan_loop(c, n, in);
  Copier inner;
  IrLoop loop;
  loop_place(&l);
  for (int k = 0; k < l.outs; k++)
    if (l.keep_out[k] && !repeats(&l, out_result(&l, k))) l.stacks[out_result(&l, k)->id] = true;
  loop_find_boundary(&l);
  if (!copy_body(&l, &inner, &loop, true)) copy_body(&l, &inner, &loop, false);
  emit_loop(&l, &inner, loop);
  finish_loop(&l);
}

IrValue *copy_param(IrBuilder *b, const IrFunction *f, int k, IrType type) {
  IrValue *v = ir_param(b, type, f->param_names ? f->param_names[k] : NULL);
  v->facts = f->params[k]->facts;
  return v;
}
