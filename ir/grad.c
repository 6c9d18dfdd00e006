/* Reverse mode over the nodes of a function, and the cotangents it gathers. */
#include "ir/grad.h"

#include "ir/copy.h"

#include <string.h>

/* ---- cotangents ---- */

bool reverse_active(const Reverse *r, const IrValue *v) {
  return r->varied[v->id] && r->useful[v->id];
}

IrValue *scaled(IrBuilder *b, double scale, IrValue *value) {
  if (scale == 1) return value;
  if (scale == -1) return ir_unary(b, IR_NEG, value);
  return ir_binary(b, IR_MUL, value, ir_f64(b, scale));
}

IrValue *full_like(IrBuilder *b, IrValue *x, IrValue *like) {
  return ir_types_equal(&x->type, &like->type) ? x : ir_broadcast_like(b, x, like);
}

IrValue *zeros_like(IrBuilder *b, IrValue *like) { return full_like(b, ir_f64(b, 0), like); }

void reverse_add(Reverse *r, const IrValue *v, Contribution part) {
  if (part.scale == 0 || !reverse_active(r, v)) return;
  const IrTensor *known = part.value->constant;
  if (part.kind == PART_WHOLE && known && part.value->type.rank == 0) {
    part.scale *= known->data.f64[0];
    if (part.scale == 0) return;
    part.value = ir_f64(r->b, 1);
  }
  Contribution *c = ARENA_NEW(r->arena, Contribution);
  *c = part;
  c->next = r->contributions[v->id];
  r->contributions[v->id] = c;
}

void reverse_add_whole(Reverse *r, const IrValue *v, double scale, IrValue *value) {
  reverse_add(r, v, (Contribution){.kind = PART_WHOLE, .scale = scale, .value = value});
}

/* An order by the elements a value has, as far as they are known. */
static bool smaller(const IrValue *a, const IrValue *b) {
  int64_t m = ir_type_count(&a->type), n = ir_type_count(&b->type);
  if (m >= 0 && n >= 0) return m < n;
  return a->type.rank < b->type.rank;
}

/* Contributions of one kind, taken out of a list: wholes by size, others in the list's order, which
 * is that of the program. */
static Contribution *take(Contribution **list, int kind) {
  Contribution *taken = NULL, **end = &taken;
  for (Contribution **link = list; *link;) {
    Contribution *c = *link;
    if ((int)c->kind != kind) {
      link = &c->next;
      continue;
    }
    *link = c->next;
    Contribution **place = end;
    if (kind == PART_WHOLE)
      for (place = &taken; *place && !smaller(c->value, (*place)->value);) place = &(*place)->next;
    c->next = *place;
    *place = c;
    if (!c->next) end = &c->next;
  }
  return taken;
}

IrValue *add_scaled(IrBuilder *b, IrValue *x, double *scale, IrValue *y, double y_scale) {
  if (!x) {
    *scale = y_scale;
    return y;
  }
  if (*scale == y_scale) return ir_binary(b, IR_ADD, x, y);
  if (*scale == -y_scale) return ir_binary(b, IR_SUB, x, y);
  IrValue *sum;
  if (y_scale == -1 && *scale != 1) {
    sum = ir_binary(b, IR_SUB, scaled(b, *scale, x), y);
  } else if (*scale == -1) {
    sum = ir_binary(b, IR_SUB, scaled(b, y_scale, y), x);
  } else if (y_scale == -1) {
    sum = ir_binary(b, IR_SUB, x, y);
  } else {
    sum = ir_binary(b, IR_ADD, scaled(b, *scale, x), scaled(b, y_scale, y));
  }
  *scale = 1;
  return sum;
}

static IrValue *add_scatters(Reverse *r, Contribution *scatters, IrValue *v, IrValue *sum,
                             double *scale) {
  IrBuilder *b = r->b;
  bool same = !sum || *scale == scatters->scale;
  for (const Contribution *c = scatters; c; c = c->next) same &= c->scale == scatters->scale;
  if (!same && sum) sum = scaled(b, *scale, sum);
  *scale = same ? scatters->scale : 1;
  sum = sum ? full_like(b, sum, v) : zeros_like(b, v);
  for (const Contribution *c = scatters; c; c = c->next)
    sum = ir_scatter(b, IR_SCATTER_ADD, sum, c->at, same ? c->value : scaled(b, c->scale, c->value),
                     c->axis, c->batch);
  return sum;
}

IrValue *reverse_cotangent(Reverse *r, const IrValue *v, double *scale) {
  Contribution *list = r->contributions[v->id];
  if (!list) return NULL;
  IrValue *sum = NULL, *primal = r->primal[v->id];
  Contribution *wholes = take(&list, PART_WHOLE), *slices = take(&list, PART_SLICE),
               *scatters = take(&list, PART_SCATTER);
  for (const Contribution *c = wholes; c; c = c->next)
    sum = add_scaled(r->b, sum, scale, c->value, c->scale);
  if (slices) sum = add_slices(r, slices, primal, sum, scale);
  if (scatters) sum = add_scatters(r, scatters, primal, sum, scale);
  r->contributions[v->id] = NULL;
  reverse_add_whole(r, v, *scale, sum);
  return sum;
}

IrValue *reverse_full(Reverse *r, const IrValue *v, bool zeros) {
  double scale = 1;
  IrValue *sum = reverse_cotangent(r, v, &scale);
  if (!sum) return zeros ? zeros_like(r->b, r->primal[v->id]) : NULL;
  return full_like(r->b, scaled(r->b, scale, sum), r->primal[v->id]);
}

/* ---- the walk ---- */

Reverse reverse_new(IrBuilder *b, const IrFunction *f, const bool *wrt, const bool *seed) {
  Arena *a = ir_module_arena(f->module);
  size_t values = (size_t)f->value_count + 1;
  Reverse r = {.b = b,
               .arena = a,
               .f = f,
               .primal = ARENA_ARRAY(a, IrValue *, values),
               .varied = ARENA_ARRAY(a, bool, values),
               .useful = ARENA_ARRAY(a, bool, values),
               .contributions = ARENA_ARRAY(a, Contribution *, values),
               .records = ARENA_ARRAY(a, void *, (size_t)f->node_count + 1)};
  mark_varied(f, wrt, r.varied);
  mark_useful(f, seed, r.useful);
  return r;
}

static bool any_active(const Reverse *r, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (reverse_active(r, n->out[k])) return true;
  return false;
}

typedef struct {
  void (*forward)(Reverse *r, int node);
  void (*backward)(Reverse *r, int node);
} RegionRule;

static const RegionRule *region_rule(IrOp op) {
  static const RegionRule call = {forward_call, backward_call}, branch = {forward_if, backward_if},
                          loop = {forward_loop, backward_loop};
  switch (op) {
  case IR_CALL: return &call;
  case IR_IF: return &branch;
  case IR_LOOP: return &loop;
  default: return NULL;
  }
}

void reverse_forward(Reverse *r, IrValue *const *args) {
  const IrFunction *f = r->f;
  for (int k = 0; k < f->param_count; k++) r->primal[f->params[k]->id] = args[k];
  const IrScope *scope = ir_set_scope(r->b, NULL);
  bool adjoint = ir_set_adjoint(r->b, false);
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    const RegionRule *rule = region_rule(n->op);
    if (rule && any_active(r, n)) {
      ir_set_scope(r->b, n->scope);
      ir_set_adjoint(r->b, n->adjoint);
      rule->forward(r, i);
    } else {
      repeat_node(r->b, n, r->primal);
      for (int k = 0; k < n->out_count; k++) keep_knowledge(r->primal[n->out[k]->id], n->out[k]);
    }
  }
  ir_set_scope(r->b, scope);
  ir_set_adjoint(r->b, adjoint);
}

static void apply_rule(Reverse *r, const IrNode *n) {
  Adjoint a = {.r = r, .b = r->b, .node = n, .out = r->primal[n->out[0]->id], .scale = 1};
  a.g = reverse_cotangent(r, n->out[0], &a.scale);
  if (!a.g) return;
  a.in = ARENA_ARRAY(r->arena, IrValue *, (size_t)n->in_count + 1);
  for (int k = 0; k < n->in_count; k++) a.in[k] = r->primal[n->in[k]->id];
  ir_vjp_rules[n->op](&a);
}

void reverse_backward(Reverse *r) {
  const IrFunction *f = r->f;
  const IrScope *scope = ir_set_scope(r->b, NULL);
  bool adjoint = ir_set_adjoint(r->b, true);
  for (int i = f->node_count - 1; i >= 0; i--) {
    const IrNode *n = f->nodes[i];
    if (!any_active(r, n)) continue;
    const RegionRule *rule = region_rule(n->op);
    ir_set_scope(r->b, n->scope);
    if (rule)
      rule->backward(r, i);
    else
      apply_rule(r, n);
  }
  ir_set_scope(r->b, scope);
  ir_set_adjoint(r->b, adjoint);
}

/* ---- whole functions ---- */

IrValue **copy_params(IrBuilder *b, const IrFunction *f) {
  IrValue **params = ARENA_ARRAY(ir_module_arena(f->module), IrValue *, (size_t)f->param_count + 1);
  for (int k = 0; k < f->param_count; k++) {
    params[k] = ir_param(b, f->params[k]->type, f->param_names ? f->param_names[k] : NULL);
    ir_assume(params[k], f->params[k]->facts);
  }
  return params;
}

static bool has_call(const IrFunction *f, bool (*chosen)(IrFunction *callee)) {
  for (int i = 0; i < f->node_count; i++)
    if (f->nodes[i]->op == IR_CALL && chosen(f->nodes[i]->body[0])) return true;
  return false;
}

static void inline_call(IrBuilder *b, const IrNode *n, IrValue **map) {
  Arena *a = ir_module_arena(n->owner->module);
  const IrFunction *f = n->body[0];
  IrValue **args = ARENA_ARRAY(a, IrValue *, (size_t)n->in_count + 1);
  IrValue **results = ARENA_ARRAY(a, IrValue *, (size_t)n->out_count + 1);
  for (int k = 0; k < n->in_count; k++) args[k] = map[n->in[k]->id];
  ir_inline(b, f, args, results);
  if (f->elementwise) {
    IrType type = ir_scalar(n->out[0]->type.dtype);
    ir_infer_elementwise(a, type.dtype, args, n->in_count, &type);
    results[0] = elementwise_fit(b, results[0], args, n->in_count, &type);
  }
  for (int k = 0; k < n->out_count; k++) {
    if (!results[k]->constant) ir_assume(results[k], f->facts);
    map[n->out[k]->id] = results[k];
  }
}

IrFunction *inline_calls(IrFunction *f, bool (*chosen)(IrFunction *callee)) {
  Arena *a = ir_module_arena(f->module);
  while (has_call(f, chosen)) {
    IrBuilder *b = ir_function_begin(f->module, NULL, f->name);
    IrValue **map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count + 1);
    IrValue **results = ARENA_ARRAY(a, IrValue *, (size_t)f->result_count + 1);
    IrValue **params = copy_params(b, f);
    for (int k = 0; k < f->param_count; k++) map[f->params[k]->id] = params[k];
    for (int i = 0; i < f->node_count; i++) {
      const IrNode *n = f->nodes[i];
      bool here = n->op == IR_CALL && chosen(n->body[0]);
      ir_set_scope(b, n->scope);
      ir_set_adjoint(b, n->adjoint);
      (here ? inline_call : repeat_node)(b, n, map);
    }
    for (int k = 0; k < f->result_count; k++) results[k] = map[f->results[k]->id];
    f = ir_function_end(b, results, f->result_names, f->result_count);
  }
  return f;
}

/* Loops are given the form that needs the smallest tapes, and what is left out or moved out of them
 * before is not differentiated. */
static IrFunction *prepared(IrFunction *f) {
  f = ir_simplify(ir_unbuffer(inline_calls(f, call_needs_body)));
  return inline_calls(f, call_needs_body); /* those that have come out of bodies */
}

/* The function of f's parameters that returns f's results and the cotangents of the wrt parameters.
 * The cotangent of result number `seed` is 1, of others 0; where seed is negative they are further
 * parameters. */
static IrFunction *differentiate(IrFunction *f, const bool *wrt, int seed) {
  f = prepared(f);
  Arena *a = ir_module_arena(f->module);
  IrBuilder *b = ir_function_begin(f->module, NULL, f->name);
  bool *seeds = ARENA_ARRAY(a, bool, (size_t)f->result_count + 1);
  IrValue **params = copy_params(b, f), *given;
  IrValue **cotangents = ARENA_ARRAY(a, IrValue *, (size_t)f->result_count + 1);
  for (int k = 0; k < f->result_count; k++) {
    seeds[k] = seed < 0 ? f->results[k]->type.dtype == IR_F64 : k == seed;
    if (seeds[k] && seed < 0) cotangents[k] = ir_param(b, f->results[k]->type, NULL);
  }
  given = seed < 0 ? NULL : ir_f64(b, 1);
  Reverse r = reverse_new(b, f, wrt, seeds);
  reverse_forward(&r, params);
  for (int k = 0; k < f->result_count; k++)
    if (seeds[k]) reverse_add_whole(&r, f->results[k], 1, given ? given : cotangents[k]);
  reverse_backward(&r);
  int count = 0;
  IrValue **results =
      ARENA_ARRAY(a, IrValue *, (size_t)f->result_count + (size_t)f->param_count + 1);
  for (int k = 0; k < f->result_count; k++) results[count++] = r.primal[f->results[k]->id];
  ir_set_adjoint(b, true);
  for (int k = 0; k < f->param_count; k++)
    if (wrt[k]) results[count++] = reverse_full(&r, f->params[k], true);
  return ir_function_end(b, results, NULL, count);
}

IrFunction *ir_vjp(IrFunction *f, const bool *wrt) { return differentiate(f, wrt, -1); }

IrFunction *ir_grad(IrFunction *f, int which, const bool *wrt) {
  return differentiate(f, wrt, which);
}
