/* Joint functions: a body and its backward part as one, and its division in two again. */
#include "ir/builder.h"
#include "ir/grad.h"
#include "ir/changes.h"

#include <string.h>

static bool *flags(Arena *a, int count) { return ARENA_ARRAY(a, bool, (size_t)count + 1); }

/* ---- parts ---- */

typedef struct {
  Joint *j;
  Reverse *r;
  Changes changes;
  IrValue **results;
  size_t count, capacity;
} Parts;

static int add_result(Parts *p, IrValue *v) {
  ARENA_PUSH(p->r->arena, p->results, p->count, p->capacity, v);
  return (int)p->count - 1;
}

static void add_part(Parts *p, JointPart part) {
  ARENA_PUSH(p->r->arena, p->j->parts, p->j->part_count, p->j->part_capacity, part);
}

/* A flag of a value, of which `known` have one. */
static bool holds(const bool *flag, const IrValue *v, int known) {
  return v->constant || (v->id < known && flag[v->id]);
}

/* The value of a slice in full, so that those of several runs can be stacked. */
static IrValue *full_slice(IrBuilder *b, const Contribution *c, IrValue *like) {
  IrValue *dims[IR_MAX_RANK], *v = scaled(b, c->scale, c->value);
  int rank = like->type.rank;
  for (int k = 0; k < rank; k++) dims[k] = k == c->axis ? c->length : ir_dim(b, like, k);
  return ir_broadcast(b, v, dims, rank);
}

/* Whether the indices' own axes have known sizes. */
static bool known_extent(const IrType *index, int batch) {
  for (int k = batch; k < index->rank; k++)
    if (index->dim[k] == IR_DYNAMIC) return false;
  return true;
}

/* Slices and scatters of a capture are kept apart where those of all runs fit together: where the
 * place does not change, they can be summed, else stacked, if the shape is known from outside. */
static bool can_be_apart(const Parts *p, const Contribution *c, int known) {
  if (c->kind == PART_WHOLE) return false;
  if (c->kind == PART_SLICE && !holds(p->changes.outside, c->length, known)) return false;
  return holds(p->changes.outside, c->at, known) || known_extent(&c->at->type, c->batch);
}

static void parts_apart(Parts *p, int param, int known) {
  Reverse *r = p->r;
  const IrValue *v = r->f->params[param];
  for (Contribution **link = &r->contributions[v->id]; *link;) {
    const Contribution *c = *link;
    if (!can_be_apart(p, c, known)) {
      link = &(*link)->next;
      continue;
    }
    bool slice = c->kind == PART_SLICE;
    IrValue *value =
        slice ? full_slice(r->b, c, r->primal[v->id]) : scaled(r->b, c->scale, c->value);
    JointPart part = {.param = param, .kind = c->kind, .axis = c->axis, .batch = c->batch};
    part.value = add_result(p, value);
    part.at = add_result(p, c->at);
    part.length = slice ? add_result(p, c->length) : -1;
    add_part(p, part);
    *link = c->next;
  }
}

static void collect_parts(Parts *p, JointSetting s) {
  Reverse *r = p->r;
  IrFunction so_far = *r->b->function; /* what there is of it */
  so_far.nodes = r->b->nodes;
  so_far.node_count = r->b->node_count;
  so_far.value_count = r->b->value_count;
  int known = so_far.value_count;
  if (s.repeats) p->changes = changes_of(r->arena, &so_far, s.first_capture, p->j->params, true);
  for (int k = 0; k < p->j->params; k++) {
    const IrValue *v = r->f->params[k];
    double scale = 1;
    if (!p->j->wrt[k]) continue;
    bool capture = s.repeats && k >= s.first_capture;
    if (capture) parts_apart(p, k, known);
    IrValue *sum = reverse_cotangent(r, v, &scale);
    if (!sum) continue;
    sum = scaled(r->b, scale, sum);
    if (!capture) sum = full_like(r->b, sum, r->primal[v->id]);
    add_part(
        p,
        (JointPart){
            .param = k, .kind = PART_WHOLE, .value = add_result(p, sum), .at = -1, .length = -1});
  }
}

/* ---- the division ---- */

static bool reads(const Joint *j, const IrNode *n, Availability w) {
  for (int k = 0; k < n->in_count; k++)
    if (j->where[n->in[k]->id] == w) return true;
  return false;
}

/* Marks the values of f that sizes are computed from, but for the tensors that have them. */
static void mark_sizes(Arena *a, const IrFunction *f, bool *size) {
  for (int i = f->node_count - 1; i >= 0; i--) {
    const IrNode *n = f->nodes[i];
    bool made = n->op != IR_SHAPE && !n->body[0] && size[n->out[0]->id];
    for (int k = 0; k < n->in_count; k++)
      size[n->in[k]->id] |= is_size_operand(n, k) || (made && n->in[k]->type.dtype == IR_I64);
    for (int side = 0; side < 2 && n->body[side]; side++) {
      const IrFunction *body = n->body[side];
      bool *inner = flags(a, body->value_count);
      int shift = n->in_count - body->param_count; /* the last operands are the captures */
      mark_sizes(a, body, inner);
      for (int k = 0; k < body->param_count; k++)
        if (inner[body->params[k]->id] && k + shift >= 0 && k + shift < n->in_count)
          size[n->in[k + shift]->id] |= n->in[k + shift]->type.dtype == IR_I64;
    }
  }
}

bool is_size_of_param(const Joint *j, const IrNode *n) {
  return n->op == IR_SHAPE && !n->in[0]->node && n->in[0]->index < j->params;
}

/* Sizes are not stored: over a batch, what a loop stores of elements that have left it is 0, while
 * sizes must be the same for all. Those of parameters are known outside. */
static void locate(Joint *j, JointSetting s, const Changes *c) {
  const IrFunction *f = j->joint;
  Arena *a = ir_module_arena(f->module);
  bool *size = flags(a, f->value_count);
  mark_sizes(a, f, size);
  for (int k = 0; k < f->param_count; k++) {
    bool at_hand = k >= s.first_capture || (k == 0 && s.index_at_hand);
    j->where[f->params[k]->id] = k >= j->params ? LATER : at_hand ? AT_HAND : EARLIER;
  }
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    bool later = reads(j, n, LATER);
    for (int k = 0; k < n->out_count; k++) {
      const IrValue *v = n->out[k];
      Availability w = c->fixed[v->id] && !size[v->id] ? EARLIER : UNSTORED;
      if (s.repeats && c->outside[v->id]) w = HOISTED;
      if (n->op == IR_CONST || (s.repeats && is_size_of_param(j, n))) w = AT_HAND;
      j->where[v->id] = later ? LATER : w;
    }
  }
}

/* What the backward part reads of the forward part. */
static bool *find_needs(const Joint *j) {
  const IrFunction *f = j->joint;
  bool *needed = flags(ir_module_arena(f->module), f->value_count);
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    for (int k = 0; k < n->in_count && j->where[n->out[0]->id] == LATER; k++)
      needed[n->in[k]->id] = true;
  }
  for (int k = j->results; k < f->result_count; k++) needed[f->results[k]->id] = true;
  for (int k = 0; k < f->value_count; k++)
    if (j->where[k] == LATER || j->where[k] == AT_HAND) needed[k] = false;
  return needed;
}

static void divide(Joint *j, JointSetting s) {
  const IrFunction *f = j->joint;
  Arena *a = ir_module_arena(f->module);
  Changes c = changes_of(a, f, s.repeats ? s.first_capture : j->params, j->params, s.repeats);
  j->where = ARENA_ARRAY(a, Availability, (size_t)f->value_count + 1);
  j->stored = flags(a, f->value_count);
  j->again = flags(a, f->node_count);
  locate(j, s, &c);
  plan_tape(a, f, j->where, find_needs(j), s.storing, j->stored, j->again);
}

/* Whether the callee is straight code, which maps over tensors if it is elementwise. Such calls are
 * put in place, so that what a function and its derivative have in common is computed once. */
static bool is_straight(IrFunction *callee) {
  for (int i = 0; i < callee->node_count; i++) {
    const IrNode *n = callee->nodes[i];
    bool maps = ir_op_elementwise(n->op) || (n->op == IR_CONST && n->out[0]->type.rank == 0);
    if (n->op == IR_CALL ? !is_straight(n->body[0]) : n->body[0] || (callee->elementwise && !maps))
      return false;
  }
  return true;
}

Joint joint_new(IrFunction *body, const bool *wrt, const bool *seed, JointSetting s) {
  Arena *a = ir_module_arena(body->module);
  body = inline_calls(body, call_needs_body);
  size_t params = (size_t)body->param_count, results = (size_t)body->result_count;
  Joint j = {.params = body->param_count,
             .results = body->result_count,
             .wrt = flags(a, body->param_count),
             .seed = flags(a, body->result_count),
             .cotangent = ARENA_ARRAY(a, int, results + 1)};
  if (params) memcpy(j.wrt, wrt, sizeof *wrt * params);
  if (results) memcpy(j.seed, seed, sizeof *seed * results);
  IrBuilder *b = ir_function_begin(body->module, NULL, body->name);
  IrValue **args = copy_params(b, body), **given = ARENA_ARRAY(a, IrValue *, results + 1);
  for (int k = 0, at = j.params; k < j.results; k++) {
    j.cotangent[k] = seed[k] ? at++ : -1;
    if (seed[k]) given[k] = ir_param(b, body->results[k]->type, NULL);
  }
  Reverse r = reverse_new(b, body, wrt, seed);
  reverse_forward(&r, args);
  for (int k = 0; k < j.results; k++)
    if (seed[k]) reverse_add_whole(&r, body->results[k], 1, given[k]);
  reverse_backward(&r);
  Parts p = {.j = &j, .r = &r};
  for (int k = 0; k < j.results; k++) add_result(&p, r.primal[body->results[k]->id]);
  ir_set_adjoint(b, true);
  collect_parts(&p, s);
  j.joint = inline_calls(ir_function_end(b, p.results, NULL, (int)p.count), is_straight);
  divide(&j, s);
  return j;
}

/* ---- copies of the two ---- */

static void demand_operands(const IrNode *n, bool *live) {
  for (int k = 0; k < n->in_count; k++) live[n->in[k]->id] = true;
}

static bool any_live(const IrNode *n, const bool *live) {
  for (int k = 0; k < n->out_count; k++)
    if (live[n->out[k]->id]) return true;
  return false;
}

void joint_forward(const Joint *j, IrBuilder *b, IrValue **map) {
  const IrFunction *f = j->joint;
  bool *live = flags(ir_module_arena(f->module), f->value_count);
  for (int k = 0; k < j->results; k++) live[f->results[k]->id] = true;
  for (int k = 0; k < f->value_count; k++) live[k] |= j->stored[k];
  for (int i = f->node_count - 1; i >= 0; i--)
    if (any_live(f->nodes[i], live)) demand_operands(f->nodes[i], live);
  for (int i = 0; i < f->node_count; i++)
    if (any_live(f->nodes[i], live)) repeat_node(b, f->nodes[i], map);
}

/* Whether the backward part computes n, if it needs it. */
static bool runs_later(const Joint *j, int node) {
  const IrNode *n = j->joint->nodes[node];
  Availability w = j->where[n->out[0]->id];
  return w == LATER || w == AT_HAND || j->again[node];
}

void joint_backward(const Joint *j, IrBuilder *b, IrBuilder *outside, IrValue **map) {
  const IrFunction *f = j->joint;
  bool *live = flags(ir_module_arena(f->module), f->value_count);
  for (int k = j->results; k < f->result_count; k++) live[f->results[k]->id] = true;
  for (int i = f->node_count - 1; i >= 0; i--)
    if (any_live(f->nodes[i], live) && runs_later(j, i)) demand_operands(f->nodes[i], live);
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (!any_live(n, live) || !runs_later(j, i) || map[n->out[0]->id]) continue;
    repeat_node(j->where[n->out[0]->id] == HOISTED ? outside : b, n, map);
  }
}

IrValue *joint_result(const Joint *j, IrValue *const *map, int result) {
  return map[j->joint->results[result]->id];
}
