/* The walk that rewrites nodes. */
#include "ir/rewrite.h"

#include "ir/grad.h"

static const int *count_uses(const IrFunction *f) {
  int *uses = ARENA_ARRAY(f->module->arena, int, (size_t)f->value_count + 1);
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->in_count; k++) uses[f->nodes[i]->in[k]->id]++;
  for (int k = 0; k < f->result_count; k++) uses[f->results[k]->id]++;
  return uses;
}

static IrFunction *rewrite_body(IrFunction *f, void *context);

/* The node again, with its bodies rewritten. */
static void keep(const Rewriting *w, const IrNode *n) {
  IrNode copy = *n;
  pass_bodies(&copy, rewrite_body, w->callees, (void *)w);
  repeat_node(w->b, &copy, w->map);
}

static void rewrite(const Rewriting *w, const IrNode *n) {
  IrBuilder *b = w->b;
  IrValue *v = NULL;
  ir_set_scope(b, n->scope);
  ir_set_adjoint(b, n->adjoint);
  for (RewriteRule *const *rule = w->rules; *rule && !v; rule++) v = (*rule)(w, n);
  if (v)
    w->map[n->out[0]->id] = v;
  else
    keep(w, n);
  for (int k = 0; k < n->out_count; k++) {
    keep_knowledge(w->map[n->out[k]->id], n->out[k]);
    w->map[n->out[k]->id]->uses = w->uses[n->out[k]->id];
  }
}

/* context: the Rewriting that this is for a body of */
static IrFunction *rewrite_body(IrFunction *f, void *context) {
  const Rewriting *whole = context;
  IrModule *m = f->module;
  IrBuilder *b = ir_function_begin(m, NULL, f->name);
  b->counts_uses = true;
  Rewriting w = {b, ARENA_ARRAY(m->arena, IrValue *, (size_t)f->value_count + 1), count_uses(f),
                 whole->rules, whole->callees};
  IrValue **params = copy_params(b, f),
          **results = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->result_count + 1);
  for (int k = 0; k < f->param_count; k++) w.map[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++)
    if (f->nodes[i]->out_count != 1 || !w.map[f->nodes[i]->out[0]->id]) rewrite(&w, f->nodes[i]);
  for (int k = 0; k < f->result_count; k++) results[k] = w.map[f->results[k]->id];
  return ir_function_end(b, results, f->result_names, f->result_count);
}

IrFunction *rewrite_function(IrFunction *f, RewriteRule *const *rules) {
  KeptCallee *callees = NULL;
  Rewriting whole = {.rules = rules, .callees = &callees};
  return rewrite_body(f, &whole);
}
