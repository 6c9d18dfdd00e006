/* Passes that rebuild a function. */
#include "ir/builder.h"

static IrFunction *rebuild(IrFunction *f, CopyOptions options) {
  IrModule *m = f->module;
  IrBuilder *b = ir_function_begin(m, NULL, f->name);
  b->counts_uses = true;
  IrValue **args = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->param_count),
          **results = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->result_count);
  for (int k = 0; k < f->param_count; k++) {
    args[k] = ir_param(b, f->params[k]->type, f->param_names ? f->param_names[k] : NULL);
    args[k]->facts = f->params[k]->facts;
  }
  copy_function(b, f, args, results, options);
  IrFunction *g = ir_function_end(b, results, f->result_names, f->result_count);
  g->role = f->role;
  g->elementwise = f->elementwise;
  g->facts = f->facts;
  g->derivative = f->derivative;
  g->context = f->context;
  return g;
}

IrFunction *ir_simplify(IrFunction *f) {
  int before;
  do { /* what one round drops may be all that kept other things */
    before = ir_node_total(f);
    f = rebuild(f, (CopyOptions){.hoist = true});
  } while (ir_node_total(f) < before);
  return f;
}

IrFunction *ir_expand_calls(IrFunction *f) { return rebuild(f, (CopyOptions){.expand = true}); }
