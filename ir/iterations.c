/* Values of a loop's body for all iterations at once. */
#include "ir/iterations.h"

#include "ir/algebra.h"
#include "ir/copy.h"
#include "ir/extent.h"
#include "ir/grad.h"

static void find_dependence(Iterations *t) {
  const IrFunction *f = t->body;
  for (int k = 0; k < t->carried; k++) t->depends[f->params[1 + k]->id] = UINT64_C(1) << k;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    uint64_t any = 0;
    for (int k = 0; k < n->in_count && n->op != IR_SHAPE; k++) any |= t->depends[n->in[k]->id];
    for (int k = 0; k < n->out_count; k++) t->depends[n->out[k]->id] = any;
  }
}

static void set(Iterations *t, const IrValue *v, IrValue *value, bool stacked) {
  t->lifted[v->id] = (Lifted){value, stacked};
}

Iterations iterations_new(IrBuilder *b, const IrNode *loop, IrValue **in) {
  Arena *a = b->module->arena;
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  Iterations t = {.b = b, .loop = loop, .body = f, .in = in, .carried = loop->attr.carried};
  t.count = in[0]->constant ? in[0] : ir_binary(b, IR_MAX, in[0], ir_i64(b, 0));
  t.depends = ARENA_ARRAY(a, uint64_t, (size_t)f->value_count + 1);
  t.lifted = ARENA_ARRAY(a, Lifted, (size_t)f->value_count + 1);
  find_dependence(&t);
  for (int k = l.scanned; k < loop->in_count; k++)
    set(&t, f->params[1 + k - l.initial], in[k], k < l.captures);
  return t;
}

void iterations_know(Iterations *t, const IrValue *v, IrValue *stack) { set(t, v, stack, true); }

uint64_t iterations_open(const Iterations *t, const IrValue *v) {
  return t->lifted[v->id].value ? 0 : t->depends[v->id] & ~t->known;
}

/* It does not change between iterations: what is carried keeps its shape. */
IrValue *iterations_size(Iterations *t, const IrValue *v, int axis) {
  enum { MOST_STEPS = 64 };
  for (int step = 0; step < MOST_STEPS; step++) {
    if (v->type.dim[axis] != IR_DYNAMIC) return ir_i64(t->b, v->type.dim[axis]);
    if (!v->node && v->index > 0 && v->index <= t->carried)
      return ir_dim(t->b, iterations_initial(t, v->index - 1), axis);
    if (!v->node) {
      Lifted x = iterations_lift(t, v);
      return ir_dim(t->b, x.value, axis + (x.stacked ? 1 : 0));
    }
    Origin o = origin_of(v, axis);
    if (o.size) {
      Lifted x = iterations_open(t, o.size) ? (Lifted){0} : iterations_lift(t, o.size);
      return x.stacked ? NULL : x.value;
    }
    if (!o.of) return NULL;
    v = o.of;
    axis = o.axis;
  }
  return NULL;
}

bool iterations_may_apply(const Iterations *t, const IrNode *n) {
  int source[IR_MAX_RANK];
  const IrTensor *count = t->count->constant;
  if (count && count->data.i64[0] > 0) return true;
  return node_is_total(n) || (n->op == IR_RESHAPE && node_is_unit_reshape(n, source));
}

static Lifted lift_node(Iterations *t, const IrNode *n) {
  enum { MOST_OPERANDS = 64 };
  IrValue *in[MOST_OPERANDS];
  bool batched[MOST_OPERANDS];
  Lifted none = {NULL, false}, out = none;
  if (n->op == IR_CONST) return (Lifted){ir_constant(t->b, n->out[0]->constant), false};
  if (n->op == IR_SHAPE) return (Lifted){iterations_size(t, n->in[0], n->attr.axis), false};
  if (n->body[0] || n->op == IR_NONZERO || n->in_count > MOST_OPERANDS) return none;
  for (int k = 0; k < n->in_count; k++) {
    Lifted x = iterations_lift(t, n->in[k]);
    if (!x.value) return none;
    in[k] = x.value;
    batched[k] = x.stacked;
    out.stacked |= x.stacked;
  }
  if (!out.stacked && !iterations_may_apply(t, n)) return none;
  out.value = ir_emit_batched(t->b, n->op, n->attr, in, n->in_count, batched, 1);
  return out.value ? out : none;
}

Lifted iterations_lift(Iterations *t, const IrValue *v) {
  Lifted *l = &t->lifted[v->id];
  if (l->value || iterations_open(t, v)) return *l;
  if (v->node)
    *l = lift_node(t, v->node);
  else if (v->index == 0)
    *l = (Lifted){ir_iota(t->b, t->count), true};
  return *l;
}
