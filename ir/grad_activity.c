/* Which values take part in differentiation: those that depend on what is differentiated and have
 * an influence on what it is differentiated for. */
#include "ir/grad.h"

LoopLayout loop_layout(const IrNode *loop) {
  const IrAttr *attr = &loop->attr;
  LoopLayout l;
  l.initial = attr->has_condition ? 2 : 1;
  l.scanned = l.initial + attr->carried;
  l.captures = l.scanned + attr->scanned;
  l.element = 1 + attr->carried;
  l.captured = l.element + attr->scanned;
  l.results = attr->has_condition ? 1 : 0;
  l.outs = l.results + attr->carried;
  l.out_count = loop->out_count - attr->carried;
  return l;
}

static bool *flags(const IrFunction *f, int count) {
  return ARENA_ARRAY(ir_module_arena(f->module), bool, (size_t)count + 1);
}

static bool is_real(const IrValue *v) { return v->type.dtype == IR_F64; }

/* CALL passes its operands to its body; IF all but the condition. */
static int first_argument(const IrNode *n) { return n->op == IR_IF ? 1 : 0; }

/* ---- forwards ---- */

/* Sets params for the body's parameters, following the recurrence, and body for its values. */
static void loop_varied(const IrNode *loop, const bool *varied, bool *params, bool *body) {
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  for (int k = l.initial; k < loop->in_count; k++)
    params[1 + k - l.initial] = varied[loop->in[k]->id];
  for (bool grown = true; grown;) {
    grown = false;
    mark_varied(f, params, body);
    for (int k = 0; k < loop->attr.carried; k++) {
      if (params[1 + k] || !body[f->results[l.results + k]->id]) continue;
      params[1 + k] = grown = true;
    }
  }
}

static void varied_through_loop(const IrNode *n, bool *varied) {
  const IrFunction *f = n->body[0];
  LoopLayout l = loop_layout(n);
  bool *params = flags(f, f->param_count), *body = flags(f, f->value_count);
  loop_varied(n, varied, params, body);
  for (int k = 0; k < n->out_count; k++)
    varied[n->out[k]->id] =
        body[f->results[l.results + k]->id] || (k < n->attr.carried && params[1 + k]);
}

static void varied_through_bodies(const IrNode *n, bool *varied) {
  int first = first_argument(n);
  for (int i = 0; i < 2 && n->body[i]; i++) {
    const IrFunction *f = n->body[i];
    bool *params = flags(f, f->param_count), *body = flags(f, f->value_count);
    for (int k = 0; k < f->param_count; k++) params[k] = varied[n->in[first + k]->id];
    mark_varied(f, params, body);
    for (int k = 0; k < n->out_count; k++) varied[n->out[k]->id] |= body[f->results[k]->id];
  }
}

void mark_varied(const IrFunction *f, const bool *wrt, bool *varied) {
  for (int k = 0; k < f->param_count; k++)
    varied[f->params[k]->id] |= wrt[k] && is_real(f->params[k]);
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->op == IR_LOOP) {
      varied_through_loop(n, varied);
    } else if (n->body[0]) {
      varied_through_bodies(n, varied);
    } else if (ir_op_differentiable(n->op) && is_real(n->out[0])) {
      for (int k = 0; k < n->in_count; k++) varied[n->out[0]->id] |= varied[n->in[k]->id];
    }
  }
}

/* ---- backwards ---- */

static void loop_useful(const IrNode *loop, const bool *useful, bool *seed, bool *body) {
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  for (int k = 0; k < loop->out_count; k++) seed[l.results + k] = useful[loop->out[k]->id];
  for (bool grown = true; grown;) {
    grown = false;
    mark_useful(f, seed, body);
    for (int k = 0; k < loop->attr.carried; k++) {
      if (seed[l.results + k] || !body[f->params[1 + k]->id]) continue;
      seed[l.results + k] = grown = true;
    }
  }
}

static void useful_through_loop(const IrNode *n, bool *useful) {
  const IrFunction *f = n->body[0];
  LoopLayout l = loop_layout(n);
  bool *seed = flags(f, f->result_count), *body = flags(f, f->value_count);
  loop_useful(n, useful, seed, body);
  for (int k = l.initial; k < n->in_count; k++) {
    int param = 1 + k - l.initial;
    useful[n->in[k]->id] |=
        k < l.scanned ? seed[l.results + k - l.initial] : body[f->params[param]->id];
  }
}

static void useful_through_bodies(const IrNode *n, bool *useful) {
  int first = first_argument(n);
  for (int i = 0; i < 2 && n->body[i]; i++) {
    const IrFunction *f = n->body[i];
    bool *seed = flags(f, f->result_count), *body = flags(f, f->value_count);
    for (int k = 0; k < n->out_count; k++) seed[k] = useful[n->out[k]->id];
    mark_useful(f, seed, body);
    for (int k = 0; k < f->param_count; k++) useful[n->in[first + k]->id] |= body[f->params[k]->id];
  }
}

static bool any_useful(const IrNode *n, const bool *useful) {
  for (int k = 0; k < n->out_count; k++)
    if (useful[n->out[k]->id]) return true;
  return false;
}

void mark_useful(const IrFunction *f, const bool *seed, bool *useful) {
  for (int k = 0; k < f->result_count; k++)
    useful[f->results[k]->id] |= seed[k] && is_real(f->results[k]);
  for (int i = f->node_count - 1; i >= 0; i--) {
    const IrNode *n = f->nodes[i];
    if (!any_useful(n, useful)) continue;
    if (n->op == IR_LOOP) {
      useful_through_loop(n, useful);
    } else if (n->body[0]) {
      useful_through_bodies(n, useful);
    } else if (ir_op_differentiable(n->op)) {
      for (int k = 0; k < n->in_count; k++) useful[n->in[k]->id] |= is_real(n->in[k]);
    }
  }
}

void loop_activity(const IrNode *loop, const bool *varied, const bool *useful, bool *wrt,
                   bool *seed) {
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  bool *forth = flags(f, f->value_count), *back = flags(f, f->value_count);
  loop_varied(loop, varied, wrt, forth);
  loop_useful(loop, useful, seed, back);
  for (int k = l.element; k < f->param_count; k++) wrt[k] &= back[f->params[k]->id];
  for (int k = l.outs; k < f->result_count; k++) seed[k] &= forth[f->results[k]->id];
  for (int k = 0; k < loop->attr.carried; k++)
    wrt[1 + k] = seed[l.results + k] = wrt[1 + k] && seed[l.results + k];
}
