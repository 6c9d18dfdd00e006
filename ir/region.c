/* Ops with bodies: calls, branches and loops. */
#include "ir/builder.h"

#include <assert.h>
#include <string.h>

/* Operands under construction. */
typedef struct {
  IrValue **items;
  int count;
} Operands;

static Operands operands_new(IrBuilder *b, int room) {
  return (Operands){ARENA_ARRAY(b->module->arena, IrValue *, (size_t)room), 0};
}

static void add_operands(IrBuilder *b, Operands *o, IrValue *const *values, int count) {
  for (int k = 0; k < count; k++) o->items[o->count++] = builder_local(b, values[k]);
}

static void check_fits(IrBuilder *b, const char *what, const IrType *have, const IrType *want) {
  if (ir_type_fits(have, want)) return;
  Arena *a = b->module->arena;
  module_error(b->module, "%s: %s where %s is expected", what, ir_type_text(a, have),
               ir_type_text(a, want));
}

/* Appends the node of a region. Where all it reads is known its results are constants, and the node
 * is left for the end of the function to drop. */
static void append_region(IrBuilder *b, IrNode *shape, const IrType *types, IrValue **results) {
  IrNode *n = builder_append(b, shape->op, shape->attr, shape->in, shape->in_count, types,
                             shape->out_count);
  n->body[0] = shape->body[0];
  n->body[1] = shape->body[1];
  if (n->op == IR_CALL) builder_remember(b, n);
  for (int k = 0; k < n->out_count; k++) results[k] = n->out[k];
  if (!b->module->options.no_fold) fold_region(b, n, results);
}

/* ---- CALL ---- */

static void check_arguments(IrBuilder *b, const IrFunction *f, IrValue *const *args, int count) {
  if (count != f->param_count) {
    module_error(b->module, "call of %s: %d arguments instead of %d", f->name, count,
                 f->param_count);
    return;
  }
  for (int k = 0; k < count; k++) {
    IrType have = args[k]->type;
    if (f->elementwise) have = ir_scalar(have.dtype);
    check_fits(b, "call", &have, &f->params[k]->type);
  }
}

void ir_call(IrBuilder *b, IrFunction *callee, IrValue *const *args, int arg_count,
             IrValue **results) {
  Arena *a = b->module->arena;
  Operands o = operands_new(b, arg_count);
  add_operands(b, &o, args, arg_count);
  check_arguments(b, callee, o.items, o.count);
  IrType *types = ARENA_ARRAY(a, IrType, (size_t)callee->result_count);
  for (int k = 0; k < callee->result_count; k++) types[k] = callee->results[k]->type;
  if (callee->elementwise) {
    const char *error = ir_infer_elementwise(a, types[0].dtype, o.items, o.count, &types[0]);
    if (error) module_error(b->module, "call of %s: %s", callee->name, error);
  }
  IrNode *known = builder_find(b, IR_CALL, &(IrAttr){0}, callee, o.items, o.count);
  if (known) {
    for (int k = 0; k < known->out_count; k++) results[k] = known->out[k];
    return;
  }
  IrNode shape = {.op = IR_CALL,
                  .in = o.items,
                  .in_count = o.count,
                  .out_count = callee->result_count,
                  .body = {callee}};
  append_region(b, &shape, types, results);
  for (int k = 0; k < callee->result_count; k++)
    results[k]->facts = facts_close(results[k]->facts | callee->facts | callee->results[k]->facts);
}

/* ---- IF ---- */

/* The parent's value that a branch's result stands for as it is, or NULL. */
static IrValue *outer_value(IrBuilder *b, const IrBuilder *branch, const IrValue *result) {
  if (result->constant) return ir_constant(b, result->constant);
  return result->node ? NULL : builder_local(b, branch->captured[result->index]);
}

static void drop_result(IrFunction *f, int k) {
  f->result_count--;
  memmove(f->results + k, f->results + k + 1, sizeof *f->results * (size_t)(f->result_count - k));
}

/* Gives the branch the parameters that stand for `captured`, in that order. */
static void take_captures(IrBuilder *branch, const Operands *captured) {
  Arena *a = branch->module->arena;
  IrFunction *f = branch->function;
  IrValue **params = ARENA_ARRAY(a, IrValue *, (size_t)captured->count);
  for (int k = 0; k < f->param_count; k++)
    for (int j = 0; j < captured->count; j++)
      if (captured->items[j] == branch->captured[k]) params[j] = f->params[k];
  for (int j = 0; j < captured->count; j++) {
    if (!params[j]) {
      params[j] = ARENA_NEW(a, IrValue);
      *params[j] = (IrValue){.type = captured->items[j]->type, .owner = f};
    }
    params[j]->index = j;
  }
  f->params = params;
  f->param_count = captured->count;
  f->param_names = NULL;
  branch->captured = captured->items;
  function_renumber(f);
}

static Operands union_of_captures(IrBuilder *b, const IrBuilder *then, const IrBuilder *orelse) {
  Operands o = operands_new(b, then->function->param_count + orelse->function->param_count);
  PointerMap seen = {0};
  const IrBuilder *branches[] = {then, orelse};
  for (int side = 0; side < 2; side++)
    for (int k = 0; k < branches[side]->function->param_count; k++) {
      IrValue *v = branches[side]->captured[k];
      if (pointer_map_get(&seen, v)) continue;
      pointer_map_set(&seen, b->module->arena, v, v);
      o.items[o.count++] = v;
    }
  return o;
}

static bool check_branches(IrBuilder *b, const IrFunction *then, const IrFunction *orelse) {
  if (then->result_count != orelse->result_count) {
    module_error(b->module, "if: branches with %d and %d results", then->result_count,
                 orelse->result_count);
    return false;
  }
  for (int k = 0; k < then->result_count; k++) {
    const IrType *x = &then->results[k]->type, *y = &orelse->results[k]->type;
    if (x->dtype == y->dtype && x->rank == y->rank) continue;
    Arena *a = b->module->arena;
    module_error(b->module, "if: %s and %s as results of the branches", ir_type_text(a, x),
                 ir_type_text(a, y));
    return false;
  }
  return true;
}

void ir_if(IrBuilder *b, IrValue *condition, IrBuilder *then, IrBuilder *orelse,
           IrValue **results) {
  IrFunction *f = then->function, *g = orelse->function;
  condition = builder_local(b, condition);
  check_fits(b, "if", &condition->type, &(IrType){.dtype = IR_BOOL});
  bool fits = check_branches(b, f, g);
  if (!fits || condition->constant) {
    IrBuilder *taken = !fits || condition->constant->data.boolean[0] ? then : orelse;
    ir_inline(b, taken->function, taken->captured, results);
    return;
  }
  int total = f->result_count, count = 0;
  int *place = ARENA_ARRAY(b->module->arena, int, (size_t)total);
  for (int k = 0; k < total; k++) {
    IrValue *x = outer_value(b, then, f->results[count]);
    if (x && x == outer_value(b, orelse, g->results[count])) {
      results[k] = x;
      drop_result(f, count);
      drop_result(g, count);
    } else {
      place[count++] = k;
    }
  }
  if (count == 0) return;
  Operands captured = union_of_captures(b, then, orelse);
  take_captures(then, &captured);
  take_captures(orelse, &captured);
  Operands o = operands_new(b, captured.count + 1);
  add_operands(b, &o, &condition, 1);
  add_operands(b, &o, captured.items, captured.count);
  IrType *types = ARENA_ARRAY(b->module->arena, IrType, (size_t)count);
  IrValue **out = ARENA_ARRAY(b->module->arena, IrValue *, (size_t)count);
  for (int k = 0; k < count; k++)
    types[k] = ir_type_join(&f->results[k]->type, &g->results[k]->type);
  IrNode shape = {
      .op = IR_IF, .in = o.items, .in_count = o.count, .out_count = count, .body = {f, g}};
  append_region(b, &shape, types, out);
  for (int k = 0; k < count; k++) {
    out[k]->facts |= f->results[k]->facts & g->results[k]->facts;
    results[place[k]] = out[k];
  }
}

void ir_if_closed(IrBuilder *b, IrValue *condition, IrFunction *then, IrFunction *orelse,
                  IrValue *const *args, int arg_count, IrValue **results) {
  IrFunction *functions[2] = {then, orelse};
  IrBuilder *branches[2];
  if (arg_count != then->param_count || arg_count != orelse->param_count)
    module_error(b->module, "if: %d arguments of branches that take %d and %d", arg_count,
                 then->param_count, orelse->param_count);
  for (int side = 0; side < 2; side++) {
    IrFunction *f = functions[side];
    IrValue **out = ARENA_ARRAY(b->module->arena, IrValue *, (size_t)f->result_count);
    branches[side] = ir_function_begin(b->module, b, f->name);
    ir_inline(branches[side], f, args, out);
    ir_function_end(branches[side], out, NULL, f->result_count);
  }
  ir_if(b, condition, branches[0], branches[1], results);
}

/* ---- LOOP ---- */

/* A loop with its operands local to the builder. */
typedef struct {
  IrLoop loop;
  IrFunction *body;
  int first_result; /* of the body, after the condition */
  int outs;         /* stacked results */
  IrValue *const *captured;
  int captured_count;
} Region;

static IrType without_first_axis(const IrType *t) { return t->rank ? ir_row_type(t) : *t; }

static void check_loop(IrBuilder *b, const Region *r) {
  const IrLoop *l = &r->loop;
  const IrFunction *f = r->body;
  assert(f->param_count == 1 + l->carried + l->scanned + r->captured_count && r->outs >= 0);
  check_fits(b, "loop", &l->count->type, &(IrType){.dtype = IR_I64});
  if (l->condition) check_fits(b, "loop", &l->condition->type, &(IrType){.dtype = IR_BOOL});
  for (int k = 0; k < l->carried; k++) {
    const IrType *param = &f->params[1 + k]->type;
    check_fits(b, "loop", &l->initial[k]->type, param);
    check_fits(b, "loop", &f->results[r->first_result + k]->type, param);
  }
  for (int k = 0; k < l->scanned; k++) {
    IrType element = without_first_axis(&l->inputs[k]->type);
    if (l->inputs[k]->type.rank == 0) module_error(b->module, "loop: a scalar is scanned");
    check_fits(b, "loop", &element, &f->params[1 + l->carried + k]->type);
  }
}

/* What is carried has one type throughout: that of the body's parameter, as far as it is known. */
static IrType carried_type(const Region *r, int k) {
  const IrType *param = &r->body->params[1 + k]->type;
  IrType ends =
      ir_type_join(&r->loop.initial[k]->type, &r->body->results[r->first_result + k]->type);
  return ir_type_fits(&ends, param) ? ir_type_meet(param, &ends) : *param;
}

static IrType stacked_type(const Region *r, int k) {
  const IrType *x = &r->body->results[r->first_result + r->loop.carried + k]->type;
  const IrTensor *count = r->loop.count->constant;
  IrType t = {.dtype = x->dtype, .rank = x->rank + 1, .dim = {IR_DYNAMIC}};
  if (count && !r->loop.condition) t.dim[0] = count->data.i64[0] > 0 ? count->data.i64[0] : 0;
  memcpy(t.dim + 1, x->dim, sizeof *x->dim * (size_t)x->rank);
  return t;
}

static bool all_dims_known(const IrType *t) {
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] == IR_DYNAMIC) return false;
  return true;
}

/* No iteration: false where it is not known which sizes the empty results have. */
static bool run_never(IrBuilder *b, const Region *r, IrValue **results) {
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < r->outs; k++) {
      IrType t = stacked_type(r, k);
      t.dim[0] = 0;
      if (pass == 0 && !all_dims_known(&t)) return false;
      if (pass == 1)
        results[r->loop.carried + k] = ir_constant(b, ir_tensor_new(b->module->arena, t));
    }
  for (int k = 0; k < r->loop.carried; k++) results[k] = r->loop.initial[k];
  return true;
}

static void run_once(IrBuilder *b, const Region *r, IrValue **results) {
  Arena *a = b->module->arena;
  IrValue **args = ARENA_ARRAY(a, IrValue *, (size_t)r->body->param_count);
  IrValue **out = ARENA_ARRAY(a, IrValue *, (size_t)r->body->result_count);
  int n = 0;
  args[n++] = ir_i64(b, 0);
  for (int k = 0; k < r->loop.carried; k++) args[n++] = r->loop.initial[k];
  for (int k = 0; k < r->loop.scanned; k++)
    args[n++] = ir_squeeze(b, ir_slice(b, r->loop.inputs[k], 0, ir_i64(b, 0), ir_i64(b, 1)), 0);
  for (int k = 0; k < r->captured_count; k++) args[n++] = r->captured[k];
  ir_inline(b, r->body, args, out);
  for (int k = 0; k < r->loop.carried + r->outs; k++) {
    IrValue *v = out[r->first_result + k];
    results[k] = k < r->loop.carried ? v : ir_unsqueeze(b, v, 0);
  }
}

/* Loops of no iteration or one are no loops. */
static bool run_at_once(IrBuilder *b, const Region *r, IrValue **results) {
  const IrTensor *count = r->loop.count->constant,
                 *condition = r->loop.condition ? r->loop.condition->constant : NULL;
  bool never = (count && count->data.i64[0] <= 0) || (condition && !condition->data.boolean[0]);
  if (never) return run_never(b, r, results);
  if (!count || count->data.i64[0] != 1 || (r->loop.condition && !condition)) return false;
  run_once(b, r, results);
  return true;
}

static void append_loop(IrBuilder *b, const Region *r, IrValue **results) {
  const IrLoop *l = &r->loop;
  Operands o = operands_new(b, 2 + l->carried + l->scanned + r->captured_count);
  add_operands(b, &o, &l->count, 1);
  if (l->condition) add_operands(b, &o, &l->condition, 1);
  add_operands(b, &o, l->initial, l->carried);
  add_operands(b, &o, l->inputs, l->scanned);
  add_operands(b, &o, r->captured, r->captured_count);
  int count = l->carried + r->outs;
  IrType *types = ARENA_ARRAY(b->module->arena, IrType, (size_t)count);
  for (int k = 0; k < l->carried; k++) types[k] = carried_type(r, k);
  for (int k = 0; k < r->outs; k++) types[l->carried + k] = stacked_type(r, k);
  IrNode shape = {.op = IR_LOOP,
                  .attr = {.has_condition = l->condition != NULL,
                           .carried = l->carried,
                           .scanned = l->scanned,
                           .reverse = l->reverse},
                  .in = o.items,
                  .in_count = o.count,
                  .out_count = count,
                  .body = {r->body}};
  append_region(b, &shape, types, results);
  for (int k = 0; k < count; k++) {
    unsigned facts = r->body->results[r->first_result + k]->facts;
    results[k]->facts |= k < l->carried ? facts & l->initial[k]->facts : facts;
  }
}

static IrValue **local_values(IrBuilder *b, IrValue *const *values, int count) {
  Operands o = operands_new(b, count);
  add_operands(b, &o, values, count);
  return o.items;
}

void ir_loop(IrBuilder *b, IrLoop loop, IrBuilder *body, IrValue **results) {
  Region r = {.loop = loop, .body = body->function};
  IrValue *const *captured = ir_captures(body, &r.captured_count);
  r.captured = local_values(b, captured, r.captured_count);
  r.loop.count = loop.count ? builder_local(b, loop.count) : ir_i64(b, INT64_MAX);
  r.loop.condition = loop.condition ? builder_local(b, loop.condition) : NULL;
  r.loop.initial = local_values(b, loop.initial, loop.carried);
  r.loop.inputs = local_values(b, loop.inputs, loop.scanned);
  r.first_result = loop.condition ? 1 : 0;
  r.outs = r.body->result_count - r.first_result - loop.carried;
  check_loop(b, &r);
  if (b->module->error || !run_at_once(b, &r, results)) append_loop(b, &r, results);
}
