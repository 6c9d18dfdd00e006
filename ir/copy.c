/* Copying a function's nodes into a builder: everything ir_emit does is done again, with what is
 * known of the arguments. Bodies are copied too, as far as their results are used. */
#include "ir/builder.h"
#include "ir/linear.h"

#include <assert.h>
#include <string.h>

/* A function of scalars, made to take batches of them. */
typedef struct Batched Batched;
struct Batched {
  IrFunction *callee, *function;
  uint64_t mask; /* which parameters are batched */
  int levels;
  Batched *next;
};

typedef struct {
  CopyOptions options;
  Batched *batched;
} Session;

/* A function on its way into a builder. */
typedef struct Copier Copier;
struct Copier {
  Session *session;
  IrBuilder *b;
  const IrFunction *f;
  IrValue **map;         /* by value id; NULL for what is not copied */
  const bool *live;      /* by value id: what is to be copied; NULL: everything */
  int *uses;             /* by value id: how often copied nodes and the results read it */
  const IrNode **reader; /* by value id: the last node that does */
  Copier *around;        /* the copier of the node whose body this is, when b is the body's */
  bool in_loop;          /* f is the body of a loop, whose parent is `around`'s builder */
  bool runs;             /* that loop has at least one iteration */
};

static bool any_live(const Copier *c, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (!c->live || c->live[n->out[k]->id]) return true;
  return false;
}

static void find_uses(Copier *c) {
  for (int k = 0; k < c->f->result_count; k++) {
    int id = c->f->results[k]->id;
    if (!c->live || c->live[id]) c->uses[id]++;
  }
  for (int i = 0; i < c->f->node_count; i++) {
    const IrNode *n = c->f->nodes[i];
    for (int k = 0; k < n->in_count && any_live(c, n); k++) {
      c->uses[n->in[k]->id]++;
      c->reader[n->in[k]->id] = n;
    }
  }
}

static Copier copier_new(Session *s, IrBuilder *b, const IrFunction *f) {
  Arena *a = b->module->arena;
  return (Copier){.session = s,
                  .b = b,
                  .f = f,
                  .map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count),
                  .uses = ARENA_ARRAY(a, int, (size_t)f->value_count),
                  .reader = ARENA_ARRAY(a, const IrNode *, (size_t)f->value_count)};
}

static IrValue *mapped(const Copier *c, const IrValue *v) { return c->map[v->id]; }

static IrValue **map_operands(const Copier *c, const IrNode *n) {
  IrValue **in = ARENA_ARRAY(c->b->module->arena, IrValue *, (size_t)n->in_count);
  for (int k = 0; k < n->in_count; k++) in[k] = mapped(c, n->in[k]);
  return in;
}

static void copy_nodes(Copier *c);

/* ---- where a node goes ---- */

/* Ops that have a value whatever their operands are, so that they may be computed where the
 * program would not have come to them. */
static bool is_total(const IrNode *n) {
  switch (n->op) {
  case IR_DIV:
  case IR_MOD: return n->out[0]->type.dtype == IR_F64;
  case IR_TRANSPOSE:
  case IR_REDUCE_SUM:
  case IR_REDUCE_PROD:
  case IR_REDUCE_ANY:
  case IR_REDUCE_ALL:
  case IR_REVERSE:
  case IR_CUMSUM:
  case IR_SHAPE: return true;
  default: return ir_op_elementwise(n->op);
  }
}

static bool depends_on(const IrBuilder *b, IrValue *const *in, int count) {
  for (int k = 0; k < count; k++)
    if (in[k]->owner == b->function && !in[k]->constant) return true;
  return false;
}

/* The copier whose builder gets the node: a loop's invariants move out of it. */
static Copier *home_of(Copier *c, const IrNode *n, IrValue *const *in) {
  while (c->session->options.hoist && c->in_loop && !depends_on(c->b, in, n->in_count) &&
         (c->runs || is_total(n)))
    c = c->around;
  return c;
}

/* What was known of a value is known of its copy. */
static void keep_knowledge(IrValue *copy, const IrValue *v) {
  copy->facts = facts_close(copy->facts | v->facts);
  if (copy->node && !copy->constant && ir_type_fits(&copy->type, &v->type))
    copy->type = ir_type_meet(&copy->type, &v->type);
}

/* ---- IF ---- */

static void copy_branch(Copier *c, IrBuilder *into, const IrNode *n, int side, IrValue *const *in,
                        IrValue **results) {
  const IrFunction *f = n->body[side];
  Copier inner = copier_new(c->session, into, f);
  bool *live = ARENA_ARRAY(c->b->module->arena, bool, (size_t)f->value_count);
  inner.live = live;
  if (into == c->b) {
    inner.around = c->around;
    inner.in_loop = c->in_loop;
    inner.runs = c->runs;
  }
  for (int k = 0; k < f->param_count; k++) inner.map[f->params[k]->id] = in[1 + k];
  for (int k = 0; k < n->out_count; k++) live[f->results[k]->id] |= c->uses[n->out[k]->id] > 0;
  mark_live(f, live);
  copy_nodes(&inner);
  for (int k = 0; k < n->out_count; k++)
    if (c->uses[n->out[k]->id]) *results++ = mapped(&inner, f->results[k]);
}

static void copy_if(Copier *c, const IrNode *n, IrValue *const *in) {
  Arena *a = c->b->module->arena;
  IrValue **results = ARENA_ARRAY(a, IrValue *, (size_t)n->out_count);
  int count = 0;
  for (int k = 0; k < n->out_count; k++) count += c->uses[n->out[k]->id] > 0;
  if (in[0]->constant) {
    copy_branch(c, c->b, n, in[0]->constant->data.boolean[0] ? 0 : 1, in, results);
  } else {
    IrBuilder *branches[2];
    for (int side = 0; side < 2; side++) {
      branches[side] = ir_function_begin(c->b->module, c->b, n->body[side]->name);
      copy_branch(c, branches[side], n, side, in, results);
      ir_function_end(branches[side], results, NULL, count);
    }
    ir_if(c->b, in[0], branches[0], branches[1], results);
  }
  for (int k = 0; k < n->out_count; k++)
    if (c->uses[n->out[k]->id]) c->map[n->out[k]->id] = *results++;
}

/* ---- LOOP ---- */

/* A loop on its way, with what of it is kept. */
typedef struct {
  const IrNode *node;
  const IrFunction *body;
  IrValue *const *in;
  IrValue *count, *condition;
  int first_carried, first_scanned, first_captured; /* among the operands */
  int first_result;
  int outs;
  bool *live; /* by value id of the body */
  bool *keep_carried, *keep_out;
  bool reverse;
} LoopCopy;

static const IrValue *carried_param(const LoopCopy *l, int k) { return l->body->params[1 + k]; }
static const IrValue *carried_result(const LoopCopy *l, int k) {
  return l->body->results[l->first_result + k];
}
static const IrValue *out_result(const LoopCopy *l, int k) {
  return l->body->results[l->first_result + l->node->attr.carried + k];
}
static bool is_invariant(const LoopCopy *l, int k) {
  return carried_result(l, k) == carried_param(l, k);
}

/* Finds what of the body its used results need. */
static void find_live(LoopCopy *l, const int *uses) {
  const IrNode *n = l->node;
  for (int k = 0; k < l->outs; k++) {
    l->keep_out[k] = uses[n->out[n->attr.carried + k]->id] > 0;
    if (l->keep_out[k]) l->live[out_result(l, k)->id] = true;
  }
  if (l->first_result) l->live[l->body->results[0]->id] = true;
  for (bool changed = true; changed;) {
    changed = false;
    mark_live(l->body, l->live);
    for (int k = 0; k < n->attr.carried; k++) {
      bool needed = uses[n->out[k]->id] > 0 || l->live[carried_param(l, k)->id];
      if (!needed || l->keep_carried[k] || is_invariant(l, k)) continue;
      l->keep_carried[k] = changed = true;
      l->live[carried_result(l, k)->id] = true;
    }
  }
}

static LoopCopy plan_loop(Copier *c, const IrNode *n, IrValue *const *in) {
  Arena *a = c->b->module->arena;
  LoopCopy l = {
      .node = n, .body = n->body[0], .in = in, .count = in[0], .reverse = n->attr.reverse};
  l.first_result = n->attr.has_condition ? 1 : 0;
  l.condition = n->attr.has_condition ? in[1] : NULL;
  l.first_carried = 1 + l.first_result;
  l.first_scanned = l.first_carried + n->attr.carried;
  l.first_captured = l.first_scanned + n->attr.scanned;
  l.outs = n->out_count - n->attr.carried;
  l.live = ARENA_ARRAY(a, bool, (size_t)l.body->value_count);
  l.keep_carried = ARENA_ARRAY(a, bool, (size_t)n->attr.carried);
  l.keep_out = ARENA_ARRAY(a, bool, (size_t)l.outs);
  find_live(&l, c->uses);
  return l;
}

/* The type of a carried value, with the sizes of its initial value where `refine` hopes that they
 * last. */
static IrType start_type(const LoopCopy *l, int k, bool refine) {
  IrType t = carried_param(l, k)->type;
  return refine ? ir_type_meet(&t, &l->in[l->first_carried + k]->type) : t;
}

static IrValue *copy_param(IrBuilder *b, const IrValue *param, IrType type, const char *name) {
  IrValue *v = ir_param(b, type, name);
  v->facts = param->facts;
  return v;
}

static const char *param_name(const IrFunction *f, int k) {
  return f->param_names ? f->param_names[k] : NULL;
}

/* The element that every iteration sees of a scanned input that repeats it, or NULL. */
static IrValue *repeated_element(IrBuilder *b, IrValue *input) {
  const IrNode *n = input->node;
  if (!n || n->op != IR_BROADCAST || n->in[0]->type.rank >= input->type.rank) return NULL;
  return ir_broadcast(b, n->in[0], n->in + 2, input->type.rank - 1);
}

/* Gives the body's parameters their values. Returns how many scanned inputs are left. */
static int bind_parameters(Copier *c, Copier *inner, const LoopCopy *l, IrLoop *loop,
                           IrValue **initial, IrValue **inputs, bool refine) {
  const IrFunction *f = l->body;
  const IrAttr *attr = &l->node->attr;
  IrBuilder *b = inner->b;
  int scanned = 0;
  IrValue **map = inner->map;
  map[f->params[0]->id] = ir_param(b, ir_scalar(IR_I64), param_name(f, 0));
  map[f->params[0]->id]->facts = IR_NONNEGATIVE | IR_FINITE | IR_NOT_NAN;
  for (int k = 0; k < attr->carried; k++) {
    IrValue *start = l->in[l->first_carried + k];
    const IrValue *param = carried_param(l, k);
    map[param->id] = start;
    if (!l->keep_carried[k]) continue;
    map[param->id] = copy_param(b, param, start_type(l, k, refine), param_name(f, 1 + k));
    initial[loop->carried++] = start;
  }
  for (int k = 0; k < attr->scanned; k++) {
    int at = 1 + attr->carried + k;
    IrValue *input = l->in[l->first_scanned + k];
    if (!l->live[f->params[at]->id]) continue;
    IrValue *same = repeated_element(c->b, input);
    if (same) {
      map[f->params[at]->id] = same;
      continue;
    }
    IrType element = ir_type(input->type.dtype, input->type.rank - 1, input->type.dim + 1);
    element = ir_type_meet(&f->params[at]->type, &element);
    map[f->params[at]->id] = copy_param(b, f->params[at], element, param_name(f, at));
    map[f->params[at]->id]->facts |= input->facts;
    inputs[scanned++] = input;
  }
  for (int k = 1 + attr->carried + attr->scanned, j = l->first_captured; k < f->param_count; k++)
    map[f->params[k]->id] = l->in[j++];
  return scanned;
}

/* Whether the sizes of what is carried lasted through the body. */
static bool types_last(const LoopCopy *l, const Copier *inner) {
  for (int k = 0; k < l->node->attr.carried; k++) {
    if (!l->keep_carried[k]) continue;
    const IrType *before = &mapped(inner, carried_param(l, k))->type;
    const IrType *after = &mapped(inner, carried_result(l, k))->type;
    const IrType *declared = &carried_param(l, k)->type;
    for (int a = 0; a < before->rank; a++)
      if (declared->dim[a] == IR_DYNAMIC && before->dim[a] != after->dim[a]) return false;
  }
  return true;
}

static bool is_true(const IrValue *v) { return v->constant && v->constant->data.boolean[0]; }

/* Whether a loop's count is a size, as opposed to something computed: over a batch that might
 * differ between the elements, which loops can deal with and shapes cannot. */
static bool is_size(const IrValue *count) {
  return count->constant || (count->node && count->node->op == IR_SHAPE);
}

/* An out that is the same in all iterations, stacked; NULL where their number is not known before
 * the loop, or where it differs. */
static IrValue *stacked_invariant(Copier *c, const IrLoop *loop, const IrBuilder *body,
                                  IrValue *v) {
  if (loop->condition || !is_size(loop->count) || (v->owner == body->function && !v->constant) ||
      v->type.rank == IR_MAX_RANK)
    return NULL;
  IrValue *dims[IR_MAX_RANK];
  dims[0] = ir_binary(c->b, IR_MAX, loop->count, ir_i64(c->b, 0));
  for (int k = 0; k < v->type.rank; k++) dims[1 + k] = ir_dim(c->b, v, k);
  return ir_broadcast(c->b, v, dims, v->type.rank + 1);
}

static void finish_loop(Copier *c, const LoopCopy *l, Copier *inner, IrLoop loop) {
  const IrNode *n = l->node;
  Arena *a = c->b->module->arena;
  size_t room = (size_t)l->body->result_count;
  IrValue **results = ARENA_ARRAY(a, IrValue *, room);
  int *place = ARENA_ARRAY(a, int, room), count = 0, placed = 0;
  if (l->condition && is_true(l->condition) && is_true(mapped(inner, l->body->results[0])))
    loop.condition = NULL;
  if (loop.condition) results[count++] = mapped(inner, l->body->results[0]);
  for (int k = 0; k < n->attr.carried; k++) {
    c->map[n->out[k]->id] = l->in[l->first_carried + k];
    if (!l->keep_carried[k]) continue;
    results[count++] = mapped(inner, carried_result(l, k));
    place[placed++] = k;
  }
  for (int k = 0; k < l->outs; k++) {
    if (!l->keep_out[k]) continue;
    IrValue *v = mapped(inner, out_result(l, k)), *same = stacked_invariant(c, &loop, inner->b, v);
    c->map[n->out[n->attr.carried + k]->id] = same;
    if (same) continue;
    results[count++] = v;
    place[placed++] = n->attr.carried + k;
  }
  if (placed == 0) return;
  ir_function_end(inner->b, results, NULL, count);
  ir_loop(c->b, loop, inner->b, results);
  for (int k = 0; k < placed; k++) c->map[n->out[place[k]]->id] = results[k];
}

static void copy_loop(Copier *c, const IrNode *n, IrValue *const *in) {
  Arena *a = c->b->module->arena;
  LoopCopy l = plan_loop(c, n, in);
  const IrTensor *count = l.count->constant;
  for (int attempt = 0; attempt < 2; attempt++) {
    IrValue **initial = ARENA_ARRAY(a, IrValue *, (size_t)n->attr.carried),
            **inputs = ARENA_ARRAY(a, IrValue *, (size_t)n->attr.scanned);
    IrLoop loop = {.count = l.count,
                   .condition = l.condition,
                   .initial = initial,
                   .inputs = inputs,
                   .reverse = l.reverse};
    IrBuilder *body = ir_function_begin(c->b->module, c->b, l.body->name);
    Copier inner = copier_new(c->session, body, l.body);
    inner.live = l.live;
    inner.around = c;
    inner.in_loop = true;
    inner.runs = count && count->data.i64[0] > 0 && (!l.condition || is_true(l.condition));
    loop.scanned = bind_parameters(c, &inner, &l, &loop, initial, inputs, attempt == 0);
    copy_nodes(&inner);
    if (attempt == 0 && !types_last(&l, &inner)) continue;
    finish_loop(c, &l, &inner, loop);
    return;
  }
}

/* ---- CALL ---- */

/* Whether f's nodes, given tensors for its scalars, map over their elements. */
static bool maps_over_elements(const IrFunction *f) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    bool maps = ir_op_elementwise(n->op) || (n->op == IR_CONST && n->out[0]->type.rank == 0) ||
                (n->op == IR_CALL && n->body[0]->elementwise);
    if (!maps) return false;
  }
  return true;
}

static IrFunction *batched_callee(Session *s, IrFunction *f, uint64_t mask, int levels) {
  for (Batched *e = s->batched; e; e = e->next)
    if (e->callee == f && e->mask == mask && e->levels == levels) return e->function;
  Arena *a = f->module->arena;
  bool *batched = ARENA_ARRAY(a, bool, (size_t)f->param_count);
  for (int k = 0; k < f->param_count; k++) batched[k] = mask >> k & 1;
  Batched *e = ARENA_NEW(a, Batched);
  *e = (Batched){f, ir_vmap(f, batched, levels, NULL, true, NULL), mask, levels, s->batched};
  s->batched = e;
  return e->function;
}

static void copy_callee(Copier *c, const IrFunction *f, IrValue *const *args, IrValue **results) {
  Copier inner = copier_new(c->session, c->b, f);
  inner.around = c->around;
  inner.in_loop = c->in_loop;
  inner.runs = c->runs;
  for (int k = 0; k < f->param_count; k++) inner.map[f->params[k]->id] = args[k];
  copy_nodes(&inner);
  for (int k = 0; k < f->result_count; k++) results[k] = mapped(&inner, f->results[k]);
}

/* A function of scalars, applied to the elements of tensors. */
static IrValue *expand_elementwise(Copier *c, const IrNode *n, IrValue **in) {
  IrFunction *f = n->body[0];
  IrType type = n->out[0]->type;
  IrValue *result, *dims[IR_MAX_RANK];
  const char *error = ir_infer_elementwise(c->b->module->arena, type.dtype, in, n->in_count, &type);
  if (error) module_error(c->b->module, "call of %s: %s", f->name, error);
  if (type.rank == 0 || maps_over_elements(f)) {
    copy_callee(c, f, in, &result);
    return elementwise_fit(c->b, result, in, n->in_count, &type);
  }
  uint64_t mask = 0;
  elementwise_dims(c->b, in, n->in_count, &type, dims);
  for (int k = 0; k < n->in_count; k++) {
    if (in[k]->type.rank == 0) continue;
    mask |= UINT64_C(1) << k;
    in[k] = ir_broadcast(c->b, in[k], dims, type.rank);
  }
  copy_callee(c, batched_callee(c->session, f, mask, type.rank), in, &result);
  return result;
}

static void copy_call(Copier *c, const IrNode *n, IrValue **in) {
  IrValue **results = ARENA_ARRAY(c->b->module->arena, IrValue *, (size_t)n->out_count);
  enum { MASK_BITS = 64 };
  if (!c->session->options.expand || (n->body[0]->elementwise && n->in_count > MASK_BITS))
    ir_call(c->b, n->body[0], in, n->in_count, results);
  else if (n->body[0]->elementwise)
    results[0] = expand_elementwise(c, n, in);
  else
    copy_callee(c, n->body[0], in, results);
  for (int k = 0; k < n->out_count; k++) c->map[n->out[k]->id] = results[k];
}

/* ---- nodes ---- */

/* Whether n ends a sum, that is, is no term of a larger one. */
static bool ends_sum(const Copier *c, const IrNode *n) {
  const IrValue *v = n->out[0];
  if ((n->op != IR_ADD && n->op != IR_SUB) || v->type.dtype != IR_F64) return false;
  if (c->uses[v->id] != 1 || !c->reader[v->id]) return true;
  IrOp op = c->reader[v->id]->op;
  return op != IR_ADD && op != IR_SUB && op != IR_NEG;
}

static IrValue *copy_op(Copier *c, Copier *home, const IrNode *n, IrValue *const *in) {
  bool whole = c->session->options.hoist && !home->b->module->options.no_algebra;
  if (whole && home == c && ends_sum(c, n)) {
    IrValue *v = linear_rebuild(c->b, n, &(LinearSource){c->map, c->uses});
    if (v) return v;
  }
  return ir_emit(home->b, n->op, n->attr, in, n->in_count);
}

static void copy_node(Copier *c, const IrNode *n) {
  if (n->op == IR_CONST) {
    c->map[n->out[0]->id] = ir_constant(c->b, n->out[0]->constant);
    return;
  }
  IrValue **in = map_operands(c, n);
  Copier *home = home_of(c, n, in);
  IrBuilder *b = home->b;
  const IrScope *scope = ir_set_scope(b, n->scope ? n->scope : b->scope);
  bool adjoint = ir_set_adjoint(b, b->adjoint || n->adjoint);
  bool certain = home == c || c->runs;
  Copier at = *c; /* copies into the builder the node goes to */
  at.b = b;
  at.around = home->around;
  at.in_loop = home->in_loop;
  at.runs = home->runs;
  switch (n->op) {
  case IR_IF: copy_if(&at, n, in); break;
  case IR_LOOP: copy_loop(&at, n, in); break;
  case IR_CALL: copy_call(&at, n, in); break;
  default: c->map[n->out[0]->id] = copy_op(c, home, n, in);
  }
  for (int k = 0; k < n->out_count; k++) {
    IrValue *copy = mapped(c, n->out[k]);
    if (copy) copy->uses += c->uses[n->out[k]->id];
    if (copy && certain) keep_knowledge(copy, n->out[k]);
  }
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
}

static void copy_nodes(Copier *c) {
  find_uses(c);
  for (int i = 0; i < c->f->node_count; i++)
    if (any_live(c, c->f->nodes[i])) copy_node(c, c->f->nodes[i]);
}

void copy_function(IrBuilder *b, const IrFunction *f, IrValue *const *args, IrValue **results,
                   CopyOptions options) {
  Session s = {.options = options};
  Copier c = copier_new(&s, b, f);
  for (int k = 0; k < f->param_count; k++) c.map[f->params[k]->id] = args[k];
  copy_nodes(&c);
  for (int k = 0; k < f->result_count; k++) results[k] = mapped(&c, f->results[k]);
}

void ir_inline(IrBuilder *b, const IrFunction *f, IrValue *const *args, IrValue **results) {
  copy_function(b, f, args, results, (CopyOptions){0});
}

void ir_loop_closed(IrBuilder *b, IrLoop loop, IrFunction *body, IrValue *const *extra,
                    int extra_count, IrValue **results) {
  IrBuilder *inner = ir_function_begin(b->module, b, body->name);
  Arena *a = b->module->arena;
  IrValue **args = ARENA_ARRAY(a, IrValue *, (size_t)body->param_count),
          **out = ARENA_ARRAY(a, IrValue *, (size_t)body->result_count);
  int given = 1 + loop.carried + loop.scanned;
  assert(body->param_count == given + extra_count);
  for (int k = 0; k < given; k++)
    args[k] = copy_param(inner, body->params[k], body->params[k]->type, param_name(body, k));
  if (extra_count) memcpy(args + given, extra, sizeof *extra * (size_t)extra_count);
  ir_inline(inner, body, args, out);
  ir_function_end(inner, out, NULL, body->result_count);
  ir_loop(b, loop, inner, results);
}
