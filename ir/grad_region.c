/* Differentiating calls and branches; and copies of nodes of any kind. */
#include "ir/grad.h"

static IrValue **values(Arena *a, int count) {
  return ARENA_ARRAY(a, IrValue *, (size_t)count + 1);
}

/* ---- copies ---- */

static void repeat_region(IrBuilder *b, const IrNode *n, IrValue *const *in, IrValue **out) {
  if (n->op == IR_CALL) {
    ir_call(b, n->body[0], in, n->in_count, out);
  } else if (n->op == IR_IF) {
    ir_if_closed(b, in[0], n->body[0], n->body[1], in + 1, n->in_count - 1, out);
  } else {
    LoopLayout l = loop_layout(n);
    IrLoop loop = {.count = in[0],
                   .condition = n->attr.has_condition ? in[1] : NULL,
                   .carried = n->attr.carried,
                   .scanned = n->attr.scanned,
                   .initial = in + l.initial,
                   .inputs = in + l.scanned,
                   .reverse = n->attr.reverse};
    ir_loop_closed(b, loop, n->body[0], in + l.captures, n->in_count - l.captures, out);
  }
}

void repeat_node(IrBuilder *b, const IrNode *n, IrValue **map) {
  Arena *a = ir_module_arena(n->owner->module);
  if (n->op == IR_CONST) {
    map[n->out[0]->id] = ir_constant(b, n->out[0]->constant);
    return;
  }
  const IrScope *scope = ir_set_scope(b, n->scope);
  bool adjoint = ir_set_adjoint(b, n->adjoint), exact = ir_set_exact(b, n->exact);
  IrValue **in = values(a, n->in_count), **out = values(a, n->out_count);
  for (int k = 0; k < n->in_count; k++) in[k] = map[n->in[k]->id];
  if (n->body[0])
    repeat_region(b, n, in, out);
  else
    out[0] = ir_emit(b, n->op, n->attr, in, n->in_count);
  for (int k = 0; k < n->out_count; k++) map[n->out[k]->id] = out[k];
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
  ir_set_exact(b, exact);
}

/* ---- CALL ---- */

/* f's gradient with respect to its parameter k, as a function of scalars. */
static IrFunction *derived(IrFunction *f, int k) {
  Arena *a = ir_module_arena(f->module);
  bool *wrt = ARENA_ARRAY(a, bool, (size_t)f->param_count);
  wrt[k] = true;
  IrFunction *g = ir_grad(f, 0, wrt);
  IrBuilder *b = ir_function_begin(f->module, NULL, arena_printf(a, "%s_d%d", f->name, k + 1));
  IrValue *results[2], **params = copy_params(b, f);
  ir_inline(b, g, params, results);
  IrFunction *d = ir_function_end(b, results + 1, NULL, 1);
  d->elementwise = true;
  return d;
}

/* The hand-written derivative of f, or NULL: k as in IrFunction. A function that is its own entry
 * in the cache has none. */
static IrFunction *derivative_of(IrFunction *f, int k) {
  if (!f->derivative_cache)
    f->derivative_cache =
        ARENA_ARRAY(ir_module_arena(f->module), IrFunction *, (size_t)f->param_count + 1);
  IrFunction **entry = &f->derivative_cache[k + 1];
  if (!*entry && f->derivative) *entry = f->derivative(f, k, f->context);
  if (!*entry) *entry = f->elementwise && k >= 0 ? derived(f, k) : f;
  return *entry == f ? NULL : *entry;
}

bool call_needs_body(IrFunction *callee) {
  return !callee->elementwise && !derivative_of(callee, -1);
}

void forward_call(Reverse *r, int node) { repeat_node(r->b, r->f->nodes[node], r->primal); }

static IrValue **primals(Reverse *r, IrValue *const *of, int count) {
  IrValue **in = values(r->arena, count);
  for (int k = 0; k < count; k++) in[k] = r->primal[of[k]->id];
  return in;
}

static void backward_elementwise(Reverse *r, const IrNode *n) {
  Adjoint a = {.r = r, .b = r->b, .node = n, .out = r->primal[n->out[0]->id], .scale = 1};
  a.in = primals(r, n->in, n->in_count);
  a.g = reverse_cotangent(r, n->out[0], &a.scale);
  for (int k = 0; a.g && k < n->in_count; k++) {
    if (!wanted(&a, k)) continue;
    IrValue *slope;
    ir_call(r->b, derivative_of(n->body[0], k), a.in, n->in_count, &slope);
    flow_product(&a, k, 1, a.g, slope);
  }
}

void backward_call(Reverse *r, int node) {
  const IrNode *n = r->f->nodes[node];
  if (n->body[0]->elementwise) {
    backward_elementwise(r, n);
    return;
  }
  IrFunction *f = derivative_of(n->body[0], -1);
  IrValue **args = values(r->arena, f->param_count), **out = values(r->arena, f->result_count);
  int count = 0, given = 0;
  bool any = false;
  for (int k = 0; k < n->in_count; k++) args[count++] = r->primal[n->in[k]->id];
  for (int k = 0; k < n->out_count; k++) args[count++] = r->primal[n->out[k]->id];
  for (int k = 0; k < n->out_count; k++) {
    if (n->out[k]->type.dtype != IR_F64) continue;
    any |= r->contributions[n->out[k]->id] != NULL;
    args[count++] = reverse_full(r, n->out[k], true);
  }
  if (!any) return;
  ir_call(r->b, f, args, count, out);
  for (int k = 0; k < n->in_count; k++)
    if (n->in[k]->type.dtype == IR_F64) reverse_add_whole(r, n->in[k], 1, out[given++]);
}

/* ---- IF ---- */

typedef struct {
  Joint side[2];
  IrValue **stored[2]; /* by value id of the joint function: in r->b */
} Branches;

static void bind_captures(Reverse *r, const IrNode *n, const Joint *j, IrValue **map) {
  for (int k = 0; k < j->params; k++) map[j->joint->params[k]->id] = r->primal[n->in[1 + k]->id];
}

static IrValue *zeros_of(IrBuilder *b, IrType type) {
  return ir_constant(b, ir_tensor_new(ir_module_arena(ir_builder_module(b)), type));
}

/* The stored values of one side: as they are there, as zeros on the other (map NULL). */
static int add_stored(const Joint *j, IrBuilder *b, IrValue *const *map, IrValue **results) {
  int count = 0;
  for (int i = 0; i < j->joint->node_count; i++) {
    const IrNode *n = j->joint->nodes[i];
    for (int k = 0; k < n->out_count; k++) {
      const IrValue *v = n->out[k];
      if (j->stored[v->id]) results[count++] = map ? map[v->id] : zeros_of(b, v->type);
    }
  }
  return count;
}

static int stored_total(const Joint *j) {
  int count = 0;
  for (int k = 0; k < j->joint->value_count; k++) count += j->stored[k];
  return count;
}

void forward_if(Reverse *r, int node) {
  const IrNode *n = r->f->nodes[node];
  Branches *record = r->records[node] = ARENA_NEW(r->arena, Branches);
  bool *wrt = ARENA_ARRAY(r->arena, bool, (size_t)n->in_count);
  bool *seed = ARENA_ARRAY(r->arena, bool, (size_t)n->out_count);
  for (int k = 1; k < n->in_count; k++) wrt[k - 1] = reverse_active(r, n->in[k]);
  for (int k = 0; k < n->out_count; k++) seed[k] = reverse_active(r, n->out[k]);
  enum { RESULT_OF_IF = 60 };
  for (int side = 0; side < 2; side++)
    record->side[side] =
        joint_new(n->body[side], wrt, seed, (JointSetting){.storing = RESULT_OF_IF});
  int total = n->out_count + stored_total(&record->side[0]) + stored_total(&record->side[1]);
  IrValue **results = values(r->arena, total);
  IrBuilder *branches[2];
  for (int side = 0; side < 2; side++) {
    const Joint *j = &record->side[side];
    IrBuilder *b = branches[side] = ir_function_begin(r->f->module, r->b, n->body[side]->name);
    IrValue **map = values(r->arena, j->joint->value_count);
    bind_captures(r, n, j, map);
    joint_forward(j, b, map);
    int count = 0;
    for (; count < n->out_count; count++) results[count] = joint_result(j, map, count);
    for (int k = 0; k < 2; k++)
      count += add_stored(&record->side[k], b, k == side ? map : NULL, results + count);
    ir_function_end(b, results, NULL, count);
  }
  ir_if(r->b, r->primal[n->in[0]->id], branches[0], branches[1], results);
  for (int k = 0; k < n->out_count; k++) r->primal[n->out[k]->id] = *results++;
  for (int side = 0; side < 2; side++) {
    const IrFunction *f = record->side[side].joint;
    record->stored[side] = values(r->arena, f->value_count);
    for (int i = 0; i < f->node_count; i++)
      for (int k = 0; k < f->nodes[i]->out_count; k++) {
        int id = f->nodes[i]->out[k]->id;
        if (record->side[side].stored[id]) record->stored[side][id] = *results++;
      }
  }
}

/* The cotangent of the branch's parameter, full; zeros where it has none. */
static IrValue *branch_cotangent(const Joint *j, IrBuilder *b, IrValue *const *map, int param) {
  for (size_t k = 0; k < j->part_count; k++)
    if (j->parts[k].param == param) return joint_result(j, map, j->parts[k].value);
  return zeros_like(b, map[j->joint->params[param]->id]);
}

static bool has_cotangent(const Joint *j, int param) {
  for (size_t k = 0; k < j->part_count; k++)
    if (j->parts[k].param == param) return true;
  return false;
}

void backward_if(Reverse *r, int node) {
  const IrNode *n = r->f->nodes[node];
  Branches *record = r->records[node];
  IrValue **given = values(r->arena, n->out_count), **results = values(r->arena, n->in_count);
  IrBuilder *branches[2];
  bool any = false;
  for (int k = 0; k < n->out_count; k++) any |= r->contributions[n->out[k]->id] != NULL;
  if (!any) return;
  for (int k = 0; k < n->out_count; k++)
    if (record->side[0].seed[k]) given[k] = reverse_full(r, n->out[k], true);
  for (int side = 0; side < 2; side++) {
    const Joint *j = &record->side[side];
    IrBuilder *b = branches[side] = ir_function_begin(r->f->module, r->b, n->body[side]->name);
    IrValue **map = record->stored[side];
    bind_captures(r, n, j, map);
    for (int k = 0; k < n->out_count; k++)
      if (j->seed[k]) map[j->joint->params[j->cotangent[k]]->id] = given[k];
    joint_backward(j, b, b, map);
    int count = 0;
    for (int k = 0; k < j->params; k++)
      if (has_cotangent(&record->side[0], k) || has_cotangent(&record->side[1], k))
        results[count++] = branch_cotangent(j, b, map, k);
    ir_function_end(b, results, NULL, count);
  }
  ir_if(r->b, r->primal[n->in[0]->id], branches[0], branches[1], results);
  for (int k = 0; k < record->side[0].params; k++)
    if (has_cotangent(&record->side[0], k) || has_cotangent(&record->side[1], k))
      reverse_add_whole(r, n->in[1 + k], 1, *results++);
}
