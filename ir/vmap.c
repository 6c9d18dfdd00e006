/* Functions over a batch, and calls of them. */
#include "ir/batch.h"
#include "ir/builder.h"

#include <string.h>

/* A function over a batch, for parameters of given types. */
typedef struct BatchedForm BatchedForm;
struct BatchedForm {
  BatchedForm *next;
  IrFunction *original, *function;
  int levels;
  bool differentiable, pads;
  IrType *types; /* of the parameters */
  bool *batched; /* which of them are */
  bool *result_batched;
};

/* ---- functions ---- */

static void find_sizes(Batcher *t, const Batched *params, int count) {
  for (int a = 0; a < t->levels; a++) {
    for (int k = 0; k < count && !t->size[a]; k++)
      if (batch_axes(params[k], t->levels) >> a & 1) t->size[a] = ir_dim(t->b, params[k].value, a);
    if (!t->size[a]) t->size[a] = ir_i64(t->b, 1);
  }
}

/* Makes form->function; with `all`, every result has all the batch axes in full. */
static void make_form(BatchedForm *form, bool all) {
  IrFunction *f = form->original;
  Arena *a = ir_module_arena(f->module);
  Batcher t = {.module = f->module,
               .arena = a,
               .b = ir_function_begin(f->module, NULL, f->name),
               .levels = form->levels,
               .pads = form->pads,
               .differentiable = form->differentiable};
  Batched *params = ARENA_ARRAY(a, Batched, (size_t)f->param_count),
          *results = ARENA_ARRAY(a, Batched, (size_t)f->result_count);
  IrValue **values = ARENA_ARRAY(a, IrValue *, (size_t)f->result_count);
  AxisSet axes = 0;
  for (int k = 0; k < f->param_count; k++) {
    const char *name = f->param_names ? f->param_names[k] : NULL;
    params[k] = (Batched){ir_param(t.b, form->types[k], name), form->batched[k], false};
    ir_assume(params[k].value, f->params[k]->facts);
    axes |= batch_axes(params[k], form->levels);
  }
  find_sizes(&t, params, f->param_count);
  for (int k = 0; k < f->param_count; k++) params[k] = batch_padded(&t, params[k]);
  batch_body(&t, f, params, results);
  for (int k = 0; k < f->result_count; k++) {
    if (all && axes) results[k] = batch_with_axes(&t, results[k], axes);
    values[k] = batch_bare(&t, results[k]).value;
    if (all && !results[k].batched) values[k] = batch_insert_units(t.b, values[k], 0, form->levels);
    form->result_batched[k] = all || results[k].batched;
  }
  form->function = ir_function_end(t.b, values, f->result_names, f->result_count);
  form->function->facts = f->facts;
  form->function->role = f->role;
}

/* Whether differentiation has been here, or in what is called here. */
static bool holds_adjoint(const IrFunction *f) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->adjoint) return true;
    for (int side = 0; side < 2; side++)
      if (n->body[side] && holds_adjoint(n->body[side])) return true;
  }
  return false;
}

IrFunction *ir_vmap(IrFunction *f, const bool *batched, int levels, const int64_t *dims,
                    bool all_batched, bool *result_batched) {
  Arena *a = ir_module_arena(f->module);
  int64_t open[IR_MAX_RANK];
  size_t count = (size_t)f->param_count;
  BatchedForm form = {.original = f,
                      .levels = levels,
                      .differentiable = !holds_adjoint(f),
                      .pads = true,
                      .types = ARENA_ARRAY(a, IrType, count),
                      .batched = ARENA_ARRAY(a, bool, count),
                      .result_batched = ARENA_ARRAY(a, bool, (size_t)f->result_count)};
  for (int i = 0; i < levels; i++) open[i] = dims ? dims[i] : IR_DYNAMIC;
  for (size_t k = 0; k < count; k++) {
    form.batched[k] = batched[k];
    form.types[k] = batch_prefixed(&f->params[k]->type, open, batched[k] ? levels : 0);
  }
  make_form(&form, all_batched);
  if (result_batched)
    memcpy(result_batched, form.result_batched, sizeof(bool) * (size_t)f->result_count);
  return form.function;
}

/* ---- calls ---- */

static IrFunction *derive_form(IrFunction *f, int k, void *context);

static bool fits(const BatchedForm *form, const BatchedForm *wanted) {
  if (form->levels != wanted->levels || form->differentiable != wanted->differentiable ||
      form->pads != wanted->pads)
    return false;
  for (int k = 0; k < wanted->original->param_count; k++)
    if (form->batched[k] != wanted->batched[k] ||
        !ir_types_equal(&form->types[k], &wanted->types[k]))
      return false;
  return true;
}

/* The function's batched form for parameters of these types; made once for each. */
static BatchedForm *find_form(IrFunction *f, const IrType *types, const bool *batched, int levels,
                              bool differentiable, bool pads) {
  Arena *a = ir_module_arena(f->module);
  size_t count = (size_t)f->param_count;
  BatchedForm *form = ARENA_NEW(a, BatchedForm);
  *form = (BatchedForm){.original = f,
                        .levels = levels,
                        .differentiable = differentiable,
                        .pads = pads,
                        .types = ARENA_ARRAY(a, IrType, count),
                        .batched = ARENA_ARRAY(a, bool, count),
                        .result_batched = ARENA_ARRAY(a, bool, (size_t)f->result_count)};
  memcpy(form->types, types, sizeof *types * count);
  memcpy(form->batched, batched, sizeof *batched * count);
  for (BatchedForm *known = f->batched_forms; known; known = known->next)
    if (fits(known, form)) return known;
  /* A hand-written derivative speaks of the cotangent of each element's results. */
  bool derivable = differentiable && f->derivative;
  make_form(form, derivable);
  if (derivable) {
    form->function->derivative = derive_form;
    form->function->context = form;
  }
  form->next = f->batched_forms;
  f->batched_forms = form;
  return form;
}

/* The form that fits the arguments. */
static BatchedForm *form_for(IrFunction *callee, IrValue *const *args, const bool *batched,
                             int levels, bool differentiable, bool pads) {
  IrType *types = ARENA_ARRAY(ir_module_arena(callee->module), IrType, (size_t)callee->param_count);
  for (int k = 0; k < callee->param_count; k++)
    types[k] = batch_prefixed(&callee->params[k]->type, args[k]->type.dim, batched[k] ? levels : 0);
  return find_form(callee, types, batched, levels, differentiable, pads);
}

static void call_elementwise(IrBuilder *b, IrFunction *callee, IrValue *const *args, int count,
                             const bool *batched, int levels, IrValue **results) {
  IrValue **in = ARENA_ARRAY(ir_module_arena(callee->module), IrValue *, (size_t)count);
  memcpy(in, args, sizeof *in * (size_t)count);
  batch_align(b, in, count, batched, levels);
  ir_call(b, callee, in, count, results);
}

static bool holds_while(const IrFunction *f) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->op == IR_LOOP && n->attr.has_condition) return true;
    for (int side = 0; side < 2; side++)
      if (n->body[side] && holds_while(n->body[side])) return true;
  }
  return false;
}

void batch_call(Batcher *t, const IrNode *n, const Batched *in, Batched *out) {
  IrFunction *callee = n->body[0];
  IrValue **args = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->in_count),
          **results = ARENA_ARRAY(t->arena, IrValue *, (size_t)n->out_count);
  bool *batched = ARENA_ARRAY(t->arena, bool, (size_t)n->in_count);
  bool derivable = t->differentiable && callee->derivative, scalars = t->pads;
  if (t->mask.value && !derivable && !callee->elementwise && !callee->role && holds_while(callee)) {
    batch_body(t, callee, in, out); /* its loops are not to wait for elements that do not run */
    return;
  }
  for (int k = 0; k < n->in_count; k++) {
    Batched v = callee->elementwise ? batch_padded(t, in[k]) : batch_bare(t, in[k]);
    args[k] = v.value;
    batched[k] = v.batched;
    scalars &= !v.batched ? v.value->type.rank == 0 : v.padded;
  }
  if (callee->elementwise) {
    call_elementwise(t->b, callee, args, n->in_count, batched, t->levels, results);
    out[0] = (Batched){results[0], true, scalars};
    return;
  }
  BatchedForm *form = form_for(callee, args, batched, t->levels, t->differentiable, t->pads);
  ir_call(t->b, form->function, args, n->in_count, results);
  for (int k = 0; k < n->out_count; k++)
    out[k] = batch_padded(t, (Batched){results[k], form->result_batched[k], false});
}

void ir_call_batched(IrBuilder *b, IrFunction *callee, IrValue *const *args, int arg_count,
                     const bool *batched, int levels, IrValue **results, bool *result_batched) {
  bool any = false;
  for (int k = 0; k < arg_count; k++) any |= batched[k];
  for (int k = 0; k < callee->result_count; k++) result_batched[k] = any;
  if (!any) {
    ir_call(b, callee, args, arg_count, results);
  } else if (callee->elementwise) {
    call_elementwise(b, callee, args, arg_count, batched, levels, results);
  } else {
    BatchedForm *form = form_for(callee, args, batched, levels, true, false);
    ir_call(b, form->function, args, arg_count, results);
    for (int k = 0; k < callee->result_count; k++)
      if (!form->result_batched[k]) results[k] = batch_insert_units(b, results[k], 0, levels);
  }
}

/* ---- hand-written derivatives of batched forms ---- */

/* The cotangent of a parameter, given that of each element: summed over the axes of the batch along
 * which the parameter is the same for all. */
static IrValue *gathered_cotangent(Batcher *t, Batched cotangent, Batched param, AxisSet all) {
  IrValue *dims[IR_MAX_RANK], *v = all ? batch_with_axes(t, cotangent, all).value : cotangent.value;
  AxisSet have = batch_axes(param, t->levels);
  int8_t axes[IR_MAX_RANK];
  int count = 0, lead = all || cotangent.batched ? t->levels : 0;
  for (int a = 0; a < lead; a++)
    if (!(have >> a & 1)) axes[count++] = (int8_t)a;
  v = ir_reduce(t->b, IR_REDUCE_SUM, v, axes, count);
  if (!param.batched) return v;
  for (int a = 0; a < param.value->type.rank; a++) dims[a] = ir_dim(t->b, param.value, a);
  return ir_reshape(t->b, v, dims, param.value->type.rank);
}

/* The parameters of the derivative of a form: its parameters, its results and the cotangents of the
 * real ones. */
static void derivative_types(const BatchedForm *form, const IrFunction *g, IrType *types,
                             bool *batched) {
  const IrFunction *f = form->function;
  int n = f->param_count;
  memcpy(types, form->types, sizeof *types * (size_t)n);
  memcpy(batched, form->batched, sizeof *batched * (size_t)n);
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < f->result_count && n < g->param_count; k++) {
      if (pass == 1 && f->results[k]->type.dtype != IR_F64) continue;
      types[n] = f->results[k]->type;
      batched[n++] = form->result_batched[k];
    }
}

static IrFunction *derive_form(IrFunction *f, int k, void *context) {
  BatchedForm *form = context;
  IrFunction *original = form->original, *g = original->derivative(original, k, original->context);
  if (!g) return NULL;
  Arena *a = ir_module_arena(f->module);
  int count = g->param_count, result = 0;
  IrType *types = ARENA_ARRAY(a, IrType, (size_t)count);
  bool *batched = ARENA_ARRAY(a, bool, (size_t)count);
  derivative_types(form, g, types, batched);
  BatchedForm *inner = find_form(g, types, batched, form->levels, true, false);
  Batcher t = {.module = f->module,
               .arena = a,
               .b = ir_function_begin(f->module, NULL, g->name),
               .levels = form->levels};
  Batched *params = ARENA_ARRAY(a, Batched, (size_t)count);
  IrValue **args = ARENA_ARRAY(a, IrValue *, (size_t)count),
          **results = ARENA_ARRAY(a, IrValue *, (size_t)g->result_count);
  AxisSet all = 0;
  for (int p = 0; p < count; p++) {
    args[p] = ir_param(t.b, types[p], g->param_names ? g->param_names[p] : NULL);
    params[p] = (Batched){args[p], batched[p], false};
    all |= batch_axes(params[p], t.levels);
  }
  find_sizes(&t, params, count);
  ir_call(t.b, inner->function, args, count, results);
  for (int p = 0; p < f->param_count && result < g->result_count; p++) {
    if (types[p].dtype != IR_F64) continue;
    Batched cotangent = {results[result], inner->result_batched[result], false};
    results[result++] = gathered_cotangent(&t, cotangent, params[p], all);
  }
  return ir_function_end(t.b, results, g->result_names, g->result_count);
}
