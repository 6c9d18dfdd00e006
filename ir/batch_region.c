/* Batching branches and loops. Where elements of the batch decide differently, both branches run,
 * or a loop runs on while some element has not left it; the elements that do not take part are
 * masked. */
#include "ir/batch.h"
#include "ir/builder.h"

#include <limits.h>

/* ---- IF ---- */

static bool sizes_differ(const IrType *x, const IrType *y) {
  for (int a = 0; a < x->rank; a++)
    if (x->dim[a] != y->dim[a] && x->dim[a] != IR_DYNAMIC && y->dim[a] != IR_DYNAMIC) return true;
  return false;
}

/* Every element computes both branches and takes the results of one. */
static void select_branches(Batcher *t, const IrNode *n, const Batched *in, Batched *out) {
  Batched mask = t->mask, branches = t->branches, *results[2];
  Batched taken[2] = {in[0], batch_op(t, IR_NOT, (IrAttr){0}, in, 1)};
  for (int side = 0; side < 2; side++) {
    results[side] = ARENA_ARRAY(t->arena, Batched, (size_t)n->out_count);
    t->mask = batch_and(t, mask, taken[side]);
    t->branches = batch_and(t, branches, taken[side]);
    batch_body(t, n->body[side], in + 1, results[side]);
  }
  t->mask = mask;
  t->branches = branches;
  for (int k = 0; k < n->out_count; k++) {
    if (sizes_differ(&n->body[0]->results[k]->type, &n->body[1]->results[k]->type))
      module_error(t->module, "if: a size that differs between the elements of a batch");
    out[k] = batch_select(t, in[0], results[0][k], results[1][k]);
  }
}

/* All elements take the same branch. */
static void keep_branches(Batcher *t, IrValue *condition, const IrNode *n, const Batched *in,
                          Batched *out) {
  IrBuilder *outer = t->b, *b[2];
  BatchFrame frame = {outer, t->mask, t->around};
  Batched *results[2];
  IrValue **values = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->out_count);
  t->around = &frame;
  for (int side = 0; side < 2; side++) {
    results[side] = ARENA_ARRAY(t->arena, Batched, (size_t)n->out_count);
    t->b = b[side] = ir_function_begin(t->module, outer, n->body[side]->name);
    batch_body(t, n->body[side], in + 1, results[side]);
  }
  for (int side = 0; side < 2; side++) {
    t->b = b[side];
    for (int k = 0; k < n->out_count; k++) {
      AxisSet axes = batch_axes(results[0][k], t->levels) | batch_axes(results[1][k], t->levels);
      out[k] = batch_with_axes(t, results[side][k], axes);
      values[k] = out[k].value;
    }
    ir_function_end(b[side], values, NULL, n->out_count);
  }
  t->b = outer;
  t->around = frame.outer;
  ir_if(outer, condition, b[0], b[1], values);
  for (int k = 0; k < n->out_count; k++) out[k].value = values[k];
}

void batch_if(Batcher *t, const IrNode *n, const Batched *in, Batched *out) {
  if (batch_axes(in[0], t->levels))
    select_branches(t, n, in, out);
  else
    keep_branches(t, batch_with_axes(t, in[0], 0).value, n, in, out);
}

/* ---- LOOP ---- */

/* A loop being batched. Where its elements may leave it at different times (axes.run), it carries
 * whether each of them is still in it, if it has a condition; it ends when none is. */
typedef struct {
  Batcher *t;
  const IrNode *node;
  LoopAxes axes;
  Batched count;        /* the limit of each element's iterations; value NULL: the same for all */
  bool count_is_masked; /* 0 for elements that do not run */
  Batched condition;    /* at entry; value NULL: there is none */
  bool carries_condition;
} BatchedLoop;

static bool unlimited(const IrValue *count) {
  return !count || (count->constant && count->constant->data.i64[0] == INT64_MAX);
}

static IrValue *any(Batcher *t, Batched v) { return ir_reduce_all(t->b, IR_REDUCE_ANY, v.value); }

/* A scanned input as the loop takes it: its own axis 0 before the batch axes. */
static IrValue *stacked(Batcher *t, Batched v) {
  if (!v.batched) return v.value;
  IrValue *rows = ir_move_axis(t->b, v.value, t->levels, 0);
  bool pad = t->pads && rows->type.rank == t->levels + 1;
  return pad ? ir_unsqueeze(t->b, rows, rows->type.rank) : rows;
}

/* Whether iteration i is one of an element's. */
static Batched within_count(const BatchedLoop *l, IrValue *i) {
  return batch_op(l->t, IR_LT, (IrAttr){0}, (Batched[]){{.value = i}, l->count}, 2);
}

/* Whether the condition that is carried includes that the next iteration is within an element's
 * count, so that the loop runs no longer than its longest element. Backwards, elements with a lower
 * count only begin later. */
static bool condition_includes_count(const BatchedLoop *l) {
  return l->carries_condition && l->count.value && !l->node->attr.reverse;
}

/* The innermost of the regions being built whose iterations v may differ between: how many regions
 * out. *budget bounds the search. */
static int home_of(const Batcher *t, const IrValue *v, int *budget) {
  const IrBuilder *b = t->b;
  const BatchFrame *around = t->around;
  int out = 0, home;
  for (; around && b->function != v->owner; around = around->outer, out++) b = around->b;
  if (v->constant || b->function != v->owner) return INT_MAX;
  if (!around || --*budget < 0) return out;
  if (!v->node) {
    bool captured = v->index >= b->explicit_params;
    return captured ? home_of(t, b->captured[v->index], budget) : out;
  }
  home = INT_MAX;
  for (int k = 0; k < v->node->in_count; k++) {
    int h = home_of(t, v->node->in[k], budget);
    if (h < home) home = h;
  }
  return home;
}

/* The elements of whose counts a loop runs the largest. Where the count is that of all iterations
 * of a loop around, so must be the number of rows that are stacked, even when elements have left
 * that loop. */
static Batched mask_of_count(Batcher *t, Batched count) {
  int budget = 100, home = home_of(t, count.value, &budget);
  const BatchFrame *f = t->around;
  if (!home || !f) return t->mask;
  while (--home && f->outer) f = f->outer;
  return batch_and(t, f->mask, t->branches);
}

/* The loop's operands but its carried values. */
static IrLoop loop_operands(BatchedLoop *l, const Batched *in, IrValue **inputs) {
  Batcher *t = l->t;
  const IrNode *n = l->node;
  const Batched *scanned = in + batch_first_carried(n) + n->attr.carried;
  IrLoop loop = {.scanned = n->attr.scanned, .inputs = inputs, .reverse = n->attr.reverse};
  if (!unlimited(in[0].value)) {
    Batched count = in[0];
    if (batch_axes(count, t->levels)) {
      Batched mask = mask_of_count(t, count);
      l->count_is_masked = mask.value == t->mask.value;
      if (mask.value) count = batch_select(t, mask, count, (Batched){.value = ir_i64(t->b, 0)});
      l->count = count;
      loop.count = ir_reduce_all(t->b, IR_REDUCE_MAX, count.value);
    } else {
      loop.count = batch_with_axes(t, count, 0).value;
    }
  }
  if (n->attr.has_condition) {
    l->condition = in[1];
    l->carries_condition = l->axes.run != 0;
    /* without elements that run, nothing may be left to end the loop */
    if (l->carries_condition) {
      l->condition = batch_and(t, t->mask, in[1]);
      if (condition_includes_count(l))
        l->condition = batch_and(t, l->condition, within_count(l, ir_i64(t->b, 0)));
      loop.condition = any(t, l->condition);
    } else {
      loop.condition = batch_with_axes(t, in[1], 0).value;
      if (t->mask.value) loop.condition = ir_binary(t->b, IR_AND, loop.condition, any(t, t->mask));
    }
  }
  for (int k = 0; k < n->attr.scanned; k++) inputs[k] = stacked(t, scanned[k]);
  return loop;
}

/* What the loop carries: the condition where it must, then the node's carried values. */
static IrValue **initial_values(BatchedLoop *l, const Batched *in, int *count) {
  Batcher *t = l->t;
  const Batched *carried = in + batch_first_carried(l->node);
  IrValue **initial = ARENA_ARRAY(t->arena, IrValue *, (size_t)l->node->attr.carried + 1);
  *count = 0;
  if (l->carries_condition)
    initial[(*count)++] = batch_with_axes(t, l->condition, l->axes.run).value;
  for (int k = 0; k < l->node->attr.carried; k++)
    initial[(*count)++] = batch_with_axes(t, carried[k], l->axes.carried[k]).value;
  return initial;
}

/* The body's parameters in the batched loop; the first is the condition where that is carried. */
static Batched *body_params(BatchedLoop *l, const Batched *in, IrValue *const *inputs,
                            Batched *running) {
  Batcher *t = l->t;
  const IrNode *n = l->node;
  const IrFunction *body = n->body[0];
  int carried = n->attr.carried, scanned = n->attr.scanned, first = batch_first_carried(n);
  Batched *params = ARENA_ARRAY(t->arena, Batched, (size_t)body->param_count);
  IrType number = ir_scalar(IR_I64), truth = ir_scalar(IR_BOOL);
  params[0] = batch_param(t, &number, 0, "i");
  if (l->carries_condition) *running = batch_param(t, &truth, l->axes.run, "running");
  for (int k = 1; k <= carried; k++)
    params[k] = batch_param(t, &body->params[k]->type, l->axes.carried[k - 1], NULL);
  for (int k = carried + 1; k <= carried + scanned; k++) {
    bool batched = in[first + k - 1].batched;
    IrType element = ir_row_type(&inputs[k - 1 - carried]->type);
    params[k] = (Batched){ir_param(t->b, element, NULL), batched,
                          batched && t->pads && body->params[k]->type.rank == 0};
  }
  for (int k = carried + scanned + 1; k < body->param_count; k++) params[k] = in[first + k - 1];
  return params;
}

static Batched zero_like(Batcher *t, Batched v) {
  IrTensor *zero = ir_tensor_new(t->arena, ir_scalar(v.value->type.dtype));
  return (Batched){.value = ir_constant(t->b, zero)};
}

/* Whether an element goes on after iteration i, given what the body says. */
static Batched still_running(BatchedLoop *l, Batched running, Batched condition, IrValue *i) {
  Batcher *t = l->t;
  if (condition_includes_count(l)) {
    IrValue *next = ir_binary(t->b, IR_ADD, i, ir_i64(t->b, 1));
    condition = batch_and(t, condition, within_count(l, next));
  } else if (l->count.value) {
    Batched within = within_count(l, i);
    Batched later = batch_op(t, IR_NOT, (IrAttr){0}, &within, 1);
    condition = batch_op(t, IR_OR, (IrAttr){0}, (Batched[]){condition, later}, 2);
  }
  return batch_and(t, running, condition);
}

/* Builds the body. out receives its results, as far as they are the loop's. */
static void build_body(BatchedLoop *l, const Batched *in, IrValue *const *inputs, Batched *out) {
  Batcher *t = l->t;
  const IrNode *n = l->node;
  const IrFunction *body = n->body[0];
  Batched mask = t->mask, run = {0};
  Batched *params = body_params(l, in, inputs, &run);
  Batched *results = ARENA_ARRAY(t->arena, Batched, (size_t)body->result_count);
  IrValue **values = ARENA_ARRAY(t->arena, IrValue *, (size_t)body->result_count + 1);
  int count = 0, conditions = n->attr.has_condition ? 1 : 0;
  Batched running = run;
  if (l->count.value && !condition_includes_count(l)) {
    if (!run.value && !l->count_is_masked) run = mask;
    run = batch_and(t, run, within_count(l, params[0].value));
  }
  if (run.value) t->mask = run;
  batch_body(t, body, params, results);
  if (l->carries_condition) {
    Batched on = still_running(l, running, results[0], params[0].value);
    values[count++] = any(t, on);
    values[count++] = batch_with_axes(t, on, l->axes.run).value;
  } else if (conditions) {
    values[count++] = batch_with_axes(t, results[0], 0).value;
  }
  for (int k = 0; k < n->out_count; k++) {
    Batched r = results[conditions + k];
    bool carried = k < n->attr.carried;
    if (run.value) r = batch_select(t, run, r, carried ? params[1 + k] : zero_like(t, r));
    out[k] = carried ? batch_with_axes(t, r, l->axes.carried[k]) : batch_padded(t, r);
    values[count++] = out[k].value;
  }
  t->mask = mask;
  ir_function_end(t->b, values, NULL, count);
}

/* A stacked result with its batch axes in front. Where no iteration ran, nothing has told their
 * extents. */
static IrValue *unstacked(Batcher *t, IrValue *v, bool padded, const IrLoop *loop) {
  IrValue *dims[IR_MAX_RANK];
  const IrTensor *count = loop->count ? loop->count->constant : NULL;
  bool runs = count && count->data.i64[0] > 0 && !loop->condition, open = false;
  if (padded) v = ir_squeeze(t->b, v, v->type.rank - 1);
  v = ir_move_axis(t->b, v, 0, t->levels);
  for (int a = 0; a < v->type.rank; a++) {
    bool batch = a < t->levels && v->type.dim[a] == IR_DYNAMIC;
    dims[a] = batch ? t->size[a] : ir_dim(t->b, v, a);
    open |= batch;
  }
  return open && !runs ? ir_reshape(t->b, v, dims, v->type.rank) : v;
}

void batch_loop(Batcher *t, const IrNode *n, const Batched *in, Batched *out) {
  AxisSet *axes = ARENA_ARRAY(t->arena, AxisSet, (size_t)n->in_count);
  for (int k = 0; k < n->in_count; k++)
    if (in[k].value) axes[k] = batch_axes(in[k], t->levels);
  BatchedLoop l = {.t = t, .node = n};
  l.axes = batch_loop_axes(t->arena, n, axes, batch_axes(t->mask, t->levels));
  IrValue **inputs = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->attr.scanned),
          **results = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->out_count + 1);
  IrLoop loop = loop_operands(&l, in, inputs);
  loop.initial = initial_values(&l, in, &loop.carried);
  IrBuilder *outer = t->b, *body = ir_function_begin(t->module, outer, n->body[0]->name);
  BatchFrame frame = {outer, t->mask, t->around};
  t->b = body;
  t->around = &frame;
  build_body(&l, in, inputs, out);
  t->b = outer;
  t->around = frame.outer;
  ir_loop(outer, loop, body, results);
  int first = l.carries_condition ? 1 : 0;
  for (int k = 0; k < n->out_count; k++) {
    out[k].value = results[first + k];
    if (k < n->attr.carried || !out[k].batched) continue;
    out[k].value = unstacked(t, results[first + k], out[k].padded, &loop);
    out[k].padded = false;
  }
}
