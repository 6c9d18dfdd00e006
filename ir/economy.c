/* The walk that rewrites nodes by cheaper ones. */
#include "ir/economy.h"

#include "ir/grad.h"

static const int *count_uses(const IrFunction *f) {
  int *uses = ARENA_ARRAY(f->module->arena, int, (size_t)f->value_count + 1);
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->in_count; k++) uses[f->nodes[i]->in[k]->id]++;
  for (int k = 0; k < f->result_count; k++) uses[f->results[k]->id]++;
  return uses;
}

/* context: the callees that are kept */
static IrFunction *economised(IrFunction *f, void *context);

/* The node again, with its bodies rewritten. */
static void rewrite_region(const Economy *e, const IrNode *n) {
  IrNode copy = *n;
  pass_bodies(&copy, economised, e->callees, e->callees);
  repeat_node(e->b, &copy, e->map);
}

static void rewrite(const Economy *e, const IrNode *n) {
  ir_set_scope(e->b, n->scope);
  ir_set_adjoint(e->b, n->adjoint);
  IrValue *v = join_logs(e, n);
  if (!v) v = contract(e, n);
  if (!v) v = group_sums(e, n);
  if (!v) v = spread_index(e, n);
  if (!v) v = join_selects(e, n);
  if (!v) v = add_multiples(e, n);
  if (v)
    e->map[n->out[0]->id] = v;
  else
    rewrite_region(e, n);
  for (int k = 0; k < n->out_count; k++) {
    keep_knowledge(e->map[n->out[k]->id], n->out[k]);
    e->map[n->out[k]->id]->uses = e->uses[n->out[k]->id];
  }
}

static IrFunction *economised(IrFunction *f, void *context) {
  IrModule *m = f->module;
  IrBuilder *b = ir_function_begin(m, NULL, f->name);
  b->counts_uses = true;
  Economy e = {b, ARENA_ARRAY(m->arena, IrValue *, (size_t)f->value_count + 1), count_uses(f),
               context};
  IrValue **params = copy_params(b, f),
          **results = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->result_count + 1);
  for (int k = 0; k < f->param_count; k++) e.map[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++)
    if (f->nodes[i]->out_count != 1 || !e.map[f->nodes[i]->out[0]->id]) rewrite(&e, f->nodes[i]);
  for (int k = 0; k < f->result_count; k++) results[k] = e.map[f->results[k]->id];
  return ir_function_end(b, results, f->result_names, f->result_count);
}

IrFunction *ir_economise(IrFunction *f) {
  KeptCallee *callees = NULL;
  return f->module->options.no_economy ? f : economised(f, &callees);
}
