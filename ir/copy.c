/* Copying a function's nodes into a builder: everything ir_emit does is done again, with what is
 * known of the arguments. Bodies are copied too, as far as their results are used. */
#include "ir/copy_loop.h"

#include "ir/linear.h"

#include <assert.h>
#include <string.h>

static bool any_live(const Copier *c, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (!c->live || c->live[n->out[k]->id]) return true;
  return false;
}

void copier_count_uses(Copier *c) {
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

Copier copier_new(Session *s, IrBuilder *b, const IrFunction *f) {
  Arena *a = b->module->arena;
  return (Copier){.session = s,
                  .b = b,
                  .f = f,
                  .map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count),
                  .uses = ARENA_ARRAY(a, int, (size_t)f->value_count),
                  .reader = ARENA_ARRAY(a, const IrNode *, (size_t)f->value_count)};
}

IrValue *copier_mapped(const Copier *c, const IrValue *v) { return c->map[v->id]; }

static IrValue **map_operands(const Copier *c, const IrNode *n) {
  IrValue **in = ARENA_ARRAY(c->b->module->arena, IrValue *, (size_t)n->in_count);
  for (int k = 0; k < n->in_count; k++) in[k] = copier_mapped(c, n->in[k]);
  return in;
}

/* ---- where a node goes ---- */

bool node_is_total(const IrNode *n) {
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
         (c->runs || node_is_total(n)))
    c = c->around;
  return c;
}

void keep_knowledge(IrValue *copy, const IrValue *v) {
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
  copier_count_uses(&inner);
  copy_nodes(&inner);
  for (int k = 0; k < n->out_count; k++)
    if (c->uses[n->out[k]->id]) *results++ = copier_mapped(&inner, f->results[k]);
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
  for (BatchedCallee *e = s->batched; e; e = e->next)
    if (e->callee == f && e->mask == mask && e->levels == levels) return e->function;
  Arena *a = f->module->arena;
  bool *batched = ARENA_ARRAY(a, bool, (size_t)f->param_count);
  for (int k = 0; k < f->param_count; k++) batched[k] = mask >> k & 1;
  BatchedCallee *e = ARENA_NEW(a, BatchedCallee);
  *e = (BatchedCallee){f, ir_vmap(f, batched, levels, NULL, true, NULL), mask, levels, s->batched};
  s->batched = e;
  return e->function;
}

static void copy_callee(Copier *c, const IrFunction *f, IrValue *const *args, IrValue **results) {
  Copier inner = copier_new(c->session, c->b, f);
  inner.around = c->around;
  inner.in_loop = c->in_loop;
  inner.runs = c->runs;
  for (int k = 0; k < f->param_count; k++) inner.map[f->params[k]->id] = args[k];
  copier_count_uses(&inner);
  copy_nodes(&inner);
  for (int k = 0; k < f->result_count; k++) results[k] = copier_mapped(&inner, f->results[k]);
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

static IrFunction *passed_callee(IrFunction *f, FunctionPass *pass, KeptCallee **kept,
                                 void *context) {
  if (!f->role) return f;
  for (const KeptCallee *c = *kept; c; c = c->next)
    if (c->callee == f) return c->function;
  IrFunction *g = pass(f, context);
  g->role = f->role;
  KeptCallee *c = ARENA_NEW(f->module->arena, KeptCallee);
  *c = (KeptCallee){f, g, *kept};
  *kept = c;
  return g;
}

void pass_bodies(IrNode *n, FunctionPass *pass, KeptCallee **kept, void *context) {
  for (int k = 0; k < 2 && n->body[k]; k++)
    n->body[k] = n->op == IR_CALL ? passed_callee(n->body[k], pass, kept, context)
                                  : pass(n->body[k], context);
}

static IrFunction *kept_callee(Session *s, IrFunction *f) {
  for (KeptCallee *e = s->kept; e; e = e->next)
    if (e->callee == f) return e->function;
  KeptCallee *e = ARENA_NEW(f->module->arena, KeptCallee);
  *e = (KeptCallee){f, ir_simplify(ir_expand_calls(f)), s->kept};
  s->kept = e;
  return e->function;
}

static void copy_call(Copier *c, const IrNode *n, IrValue **in) {
  IrValue **results = ARENA_ARRAY(c->b->module->arena, IrValue *, (size_t)n->out_count);
  enum { MASK_BITS = 64 };
  if (!c->session->options.expand || (n->body[0]->elementwise && n->in_count > MASK_BITS))
    ir_call(c->b, n->body[0], in, n->in_count, results);
  else if (n->body[0]->role)
    ir_call(c->b, kept_callee(c->session, n->body[0]), in, n->in_count, results);
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
    IrValue *v = linear_rebuild(c->b, n, &(LinearSource){c->map, c->uses, c->live});
    if (v) return v;
  }
  IrValue *v = c->varies ? regroup(c, n) : NULL;
  return v ? v : ir_emit(home->b, n->op, n->attr, in, n->in_count);
}

void copy_node(Copier *c, const IrNode *n) {
  if (n->op == IR_CONST) {
    c->map[n->out[0]->id] = ir_constant(c->b, n->out[0]->constant);
    return;
  }
  IrValue **in = map_operands(c, n);
  Copier *home = home_of(c, n, in);
  IrBuilder *b = home->b;
  const IrScope *scope = ir_set_scope(b, n->scope ? n->scope : b->scope);
  bool adjoint = ir_set_adjoint(b, b->adjoint || n->adjoint);
  bool exact = ir_set_exact(b, b->exact || n->exact);
  bool certain = !c->doubtful && (home == c || c->runs);
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
    IrValue *copy = copier_mapped(c, n->out[k]);
    if (copy) copy->uses += c->uses[n->out[k]->id];
    if (copy && certain) keep_knowledge(copy, n->out[k]);
  }
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
  ir_set_exact(b, exact);
}

void copy_nodes(Copier *c) {
  for (int i = 0; i < c->f->node_count; i++)
    if (any_live(c, c->f->nodes[i])) copy_node(c, c->f->nodes[i]);
}

void copy_function(IrBuilder *b, const IrFunction *f, IrValue *const *args, IrValue **results,
                   CopyOptions options) {
  Session s = {.options = options};
  Copier c = copier_new(&s, b, f);
  for (int k = 0; k < f->param_count; k++) c.map[f->params[k]->id] = args[k];
  copier_count_uses(&c);
  copy_nodes(&c);
  for (int k = 0; k < f->result_count; k++) results[k] = copier_mapped(&c, f->results[k]);
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
  for (int k = 0; k < given; k++) args[k] = copy_param(inner, body, k, body->params[k]->type);
  if (extra_count) memcpy(args + given, extra, sizeof *extra * (size_t)extra_count);
  ir_inline(inner, body, args, out);
  ir_function_end(inner, out, NULL, body->result_count);
  ir_loop(b, loop, inner, results);
}
