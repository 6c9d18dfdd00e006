/* What changes between the runs of a body. */
#include "ir/changes.h"

#include "ir/grad.h"

static bool *flags(Arena *a, int count) { return ARENA_ARRAY(a, bool, (size_t)count + 1); }

static Changes changes_new(Arena *a, int values) {
  return (Changes){flags(a, values), flags(a, values), flags(a, values)};
}

bool is_total(const IrNode *n) {
  switch (n->op) {
  case IR_DIV:
  case IR_MOD: return n->out[0]->type.dtype == IR_F64;
  case IR_TRANSPOSE:
  case IR_REDUCE_SUM:
  case IR_REDUCE_PROD:
  case IR_REVERSE:
  case IR_CUMSUM:
  case IR_ARGSORT:
  case IR_CONST:
  case IR_SHAPE:
  case IR_MATMUL: return true;
  default: return ir_op_elementwise(n->op);
  }
}

static bool all(const bool *flag, const IrNode *n, int first) {
  for (int k = first; k < n->in_count; k++)
    if (!flag[n->in[k]->id]) return false;
  return true;
}

/* Whether the shape of a result of an op without bodies is the same for all runs. */
static bool shape_is_fixed(const Changes *c, const IrNode *n) {
  switch (n->op) {
  case IR_BROADCAST: return c->fixed[n->in[0]->id] && all(c->same, n, 1);
  case IR_RESHAPE: return all(c->same, n, 1);
  case IR_SLICE: return c->fixed[n->in[0]->id] && c->same[n->in[2]->id];
  case IR_IOTA:
  case IR_NONZERO: return all(c->same, n, 0);
  default: return all(c->fixed, n, 0);
  }
}

static void find_changes(Arena *a, const IrFunction *f, Changes *c);

static void changes_in_loop(Arena *a, const IrNode *n, Changes *c) {
  const IrFunction *f = n->body[0];
  LoopLayout l = loop_layout(n);
  Changes inner = changes_new(a, f->value_count);
  inner.fixed[f->params[0]->id] = true;
  for (int k = l.initial; k < n->in_count; k++) {
    const IrValue *param = f->params[1 + k - l.initial];
    inner.same[param->id] = k >= l.captures && c->same[n->in[k]->id];
    inner.fixed[param->id] = c->fixed[n->in[k]->id];
  }
  find_changes(a, f, &inner);
  bool counted = !n->attr.has_condition && c->same[n->in[0]->id];
  for (int k = 0; k < n->out_count; k++)
    c->fixed[n->out[k]->id] |= k < n->attr.carried
                                   ? c->fixed[n->in[l.initial + k]->id]
                                   : counted && inner.fixed[f->results[l.results + k]->id];
}

static void node_changes(Arena *a, const IrNode *n, Changes *c) {
  bool same = all(c->same, n, 0), outside = all(c->outside, n, 0) && is_total(n);
  if (n->op == IR_SHAPE) same |= c->fixed[n->in[0]->id];
  for (int k = 0; k < n->out_count; k++) {
    IrValue *v = n->out[k];
    c->same[v->id] = same;
    c->outside[v->id] = outside;
    c->fixed[v->id] = same || ir_type_count(&v->type) >= 0;
    if (n->op == IR_CALL ? n->body[0]->elementwise : !n->body[0])
      c->fixed[v->id] |= shape_is_fixed(c, n);
  }
  if (n->op == IR_LOOP && !same) changes_in_loop(a, n, c);
}

/* Given those of the parameters. */
static void find_changes(Arena *a, const IrFunction *f, Changes *c) {
  for (int i = 0; i < f->node_count; i++) node_changes(a, f->nodes[i], c);
}

Changes changes_of(Arena *a, const IrFunction *f, int first, int end, bool fixed) {
  Changes c = changes_new(a, f->value_count);
  for (int k = 0; k < f->param_count; k++) {
    int id = f->params[k]->id;
    c.same[id] = c.outside[id] = k >= first && k < end;
    c.fixed[id] = fixed || ir_type_count(&f->params[k]->type) >= 0;
  }
  find_changes(a, f, &c);
  return c;
}

bool is_size_operand(const IrNode *n, int k) {
  switch (n->op) {
  case IR_BROADCAST:
  case IR_RESHAPE: return k > 0;
  case IR_SLICE: return k == 2;
  case IR_IOTA:
  case IR_LOOP: return k == 0;
  default: return false;
  }
}
