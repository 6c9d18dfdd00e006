/* Which batch axes the values of a loop vary along. A value carried by a loop keeps its type, so
 * that this must be known before the loop's body is built. */
#include "ir/batch.h"

int batch_first_carried(const IrNode *loop) { return loop->attr.has_condition ? 2 : 1; }

bool batch_is_guarded(IrOp op) {
  double safe;
  bool indexes = op == IR_GATHER || op == IR_SCATTER_ADD || op == IR_SCATTER_SET || op == IR_SLICE;
  return indexes || ir_op_guard(op, 0, &safe) || ir_op_guard(op, 1, &safe);
}

static void function_axes(Arena *a, const IrFunction *f, const AxisSet *params, AxisSet mask,
                          AxisSet *results);

static AxisSet all_of(const AxisSet *in, int count) {
  AxisSet all = 0;
  for (int k = 0; k < count; k++) all |= in[k];
  return all;
}

static void if_axes(Arena *a, const IrNode *n, const AxisSet *in, AxisSet mask, AxisSet *out) {
  AxisSet *other = ARENA_ARRAY(a, AxisSet, (size_t)n->out_count);
  function_axes(a, n->body[0], in + 1, mask | in[0], out);
  function_axes(a, n->body[1], in + 1, mask | in[0], other);
  for (int k = 0; k < n->out_count; k++) out[k] |= other[k] | in[0];
}

/* The axes of the body's results, given those of what the loop carries. */
static void body_axes(Arena *a, const IrNode *n, const AxisSet *in, AxisSet mask, LoopAxes axes,
                      AxisSet *results) {
  const IrFunction *body = n->body[0];
  int carried = n->attr.carried, first = batch_first_carried(n);
  AxisSet *params = ARENA_ARRAY(a, AxisSet, (size_t)body->param_count);
  for (int k = 1; k < body->param_count; k++)
    params[k] = k <= carried ? axes.carried[k - 1] : in[first + k - 1];
  function_axes(a, body, params, mask | axes.run, results);
}

LoopAxes batch_loop_axes(Arena *a, const IrNode *n, const AxisSet *in, AxisSet mask) {
  int carried = n->attr.carried, first = batch_first_carried(n), condition = first - 1;
  LoopAxes axes = {.carried = ARENA_ARRAY(a, AxisSet, (size_t)carried)};
  AxisSet *results = ARENA_ARRAY(a, AxisSet, (size_t)n->body[0]->result_count);
  axes.run = all_of(in, first);
  for (int k = 0; k < carried; k++) axes.carried[k] = in[first + k];
  for (bool grown = true; grown;) {
    grown = false;
    if (axes.run) axes.run |= mask;
    body_axes(a, n, in, mask, axes, results);
    for (int k = 0; k < condition + carried; k++) {
      AxisSet *known = k < condition ? &axes.run : &axes.carried[k - condition];
      AxisSet now = *known | results[k] | axes.run;
      grown |= now != *known;
      *known = now;
    }
  }
  return axes;
}

static void loop_axes(Arena *a, const IrNode *n, const AxisSet *in, AxisSet mask, AxisSet *out) {
  LoopAxes axes = batch_loop_axes(a, n, in, mask);
  int condition = batch_first_carried(n) - 1;
  AxisSet *results = ARENA_ARRAY(a, AxisSet, (size_t)n->body[0]->result_count);
  body_axes(a, n, in, mask, axes, results);
  for (int k = 0; k < n->out_count; k++)
    out[k] = k < n->attr.carried ? axes.carried[k] : results[condition + k] | axes.run;
}

static void node_axes(Arena *a, const IrNode *n, const AxisSet *in, AxisSet mask, AxisSet *out) {
  if (n->op == IR_LOOP) {
    loop_axes(a, n, in, mask, out);
  } else if (n->op == IR_IF) {
    if_axes(a, n, in, mask, out);
  } else if (n->op == IR_CALL && !n->body[0]->elementwise) {
    function_axes(a, n->body[0], in, mask, out);
  } else if (n->op != IR_SHAPE && n->op != IR_TOTAL && n->op != IR_SOME) {
    out[0] = all_of(in, n->in_count);
    if (out[0] && batch_is_guarded(n->op)) out[0] |= mask;
  }
}

static void function_axes(Arena *a, const IrFunction *f, const AxisSet *params, AxisSet mask,
                          AxisSet *results) {
  AxisSet *axes = ARENA_ARRAY(a, AxisSet, (size_t)f->value_count);
  for (int k = 0; k < f->param_count; k++) axes[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    AxisSet *in = ARENA_ARRAY(a, AxisSet, (size_t)n->in_count),
            *out = ARENA_ARRAY(a, AxisSet, (size_t)n->out_count);
    for (int k = 0; k < n->in_count; k++) in[k] = n->in[k] ? axes[n->in[k]->id] : 0;
    node_axes(a, n, in, mask, out);
    for (int k = 0; k < n->out_count; k++) axes[n->out[k]->id] = out[k];
  }
  for (int k = 0; k < f->result_count; k++) results[k] = axes[f->results[k]->id];
}
