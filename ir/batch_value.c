/* Batching the nodes of a function in order. What does not depend on a batched value stays as it
 * is, and is computed once. */
#include "ir/batch.h"
#include "ir/builder.h"

#include <assert.h>
#include <string.h>

/* ---- values ---- */

static IrValue *placeholder(Batcher *t, IrDtype dtype, int rank) {
  int64_t ones[IR_MAX_RANK];
  for (int a = 0; a < IR_MAX_RANK; a++) ones[a] = 1;
  if (rank > IR_MAX_RANK) rank = IR_MAX_RANK;
  return ir_constant(t->b, ir_tensor_new(t->arena, ir_type(dtype, rank, ones)));
}

static int own_rank(const Batcher *t, Batched v) {
  return v.value->type.rank - (v.batched ? t->levels : 0) - (v.padded ? 1 : 0);
}

Batched batch_padded(Batcher *t, Batched v) {
  if (!t->pads || !v.batched || v.padded || own_rank(t, v) > 0) return v;
  return (Batched){ir_unsqueeze(t->b, v.value, t->levels), true, true};
}

Batched batch_bare(Batcher *t, Batched v) {
  if (!v.padded) return v;
  return (Batched){ir_squeeze(t->b, v.value, t->levels), true, false};
}

/* An index or an update of its own rank 0, for an x of rank 1, as a vector of one element. */
static Batched as_vector(Batcher *t, Batched v) {
  if (v.padded) return (Batched){v.value, true, false};
  return own_rank(t, v)
             ? v
             : (Batched){ir_unsqueeze(t->b, v.value, v.batched ? t->levels : 0), v.batched, false};
}

/* Whether op on these operands picks or sets one element of a vector, for each element of the
 * batch.
 */
static bool is_element_access(Batcher *t, IrOp op, const Batched *in, int count) {
  bool access = op == IR_GATHER || op == IR_SCATTER_ADD || op == IR_SCATTER_SET, any = false;
  for (int k = 0; k < count; k++) any |= in[k].batched;
  return t->pads && access && any && own_rank(t, in[0]) == 1 && own_rank(t, in[1]) == 0;
}

Batched batch_op(Batcher *t, IrOp op, IrAttr attr, const Batched *in, int count) {
  IrValue **values = ARENA_ARRAY(t->arena, IrValue *, (size_t)count);
  bool *flags = ARENA_ARRAY(t->arena, bool, (size_t)count);
  bool elementwise = ir_op_elementwise(op) || (op == IR_BROADCAST && count > 1);
  bool element = is_element_access(t, op, in, count);
  Batched r = {0};
  int rank = 0;
  AxisSet axes = 0;
  if (op == IR_CONCAT) /* whose operands must have all axes: of sizes that no loop changes */
    for (int k = 0; k < count; k++) axes |= batch_axes(in[k], t->levels);
  for (int k = 0; k < count; k++) {
    if (elementwise && own_rank(t, in[k]) > rank) rank = own_rank(t, in[k]);
    Batched v = elementwise        ? batch_padded(t, in[k])
                : element && k > 0 ? as_vector(t, in[k])
                                   : batch_bare(t, axes ? batch_with_axes(t, in[k], axes) : in[k]);
    values[k] = v.value;
    flags[k] = v.batched;
    r.batched |= v.batched;
  }
  r.value = ir_emit_batched(t->b, op, attr, values, count, flags, t->levels);
  if (!r.value || !r.batched || !t->pads) return r;
  r.padded = (elementwise && op != IR_BROADCAST && rank == 0) || (element && op == IR_GATHER);
  return batch_padded(t, r);
}

Batched batch_and(Batcher *t, Batched x, Batched y) {
  if (!x.value) return y;
  if (!y.value) return x;
  return batch_op(t, IR_AND, (IrAttr){0}, (Batched[]){x, y}, 2);
}

Batched batch_select(Batcher *t, Batched c, Batched x, Batched y) {
  if (x.value == y.value) return x;
  return batch_op(t, IR_SELECT, (IrAttr){0}, (Batched[]){c, x, y}, 3);
}

Batched batch_with_axes(Batcher *t, Batched v, AxisSet axes) {
  IrValue *dims[IR_MAX_RANK];
  int levels = t->levels, rank = own_rank(t, v);
  AxisSet have = batch_axes(v, levels);
  assert(!(have & ~axes));
  if (!axes) {
    v = batch_bare(t, v);
    return (Batched){batch_drop_units(t->b, v.value, 0, v.batched ? levels : 0), false, false};
  }
  if (rank + levels >= IR_MAX_RANK) {
    module_error(t->module, "a batch of tensors of %d axes", rank);
    return (Batched){placeholder(t, v.value->type.dtype, rank + levels), true, false};
  }
  if (v.batched) v = batch_padded(t, v);
  int lead = v.batched ? levels : 0, own = v.value->type.rank - lead;
  for (int a = 0; a < levels; a++) {
    bool full = have >> a & 1, wanted = axes >> a & 1;
    dims[a] = full ? ir_dim(t->b, v.value, a) : wanted ? t->size[a] : ir_i64(t->b, 1);
  }
  for (int a = 0; a < own; a++) dims[levels + a] = ir_dim(t->b, v.value, lead + a);
  bool pad = t->pads && rank == 0;
  if (pad && !v.padded) dims[levels + own++] = ir_i64(t->b, 1);
  return (Batched){ir_broadcast(t->b, v.value, dims, levels + own), true, pad};
}

IrType batch_prefixed(const IrType *own, const int64_t *dims, int count) {
  int64_t all[IR_MAX_RANK];
  int rank = 0;
  for (int a = 0; a < count; a++) all[rank++] = dims[a];
  for (int a = 0; a < own->rank && rank < IR_MAX_RANK; a++) all[rank++] = own->dim[a];
  return ir_type(own->dtype, rank, all);
}

Batched batch_param(Batcher *t, const IrType *own, AxisSet axes, const char *name) {
  static const int64_t one = 1;
  int64_t dims[IR_MAX_RANK];
  bool pad = t->pads && axes && own->rank == 0;
  IrType type = pad ? batch_prefixed(own, &one, 1) : *own;
  for (int a = 0; a < t->levels; a++) {
    const IrTensor *known = t->size[a]->constant;
    dims[a] = !(axes >> a & 1) ? 1 : known ? known->data.i64[0] : IR_DYNAMIC;
  }
  type = batch_prefixed(&type, dims, axes ? t->levels : 0);
  return (Batched){ir_param(t->b, type, name), axes != 0, pad};
}

/* ---- elements that do not run ---- */

static IrValue *scalar(Batcher *t, IrDtype dtype, double x) {
  return dtype == IR_F64 ? ir_f64(t->b, x) : ir_i64(t->b, (int64_t)x);
}

/* The operand with a harmless value where an element does not run: a divisor of integers and an
 * index must be good everywhere, other operands where there will be derivatives. What is the same
 * for all elements is good for all as soon as one runs. */
static Batched guarded(Batcher *t, IrOp op, int k, Batched v) {
  double safe = 0;
  IrDtype dtype = v.value->type.dtype;
  bool index = k == 1 && batch_is_guarded(op) && !ir_op_elementwise(op);
  bool dangerous = ir_op_guard(op, k, &safe) && (dtype == IR_I64 || t->differentiable);
  if (v.value->constant || !(index || dangerous)) return v;
  Batched otherwise = {.value = scalar(t, dtype, index ? 0 : safe)}, runs = t->mask;
  if (!batch_axes(v, t->levels))
    runs = (Batched){.value = ir_reduce_all(t->b, IR_REDUCE_ANY, t->mask.value)};
  return batch_select(t, runs, v, otherwise);
}

/* ---- nodes ---- */

/* n as it is, on operands none of which is batched. */
static void copy(Batcher *t, const IrNode *n, const Batched *in, Batched *out) {
  IrValue **values = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->in_count),
          **results = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->out_count);
  int first = batch_first_carried(n), carried = n->attr.carried;
  for (int k = 0; k < n->in_count; k++) values[k] = in[k].value;
  if (n->op == IR_CONST) {
    results[0] = ir_constant(t->b, n->out[0]->constant);
  } else if (n->op == IR_CALL) {
    ir_call(t->b, n->body[0], values, n->in_count, results);
  } else if (n->op == IR_IF) {
    ir_if_closed(t->b, values[0], n->body[0], n->body[1], values + 1, n->in_count - 1, results);
  } else if (n->op == IR_LOOP) {
    int extra = first + carried + n->attr.scanned;
    IrLoop loop = {.count = values[0],
                   .condition = n->attr.has_condition ? values[1] : NULL,
                   .carried = carried,
                   .scanned = n->attr.scanned,
                   .initial = values + first,
                   .inputs = values + first + carried,
                   .reverse = n->attr.reverse};
    ir_loop_closed(t->b, loop, n->body[0], values + extra, n->in_count - extra, results);
  } else {
    results[0] = ir_emit(t->b, n->op, n->attr, values, n->in_count);
  }
  for (int k = 0; k < n->out_count; k++) out[k] = (Batched){.value = results[k]};
}

static void batch_plain(Batcher *t, const IrNode *n, Batched *in, Batched *out) {
  if (t->mask.value)
    for (int k = 0; k < n->in_count && k < 2; k++) in[k] = guarded(t, n->op, k, in[k]);
  out[0] = batch_op(t, n->op, n->attr, in, n->in_count);
  if (out[0].value) return;
  module_error(t->module, "%s: a size that differs between the elements of a batch",
               ir_op_name(n->op));
  const IrType *own = &n->out[0]->type;
  out[0].value = placeholder(t, own->dtype, own->rank + t->levels);
}

/* The sum over the elements that run, or whether one has it: the same for all of them. Around the
 * batch of a call there may be others, over which it then goes too. */
static void batch_total(Batcher *t, IrOp op, bool nonempty, Batched x, Batched *out) {
  AxisSet all = (1u << t->levels) - 1;
  IrAttr attr = {.axis_count = t->levels, .nonempty = nonempty};
  if (t->mask.value)
    x = batch_select(t, t->mask, x, (Batched){.value = scalar(t, x.value->type.dtype, 0)});
  x = batch_bare(t, batch_with_axes(t, x, all));
  for (int a = 0; a < t->levels; a++) attr.axes[a] = (int8_t)a;
  IrOp reduction = op == IR_SOME ? IR_REDUCE_ANY : IR_REDUCE_SUM;
  IrValue *all_of_them = t->levels ? ir_emit(t->b, reduction, attr, &x.value, 1) : x.value;
  if (!t->pads) all_of_them = ir_emit(t->b, op, (IrAttr){.nonempty = nonempty}, &all_of_them, 1);
  *out = (Batched){.value = all_of_them};
}

static void batch_node(Batcher *t, const IrNode *n, Batched *in, Batched *out) {
  bool any = false, masked = t->mask.value != NULL;
  for (int k = 0; k < n->in_count; k++) any |= in[k].batched;
  if (n->op == IR_SHAPE) {
    int axis = n->attr.axis + (in[0].batched ? t->levels : 0);
    out[0] = (Batched){.value = ir_dim(t->b, in[0].value, axis)};
  } else if (n->op == IR_TOTAL || n->op == IR_SOME) {
    batch_total(t, n->op, n->attr.nonempty, in[0], &out[0]);
  } else if (n->op == IR_LOOP && (any || (masked && n->attr.has_condition))) {
    batch_loop(t, n, in, out);
  } else if (n->op == IR_IF && any) {
    batch_if(t, n, in, out);
  } else if (n->op == IR_CALL && any) {
    batch_call(t, n, in, out);
  } else if (any || (masked && batch_is_guarded(n->op))) {
    batch_plain(t, n, in, out);
  } else {
    copy(t, n, in, out);
  }
}

void batch_body(Batcher *t, const IrFunction *f, const Batched *params, Batched *results) {
  Batched *values = ARENA_ARRAY(t->arena, Batched, (size_t)f->value_count);
  for (int k = 0; k < f->param_count; k++) values[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    Batched *in = ARENA_ARRAY(t->arena, Batched, (size_t)n->in_count),
            *out = ARENA_ARRAY(t->arena, Batched, (size_t)n->out_count);
    for (int k = 0; k < n->in_count; k++)
      if (n->in[k]) in[k] = values[n->in[k]->id];
    const IrScope *scope = ir_set_scope(t->b, n->scope);
    bool adjoint = ir_set_adjoint(t->b, n->adjoint), exact = ir_set_exact(t->b, n->exact);
    batch_node(t, n, in, out);
    ir_set_scope(t->b, scope);
    ir_set_adjoint(t->b, adjoint);
    ir_set_exact(t->b, exact);
    for (int k = 0; k < n->out_count; k++) {
      /* what holds of elements that run need not hold of others */
      if (!t->mask.value) ir_assume(out[k].value, n->out[k]->facts);
      values[n->out[k]->id] = out[k];
    }
  }
  for (int k = 0; k < f->result_count; k++) results[k] = values[f->results[k]->id];
}
