/* Differentiating loops.
 *
 * The forward loop returns, beside its own results, a tape: what the backward body reads of each
 * iteration and does not have at hand, stacked. The backward loop runs over the iterations from the
 * last to the first. It carries the cotangents of what the forward loop carries, and sums of the
 * cotangents of what the body captures; those of scanned inputs are stacked. Where the body reads
 * but a part of a captured tensor, in another place each time, the cotangents of the parts are
 * stacked and added in their places after the loop. */
#include "ir/grad.h"

#include <assert.h>

enum { SCAN_OUTPUT_AND_INPUT = 110 }; /* per iteration, in units of 10 ns */

typedef struct {
  Joint joint;
  IrValue **tape; /* by value id of the joint function: stacked values */
  IrValue *trips; /* iterations run */
} LoopRecord;

static IrValue **values(Arena *a, int count) {
  return ARENA_ARRAY(a, IrValue *, (size_t)count + 1);
}

static IrValue *operand(const Reverse *r, const IrNode *n, int k) {
  return r->primal[n->in[k]->id];
}

/* ---- forwards ---- */

/* The body's parameters in b, by joint's values; captures are what they are outside. */
static void bind_body(Reverse *r, const IrNode *n, const IrFunction *joint, int params,
                      IrValue **map) {
  LoopLayout l = loop_layout(n);
  for (int k = l.captured; k < params; k++)
    map[joint->params[k]->id] = operand(r, n, l.captures + k - l.captured);
}

static IrValue *like_param(IrBuilder *b, const IrValue *param) {
  IrValue *v = ir_param(b, param->type, NULL);
  ir_assume(v, param->facts);
  return v;
}

/* Whether the backward loop scans the forward loop's inputs as they are. One that may be left early
 * does not get to their ends: then what it has scanned goes on the tape, which is as long as the
 * iterations that ran. */
static bool rescans(const IrNode *n) { return !n->attr.has_condition; }

/* Values that the tape holds beside such inputs, in order; returns their number. */
static int taped_values(const LoopRecord *record, const IrNode *n, const IrValue **list) {
  const IrFunction *f = record->joint.joint;
  LoopLayout l = loop_layout(n);
  int count = 0;
  for (int k = 0; k < (rescans(n) ? l.element : l.captured); k++)
    if (record->joint.stored[f->params[k]->id]) list[count++] = f->params[k];
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->out_count; k++)
      if (record->joint.stored[f->nodes[i]->out[k]->id]) list[count++] = f->nodes[i]->out[k];
  return count;
}

/* The loop's own out that is v stacked, or -1. */
static int own_out(const Joint *j, const IrNode *n, const IrValue *v) {
  LoopLayout l = loop_layout(n);
  for (int k = l.outs; k < j->results; k++)
    if (j->joint->results[k] == v) return k - l.results;
  return -1;
}

static void emit_forward(Reverse *r, const IrNode *n, LoopRecord *record) {
  const Joint *j = &record->joint;
  const IrFunction *f = j->joint;
  LoopLayout l = loop_layout(n);
  bool counts = n->attr.has_condition;
  IrValue **map = values(r->arena, f->value_count), *counter = NULL;
  const IrValue **taped = ARENA_ARRAY(r->arena, const IrValue *, (size_t)f->value_count + 1);
  int taped_count = taped_values(record, n, taped), count = 0, carried = n->attr.carried;
  IrValue **results = values(r->arena, j->results + taped_count + 1);
  IrValue **initial = values(r->arena, carried + 1);
  IrBuilder *b = ir_function_begin(r->f->module, r->b, n->body[0]->name);
  for (int k = 0; k < l.element; k++) map[f->params[k]->id] = like_param(b, f->params[k]);
  if (counts) counter = ir_param(b, ir_scalar(IR_I64), NULL);
  for (int k = l.element; k < l.captured; k++) map[f->params[k]->id] = like_param(b, f->params[k]);
  bind_body(r, n, f, j->params, map);
  joint_forward(j, b, map);
  for (int k = 0; k < l.outs; k++) results[count++] = joint_result(j, map, k);
  if (counts) results[count++] = ir_binary(b, IR_ADD, counter, ir_i64(b, 1));
  for (int k = l.outs; k < j->results; k++) results[count++] = joint_result(j, map, k);
  for (int k = 0; k < taped_count; k++)
    if (own_out(j, n, taped[k]) < 0) results[count++] = map[taped[k]->id];
  ir_function_end(b, results, NULL, count);
  for (int k = 0; k < carried; k++) initial[k] = operand(r, n, l.initial + k);
  if (counts) initial[carried] = ir_i64(r->b, 0);
  IrValue **inputs = values(r->arena, n->attr.scanned);
  for (int k = 0; k < n->attr.scanned; k++) inputs[k] = operand(r, n, l.scanned + k);
  IrLoop loop = {.count = operand(r, n, 0),
                 .condition = counts ? operand(r, n, 1) : NULL,
                 .carried = carried + (counts ? 1 : 0),
                 .scanned = n->attr.scanned,
                 .initial = initial,
                 .inputs = inputs,
                 .reverse = n->attr.reverse};
  ir_loop(r->b, loop, b, results);
  count = 0;
  for (int k = 0; k < carried; k++) r->primal[n->out[k]->id] = results[count++];
  record->trips = counts ? results[count++] : loop.count;
  for (int k = carried; k < n->out_count; k++) r->primal[n->out[k]->id] = results[count++];
  record->tape = values(r->arena, f->value_count);
  for (int k = 0; k < taped_count; k++) {
    int own = own_out(j, n, taped[k]);
    record->tape[taped[k]->id] = own < 0 ? results[count++] : r->primal[n->out[own]->id];
  }
  for (int k = l.element; k < l.captured; k++)
    if (rescans(n) && j->stored[f->params[k]->id])
      record->tape[f->params[k]->id] = inputs[k - l.element];
}

void forward_loop(Reverse *r, int node) {
  const IrNode *n = r->f->nodes[node];
  IrFunction *body = n->body[0];
  LoopLayout l = loop_layout(n);
  assert(!(n->attr.has_condition && n->attr.reverse));
  LoopRecord *record = r->records[node] = ARENA_NEW(r->arena, LoopRecord);
  bool *wrt = ARENA_ARRAY(r->arena, bool, (size_t)body->param_count + 1);
  bool *seed = ARENA_ARRAY(r->arena, bool, (size_t)body->result_count + 1);
  loop_activity(n, r->varied, r->useful, wrt, seed);
  record->joint = joint_new(body, wrt, seed,
                            (JointSetting){.first_capture = l.captured,
                                           .repeats = true,
                                           .index_at_hand = true,
                                           .storing = SCAN_OUTPUT_AND_INPUT});
  emit_forward(r, n, record);
}

/* ---- backwards ---- */

/* What comes out of the backward loop. */
typedef struct {
  const JointPart *part; /* NULL: the cotangent of the carried value number `carried` */
  int carried;
  IrValue *at, *length; /* the place, where it is the same for all iterations */
  bool consecutive;     /* iteration i's place is at + i */
  IrValue *index;       /* else: the places of all iterations, stacked; NULL: not on the tape */
  IrValue *value;
} Flow;

typedef struct {
  Reverse *r;
  const IrNode *node;
  const LoopRecord *record;
  const Joint *joint;
  LoopLayout layout;
  IrBuilder *body;
  IrValue **map; /* by value id of the joint function */
  Flow *carried, *stacked;
  int carried_count, stacked_count;
  IrValue **initial, **inputs;
  int input_count;
} Backward;

static const IrValue *result_of(const Joint *j, int k) {
  return k < 0 ? NULL : j->joint->results[k];
}

/* Whether v is known outside the loop. */
static bool is_outside(const Joint *j, const IrValue *v) {
  bool at_hand = j->where[v->id] == AT_HAND || j->where[v->id] == HOISTED;
  return at_hand && v != j->joint->params[0];
}

/* Such a value there: a capture, a constant or what follows from them. */
static IrValue *outside(Backward *w, const IrValue *v) {
  if (v->node && !w->map[v->id]) {
    for (int k = 0; k < v->node->in_count; k++) outside(w, v->node->in[k]);
    repeat_node(w->r->b, v->node, w->map);
  }
  return w->map[v->id];
}

/* Whether v is the loop's index, or the index and something known outside, which goes to *offset.
 */
static bool follows_index(const Joint *j, const IrValue *v, const IrValue **offset) {
  const IrValue *i = j->joint->params[0];
  const IrNode *n = v->node;
  *offset = NULL;
  if (v == i) return true;
  for (int k = 0; k < 2 && n && n->op == IR_ADD; k++)
    if (n->in[k] == i && is_outside(j, n->in[1 - k])) {
      *offset = n->in[1 - k];
      return true;
    }
  return false;
}

/* Parts of a capture are summed where their place is the same for all iterations, else stacked. */
static void plan_part(Backward *w, const JointPart *p) {
  const Joint *j = w->joint;
  const IrValue *at = result_of(j, p->at), *length = result_of(j, p->length), *offset;
  Flow f = {.part = p};
  if (p->param < w->layout.captured) {
    w->stacked[w->stacked_count++] = f;
    return;
  }
  if (length) f.length = outside(w, length);
  if (!at || is_outside(j, at)) {
    if (at) f.at = outside(w, at);
    w->carried[w->carried_count++] = f;
    return;
  }
  f.consecutive = p->kind == PART_SCATTER && p->batch == 0 && at->type.rank == 0 &&
                  follows_index(j, at, &offset);
  if (f.consecutive)
    f.at = offset ? outside(w, offset) : ir_i64(w->r->b, 0);
  else
    f.index = w->record->tape[at->id];
  w->stacked[w->stacked_count++] = f;
}

static void plan_flows(Backward *w) {
  const Joint *j = w->joint;
  for (int k = 0; k < w->node->attr.carried; k++)
    if (j->wrt[1 + k]) w->carried[w->carried_count++] = (Flow){.carried = k};
  for (size_t k = 0; k < j->part_count; k++)
    if (j->parts[k].param >= w->layout.element) plan_part(w, &j->parts[k]);
}

static IrValue *captured(const Backward *w, int param) {
  return operand(w->r, w->node, w->layout.captures + param - w->layout.captured);
}

/* Zeros to which the values of a part, all of one shape, can be added. */
static IrValue *zeros_for(Backward *w, const Flow *f) {
  IrBuilder *b = w->r->b;
  const IrType *t = &result_of(w->joint, f->part->value)->type;
  IrValue *like = captured(w, f->part->param), *dims[IR_MAX_RANK];
  if (f->part->kind == PART_SLICE) like = ir_slice(b, like, f->part->axis, f->at, f->length);
  if (f->part->kind == PART_SCATTER)
    like = ir_gather(b, like, f->at, f->part->axis, f->part->batch);
  for (int k = 0; k < t->rank; k++)
    dims[k] = t->dim[k] == IR_DYNAMIC ? ir_dim(b, like, k + like->type.rank - t->rank)
                                      : ir_i64(b, t->dim[k]);
  return ir_broadcast(b, ir_f64(b, 0), dims, t->rank);
}

static IrValue *scan(Backward *w, IrValue *stacked) {
  w->inputs[w->input_count++] = stacked;
  IrValue *v = ir_param(w->body, ir_row_type(&stacked->type), NULL);
  ir_assume(v, stacked->facts);
  return v;
}

/* The cotangent of an out of the loop, for one iteration: scanned, or the same for all. */
static IrValue *given_out(Backward *w, int k) {
  const IrValue *out = w->node->out[k];
  IrValue *primal = w->r->primal[out->id], *dims[IR_MAX_RANK];
  IrBuilder *b = w->r->b;
  double scale = 1;
  IrValue *g = reverse_cotangent(w->r, out, &scale);
  int rank = out->type.rank - 1;
  if (g && g->type.rank > rank && g->type.dim[0] != 1)
    return scan(w, full_like(b, scaled(b, scale, g), primal));
  g = g ? scaled(b, scale, g) : ir_f64(b, 0);
  if (g->type.rank > rank) g = ir_squeeze(b, g, 0);
  for (int a = 0; a < rank; a++) dims[a] = ir_dim(b, primal, a + 1);
  return ir_broadcast(b, g, dims, rank);
}

/* The parameters of the backward body: the iteration, what it carries, what it scans. */
static void bind_backward(Backward *w) {
  const Joint *j = w->joint;
  const IrFunction *f = j->joint;
  w->map[f->params[0]->id] = like_param(w->body, f->params[0]);
  for (int k = 0; k < w->carried_count; k++) {
    Flow *c = &w->carried[k];
    if (c->part) {
      w->initial[k] = zeros_for(w, c);
      c->value = ir_param(w->body, result_of(j, c->part->value)->type, NULL);
    } else {
      const IrValue *given = f->params[j->cotangent[w->layout.results + c->carried]];
      w->initial[k] = reverse_full(w->r, w->node->out[c->carried], true);
      c->value = w->map[given->id] = ir_param(w->body, given->type, NULL);
    }
  }
  for (int id = 0; id < f->value_count; id++)
    if (w->record->tape[id]) w->map[id] = scan(w, w->record->tape[id]);
  for (int k = w->node->attr.carried; k < w->node->out_count; k++) {
    int result = w->layout.results + k;
    if (j->seed[result]) w->map[f->params[j->cotangent[result]]->id] = given_out(w, k);
  }
}

/* The sizes of the body's parameters are those of the loop's operands. */
static void bind_sizes(Backward *w) {
  const IrFunction *f = w->joint->joint;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (!is_size_of_param(w->joint, n)) continue;
    int param = n->in[0]->index, first = w->layout.initial - 1;
    bool element = param >= w->layout.element && param < w->layout.captured;
    w->map[n->out[0]->id] =
        ir_dim(w->r->b, operand(w->r, w->node, first + param), n->attr.axis + (element ? 1 : 0));
  }
}

static const JointPart *part_of(const Joint *j, int param) {
  for (size_t k = 0; k < j->part_count; k++)
    if (j->parts[k].param == param) return &j->parts[k];
  return NULL;
}

static int backward_results(Backward *w, IrValue **results) {
  const Joint *j = w->joint;
  int count = 0;
  for (int k = 0; k < w->carried_count; k++) {
    Flow *c = &w->carried[k];
    const JointPart *p = c->part ? c->part : part_of(j, 1 + c->carried);
    IrValue *v = p ? joint_result(j, w->map, p->value) : zeros_like(w->body, c->value);
    results[count++] = c->part ? ir_binary(w->body, IR_ADD, c->value, v) : v;
  }
  for (int k = 0; k < w->stacked_count; k++) {
    Flow *s = &w->stacked[k];
    results[count++] = joint_result(j, w->map, s->part->value);
    if (s->part->at >= 0 && !s->consecutive && !s->index)
      results[count++] = joint_result(j, w->map, s->part->at);
  }
  return count;
}

/* v with its first axis moved to `axis`. */
static IrValue *first_axis_to(IrBuilder *b, IrValue *v, int axis) {
  int8_t p[IR_MAX_RANK];
  for (int k = 0; k < v->type.rank; k++) p[k] = (int8_t)(k < axis ? k + 1 : k == axis ? 0 : k);
  return axis ? ir_transpose(b, v, p) : v;
}

/* Stacked values in the shape that they are known to have: where no iteration ran, they may have
 * forgotten it. dims[0] is for the number of iterations. */
static IrValue *in_shape(Backward *w, IrValue *stacked, IrValue **dims) {
  const IrTensor *count = w->record->trips->constant;
  bool known = count && count->data.i64[0] > 0;
  for (int k = 1; k < stacked->type.rank && !known; k++)
    if (stacked->type.dim[k] == IR_DYNAMIC) {
      dims[0] = ir_dim(w->r->b, stacked, 0);
      return ir_reshape(w->r->b, stacked, dims, stacked->type.rank);
    }
  return stacked;
}

static IrValue *stacked_index(Backward *w, const Flow *s, IrValue *x) {
  IrValue *dims[IR_MAX_RANK];
  const IrType *t = &s->index->type;
  for (int k = 1; k < t->rank; k++)
    dims[k] = k <= s->part->batch ? ir_dim(w->r->b, x, k - 1) : ir_i64(w->r->b, t->dim[k]);
  return in_shape(w, s->index, dims);
}

static IrValue *stacked_value(Backward *w, const Flow *s, IrValue *x) {
  IrBuilder *b = w->r->b;
  const JointPart *p = s->part;
  const IrType *at = &result_of(w->joint, p->at)->type;
  IrValue *dims[IR_MAX_RANK];
  int rank = 1;
  for (int k = 0; k < p->axis; k++) dims[rank++] = ir_dim(b, x, k);
  if (p->kind == PART_SLICE) dims[rank++] = s->length;
  for (int k = p->batch; k < at->rank; k++) dims[rank++] = ir_i64(b, at->dim[k]);
  for (int k = p->axis + 1; k < x->type.rank; k++) dims[rank++] = ir_dim(b, x, k);
  return in_shape(w, s->value, dims);
}

/* Stacked parts of a capture, as one part. */
static Contribution merged(Backward *w, const Flow *s) {
  IrBuilder *b = w->r->b;
  const JointPart *p = s->part;
  IrValue *x = captured(w, p->param);
  Contribution c = {.kind = PART_SCATTER, .scale = 1, .axis = p->axis, .batch = p->batch};
  c.value = first_axis_to(b, stacked_value(w, s, x), p->axis);
  if (s->consecutive) {
    c.kind = PART_SLICE;
    c.at = s->at;
    c.length = ir_dim(b, s->value, 0);
  } else if (p->kind == PART_SLICE) {
    c.at = ir_binary(b, IR_ADD, ir_unsqueeze(b, s->index, 1), ir_iota(b, s->length));
  } else {
    c.at = first_axis_to(b, stacked_index(w, s, x), p->batch);
  }
  return c;
}

static void flow_stacked(Backward *w, const Flow *s) {
  Reverse *r = w->r;
  const IrNode *n = w->node;
  if (s->part->param >= w->layout.captured) {
    reverse_add(r, n->in[w->layout.captures + s->part->param - w->layout.captured], merged(w, s));
    return;
  }
  /* a loop that was left early has not scanned all */
  const IrValue *input = n->in[w->layout.scanned + s->part->param - w->layout.element];
  IrValue *x = r->primal[input->id], *dims[IR_MAX_RANK];
  int64_t all = x->type.dim[0], run = s->value->type.dim[0];
  for (int k = 1; k < x->type.rank; k++) dims[k] = ir_dim(r->b, x, k);
  Contribution c = {.kind = PART_WHOLE, .scale = 1, .value = in_shape(w, s->value, dims)};
  if (n->attr.has_condition || (all != run && all != IR_DYNAMIC && run != IR_DYNAMIC)) {
    c.kind = PART_SLICE;
    c.at = ir_i64(r->b, 0);
    c.length = ir_dim(r->b, s->value, 0);
  }
  reverse_add(r, input, c);
}

static void flow_carried(Backward *w, const Flow *c) {
  const IrNode *n = w->node;
  const JointPart *p = c->part;
  if (!p) {
    reverse_add_whole(w->r, n->in[w->layout.initial + c->carried], 1, c->value);
    return;
  }
  reverse_add(w->r, n->in[w->layout.captures + p->param - w->layout.captured],
              (Contribution){.kind = p->kind,
                             .scale = 1,
                             .value = c->value,
                             .at = c->at,
                             .length = c->length,
                             .axis = p->axis,
                             .batch = p->batch});
}

static void emit_backward(Backward *w) {
  const Joint *j = w->joint;
  Reverse *r = w->r;
  size_t most = (size_t)w->node->attr.carried + j->part_count;
  IrValue **results = values(r->arena, (int)(2 * most));
  bind_backward(w);
  bind_sizes(w);
  joint_backward(j, w->body, r->b, w->map);
  int count = backward_results(w, results);
  ir_function_end(w->body, results, NULL, count);
  ir_loop(r->b,
          (IrLoop){.count = w->record->trips,
                   .carried = w->carried_count,
                   .scanned = w->input_count,
                   .initial = w->initial,
                   .inputs = w->inputs,
                   .reverse = !w->node->attr.reverse},
          w->body, results);
  for (int k = 0; k < w->carried_count; k++) w->carried[k].value = *results++;
  for (int k = 0; k < w->stacked_count; k++) {
    Flow *s = &w->stacked[k];
    s->value = *results++;
    if (s->part->at >= 0 && !s->consecutive && !s->index) s->index = *results++;
  }
}

void backward_loop(Reverse *r, int node) {
  const IrNode *n = r->f->nodes[node];
  const LoopRecord *record = r->records[node];
  const Joint *j = &record->joint;
  size_t most = (size_t)n->attr.carried + j->part_count + 1;
  bool any = false;
  for (int k = 0; k < n->out_count; k++) any |= r->contributions[n->out[k]->id] != NULL;
  if (!any) return;
  Backward w = {.r = r,
                .node = n,
                .record = record,
                .joint = j,
                .layout = loop_layout(n),
                .body = ir_function_begin(r->f->module, r->b, n->body[0]->name),
                .map = values(r->arena, j->joint->value_count),
                .carried = ARENA_ARRAY(r->arena, Flow, most),
                .stacked = ARENA_ARRAY(r->arena, Flow, most),
                .initial = values(r->arena, (int)most),
                .inputs = values(r->arena, j->joint->value_count + n->out_count)};
  bind_body(r, n, j->joint, j->params, w.map);
  plan_flows(&w);
  emit_backward(&w);
  for (int k = 0; k < w.carried_count; k++) flow_carried(&w, &w.carried[k]);
  for (int k = 0; k < w.stacked_count; k++) flow_stacked(&w, &w.stacked[k]);
}
