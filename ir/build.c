/* Building functions: modules, builders, parameters, captures, emission of ops. */
#include "ir/builder.h"

#include <assert.h>
#include <string.h>

/* ---- modules ---- */

IrModule *ir_module_new(Arena *arena, IrOptions options) {
  IrModule *m = ARENA_NEW(arena, IrModule);
  m->arena = arena;
  m->options = options;
  return m;
}

Arena *ir_module_arena(IrModule *m) { return m->arena; }
const char *ir_module_error(const IrModule *m) { return m->error; }

void module_error(IrModule *m, const char *format, ...) {
  if (m->error) return;
  va_list args;
  va_start(args, format);
  m->error = arena_vprintf(m->arena, format, args);
  va_end(args);
}

/* ---- functions and parameters ---- */

IrBuilder *ir_function_begin(IrModule *m, IrBuilder *parent, const char *name) {
  IrBuilder *b = ARENA_NEW(m->arena, IrBuilder);
  b->module = m;
  b->parent = parent;
  b->function = ARENA_NEW(m->arena, IrFunction);
  b->function->name = name;
  b->function->module = m;
  if (parent) {
    b->scope = parent->scope;
    b->adjoint = parent->adjoint;
    b->exact = parent->exact;
    b->counts_uses = parent->counts_uses;
  }
  return b;
}

IrModule *ir_builder_module(const IrBuilder *b) { return b->module; }

const IrScope *ir_set_scope(IrBuilder *b, const IrScope *scope) {
  const IrScope *before = b->scope;
  b->scope = scope;
  return before;
}

bool ir_set_adjoint(IrBuilder *b, bool adjoint) {
  bool before = b->adjoint;
  b->adjoint = adjoint;
  return before;
}

bool ir_set_exact(IrBuilder *b, bool exact) {
  bool before = b->exact;
  b->exact = exact;
  return before;
}

static IrValue *new_value(IrBuilder *b, IrType type, IrNode *node, int index) {
  IrValue *v = ARENA_NEW(b->module->arena, IrValue);
  *v = (IrValue){
      .type = type, .owner = b->function, .node = node, .index = index, .id = b->value_count++};
  return v;
}

static IrValue *add_param(IrBuilder *b, IrType type, const char *name) {
  IrFunction *f = b->function;
  size_t room = b->param_capacity, count = (size_t)f->param_count;
  if (count == room) {
    b->param_capacity = room ? room * 2 : 8;
    f->params =
        arena_regrow(b->module->arena, f->params, count, b->param_capacity, sizeof(IrValue *));
    f->param_names = arena_regrow(b->module->arena, f->param_names, count, b->param_capacity,
                                  sizeof(const char *));
    b->captured =
        arena_regrow(b->module->arena, b->captured, count, b->param_capacity, sizeof(IrValue *));
  }
  f->param_names[f->param_count] = name;
  IrValue *v = new_value(b, type, NULL, f->param_count);
  return f->params[f->param_count++] = v;
}

IrValue *ir_param(IrBuilder *b, IrType type, const char *name) {
  assert(b->function->param_count == b->explicit_params);
  b->explicit_params++;
  return add_param(b, type, name);
}

/* Whether a node's result has the elements of its first operand, and no others. */
static bool keeps_elements(const IrNode *n) {
  return n->op == IR_BROADCAST || n->op == IR_RESHAPE || n->op == IR_TRANSPOSE;
}

void ir_assume(IrValue *v, unsigned facts) {
  v->facts = facts_close(v->facts | facts);
  /* the builder may put the operand in the place of such a result */
  if (v->node && keeps_elements(v->node)) ir_assume(v->node->in[0], facts);
}

/* ---- captures ---- */

IrValue *builder_local(IrBuilder *b, IrValue *v) {
  if (v->owner == b->function) return v;
  if (v->constant) return ir_constant(b, v->constant);
  IrValue *local = pointer_map_get(&b->captures, v);
  if (local) return local;
  assert(b->parent && !b->ended && "a value of a function that does not enclose this one");
  IrValue *outer = builder_local(b->parent, v);
  local = outer == v ? NULL : pointer_map_get(&b->captures, outer);
  if (!local) {
    local = add_param(b, outer->type, NULL);
    local->facts = outer->facts;
    b->captured[local->index] = outer;
    pointer_map_set(&b->captures, b->module->arena, outer, local);
  }
  if (outer != v) pointer_map_set(&b->captures, b->module->arena, v, local);
  return local;
}

IrValue *const *ir_captures(const IrBuilder *b, int *count) {
  *count = b->function->param_count - b->explicit_params;
  return b->captured ? b->captured + b->explicit_params : NULL;
}

/* ---- nodes ---- */

IrNode *builder_append(IrBuilder *b, IrOp op, IrAttr attr, IrValue *const *in, int in_count,
                       const IrType *types, int out_count) {
  Arena *a = b->module->arena;
  IrNode *n = ARENA_NEW(a, IrNode);
  *n = (IrNode){.op = op,
                .attr = attr,
                .in_count = in_count,
                .out_count = out_count,
                .in = ARENA_ARRAY(a, IrValue *, (size_t)(in_count + out_count)),
                .scope = b->scope,
                .adjoint = b->adjoint,
                .exact = b->exact,
                .owner = b->function};
  n->out = n->in + in_count;
  if (in_count) memcpy(n->in, in, sizeof *in * (size_t)in_count);
  for (int k = 0; k < out_count; k++) n->out[k] = new_value(b, types[k], n, k);
  ARENA_PUSH(a, b->nodes, b->node_count, b->node_capacity, n);
  return n;
}

static uint64_t mix(uint64_t h, uint64_t word) {
  h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  return h ^ h >> 32;
}

static uint64_t hash_node(IrOp op, const IrAttr *attr, const IrFunction *body, IrValue *const *in,
                          int in_count) {
  uint64_t h = mix((uint64_t)op, (uint64_t)(uintptr_t)body);
  h = mix(h, (uint64_t)attr->axis << 32 ^ (uint64_t)attr->batch << 16 ^ (uint64_t)attr->axis_count);
  for (int k = 0; k < attr->axis_count; k++) h = mix(h, (uint64_t)attr->axes[k]);
  bool swap = in_count == 2 && ir_op_commutative(op) && in[0]->id > in[1]->id;
  for (int k = 0; k < in_count; k++) h = mix(h, (uint64_t)in[swap ? 1 - k : k]->id);
  return h;
}

static uint64_t hash_of(const IrNode *n) {
  return hash_node(n->op, &n->attr, n->body[0], n->in, n->in_count);
}

static bool equals(const IrNode *n, IrOp op, const IrAttr *attr, const IrFunction *body,
                   IrValue *const *in, int in_count) {
  if (n->op != op || n->in_count != in_count || n->body[0] != body || n->body[1] ||
      !ir_attr_equal(&n->attr, attr))
    return false;
  if (!in_count || memcmp(n->in, in, sizeof *in * (size_t)in_count) == 0) return true;
  return in_count == 2 && ir_op_commutative(op) && n->in[0] == in[1] && n->in[1] == in[0];
}

IrNode *builder_find(const IrBuilder *b, IrOp op, const IrAttr *attr, const IrFunction *body,
                     IrValue *const *in, int in_count) {
  const NodeTable *t = &b->known;
  if (!t->capacity || b->module->options.no_cse) return NULL;
  size_t mask = t->capacity - 1, i = (size_t)hash_node(op, attr, body, in, in_count) & mask;
  for (; t->slots[i]; i = (i + 1) & mask)
    if (equals(t->slots[i], op, attr, body, in, in_count)) return t->slots[i];
  return NULL;
}

static void table_put(NodeTable *t, IrNode *n) {
  size_t mask = t->capacity - 1, i = (size_t)hash_of(n) & mask;
  while (t->slots[i]) i = (i + 1) & mask;
  t->slots[i] = n;
}

void builder_remember(IrBuilder *b, IrNode *n) {
  NodeTable *t = &b->known;
  if (t->count * 2 >= t->capacity) {
    NodeTable wider = {.count = t->count, .capacity = t->capacity ? t->capacity * 2 : 64};
    wider.slots = ARENA_ARRAY(b->module->arena, IrNode *, wider.capacity);
    for (size_t i = 0; i < t->capacity; i++)
      if (t->slots[i]) table_put(&wider, t->slots[i]);
    *t = wider;
  }
  table_put(t, n);
  t->count++;
}

/* ---- emission ---- */

/* Attributes with those that the op does not use cleared, so that equal ops compare equal. */
static IrAttr clean(IrOp op, const IrAttr *attr) {
  IrAttr r = {.axis = attr->axis,
              .batch = attr->batch,
              .axis_count = attr->axis_count,
              .reverse = attr->reverse,
              .nonempty = attr->nonempty,
              .exclusive = attr->exclusive};
  if (op == IR_CAST) r.dtype = attr->dtype;
  for (int k = 0; k < attr->axis_count && k < IR_MAX_RANK; k++) r.axes[k] = attr->axes[k];
  return r;
}

/* A value in place of op(in...), where it needs no node of its own, else NULL. */
static IrValue *without_node(IrBuilder *b, IrOp op, const IrAttr *attr, IrValue *const *in,
                             int count, const IrType *type) {
  const IrOptions *o = &b->module->options;
  IrNode *n = builder_find(b, op, attr, NULL, in, count);
  IrValue *v = n ? n->out[0] : NULL;
  if (!v && !o->no_algebra) v = algebra_apply(b, op, attr, in, count, type);
  if (!v && !o->no_fold) v = fold_apply(b, op, attr, in, count, type);
  return v;
}

IrValue *ir_emit(IrBuilder *b, IrOp op, IrAttr attr, IrValue *const *in, int in_count) {
  enum { FEW = 16 };
  IrValue *few[FEW], **local = few;
  IrModule *m = b->module;
  IrType type;
  if (in_count > FEW) local = ARENA_ARRAY(m->arena, IrValue *, (size_t)in_count);
  for (int k = 0; k < in_count; k++) local[k] = builder_local(b, in[k]);
  attr = clean(op, &attr);
  const char *error = ir_infer_type(m->arena, op, &attr, local, in_count, &type);
  if (error) {
    module_error(m, "%s: %s", ir_op_name(op), error);
    return builder_append(b, op, attr, local, in_count, &type, 1)->out[0];
  }
  IrValue *v = without_node(b, op, &attr, local, in_count, &type);
  if (v) return v;
  IrNode *n = builder_append(b, op, attr, local, in_count, &type, 1);
  n->out[0]->facts = facts_of(op, &attr, local, in_count, &type);
  builder_remember(b, n);
  return n->out[0];
}

/* ---- the end of a function ---- */

static bool any_live(const bool *live, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (live[n->out[k]->id]) return true;
  return false;
}

void mark_live(const IrFunction *f, bool *live) {
  for (int i = f->node_count - 1; i >= 0; i--)
    for (int k = 0; k < f->nodes[i]->in_count && any_live(live, f->nodes[i]); k++)
      live[f->nodes[i]->in[k]->id] = true;
}

static void drop_dead_nodes(IrFunction *f, const bool *live) {
  int kept = 0;
  for (int i = 0; i < f->node_count; i++)
    if (any_live(live, f->nodes[i])) f->nodes[kept++] = f->nodes[i];
  f->node_count = kept;
}

static void drop_dead_captures(IrBuilder *b, const bool *live) {
  IrFunction *f = b->function;
  int kept = b->explicit_params;
  for (int k = kept; k < f->param_count; k++) {
    if (!live[f->params[k]->id]) continue;
    f->params[kept] = f->params[k];
    b->captured[kept] = b->captured[k];
    f->params[kept]->index = kept;
    kept++;
  }
  f->param_count = kept;
}

void function_renumber(IrFunction *f) {
  f->value_count = 0;
  for (int k = 0; k < f->param_count; k++) f->params[k]->id = f->value_count++;
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->out_count; k++) f->nodes[i]->out[k]->id = f->value_count++;
}

IrFunction *ir_function_end(IrBuilder *b, IrValue *const *results, const char *const *names,
                            int count) {
  Arena *a = b->module->arena;
  IrFunction *f = b->function;
  assert(!b->ended);
  f->result_count = count;
  f->results = ARENA_ARRAY(a, IrValue *, (size_t)count);
  for (int k = 0; k < count; k++) f->results[k] = builder_local(b, results[k]);
  if (names) {
    f->result_names = ARENA_ARRAY(a, const char *, (size_t)count);
    memcpy(f->result_names, names, sizeof *names * (size_t)count);
  }
  f->node_count = b->node_count;
  f->nodes =
      arena_regrow(a, b->nodes, (size_t)b->node_count, (size_t)b->node_count, sizeof(IrNode *));
  bool *live = ARENA_ARRAY(a, bool, (size_t)b->value_count);
  for (int k = 0; k < count; k++) live[f->results[k]->id] = true;
  mark_live(f, live);
  drop_dead_nodes(f, live);
  drop_dead_captures(b, live);
  function_renumber(f);
  b->known = (NodeTable){0};
  b->ended = true;
  return f;
}
