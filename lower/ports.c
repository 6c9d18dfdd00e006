/* The ports of an entry point: data and parameters from outside, results by their Stan names. */
#include "lower/ports.h"

#include <string.h>

static bool is_among(const char *name, const char *const *names, size_t count) {
  for (size_t k = 0; k < count; k++)
    if (!strcmp(name, names[k])) return true;
  return false;
}

const char *tensor_name(const Tracer *t, const char *stan_name) {
  static const char *const all[] = {"unconstrained", "log_density", "gradient", "prng_state",
                                    "draw_count"};
  static const char *const samplers[] = {"chains",
                                         "init",
                                         "warmup",
                                         "samples",
                                         "iterations",
                                         "settings",
                                         "sampler_state",
                                         "sampler_keys",
                                         "unconstrained_draws",
                                         "next_sampler_state",
                                         "next_sampler_keys",
                                         "stepsize",
                                         "inverse_metric",
                                         "status"};
  bool reserved = is_among(stan_name, all, sizeof all / sizeof *all) ||
                  (t->options->entry == ENTRY_SAMPLE &&
                   is_among(stan_name, samplers, sizeof samplers / sizeof *samplers));
  return reserved ? arena_printf(t->arena, "%s.stan", stan_name) : stan_name;
}

void add_input(Ports *p, LoweredPort port, bool batched) {
  ARENA_PUSH(p->arena, p->inputs, p->input_count, p->input_capacity, port);
  ARENA_PUSH(p->arena, p->batched, p->batched_count, p->batched_capacity, batched);
}

void add_output(Ports *p, LoweredPort port, IrValue *value) {
  ARENA_PUSH(p->arena, p->outputs, p->output_count, p->output_capacity, port);
  ARENA_PUSH(p->arena, p->results, p->result_count, p->result_capacity, value);
}

/* ---- inputs ---- */

/* The tensor type a declaration asks for: sizes that are known are static, others named after the
 * variable they are. */
static IrType input_type(Tracer *t, const SizedType *s, const StanType *type, int outer,
                         LoweredPort *port) {
  IrType r = {.dtype = s->base == T_INT ? IR_I64 : IR_F64, .rank = type_rank(type)};
  for (int k = 0; k < r.rank; k++) {
    int at = k - outer, own = at - s->array_dims;
    const Expr *e = at < 0    ? NULL
                    : own < 0 ? s->array_sizes[at]
                              : s->sizes[s->sizes[own] ? own : 0];
    r.dim[k] = IR_DYNAMIC;
    if (!e) continue;
    int64_t known;
    if (tr_known_int(trace_int(t, e), &known))
      r.dim[k] = known;
    else if (e->kind == E_VARIABLE)
      port->dim_names[k] = e->name;
  }
  return r;
}

/* A data variable or parameter as function parameters, one a tensor; names of tuple members are
 * x:1, x:1:2, ... */
static SVal input_value(Tracer *t, Ports *p, const SizedType *s, const StanType *type,
                        const char *name, int outer, bool batched) {
  SVal v = {.type = type, .autodiff = batched};
  if (s->base == T_TUPLE) {
    v.members = ARENA_ARRAY(t->arena, SVal, (size_t)s->member_count);
    for (int k = 0; k < s->member_count; k++) {
      const StanType *member = type_array_of(t->arena, type->members[k], type->array_dims);
      v.members[k] =
          input_value(t, p, s->members[k], member, arena_printf(t->arena, "%s:%d", name, k + 1),
                      type->array_dims, batched);
    }
    return v;
  }
  if (s->base == T_COMPLEX || s->base >= T_COMPLEX_VECTOR)
    trace_unsupported(t, s->span, "complex numbers");
  LoweredPort port = {.name = tensor_name(t, name), .stan_name = name};
  IrType shape = input_type(t, s, type, outer, &port);
  v.tr = tr_const(ir_param(t->b, shape, port.name));
  v.tr.varying = batched;
  ir_assume(v.tr.value, IR_NOT_NAN | (batched ? IR_FINITE : 0));
  add_input(p, port, batched);
  return v;
}

/* ---- data ---- */

static const IrTensor *read_tensor(Tracer *t, DataPath path, IrType type) {
  const IrTensor *x = data_tensor(t->arena, t->options->data, path, type, t->diagnostics);
  if (!x) diag_fatal(t->diagnostics, DIAG_DATA, t->span, "'%s' is declared here", path.variable);
  return x;
}

static int64_t known_size(Tracer *t, Tr n, const Expr *e) {
  int64_t known;
  if (!tr_known_int(n, &known))
    trace_unsupported(t, e ? e->span : t->span, "a size that is not known from the data");
  if (known < 0)
    diag_fatal(t->diagnostics, DIAG_DATA, e ? e->span : t->span, "a size is negative: %lld",
               (long long)known);
  return known;
}

static SVal baked_value(Tracer *t, const SizedType *s, const StanType *type, DataPath path,
                        const int64_t *outer, int outer_rank) {
  SVal v = {.type = type};
  IrType shape = {.dtype = s->base == T_INT ? IR_I64 : IR_F64, .rank = outer_rank};
  for (int k = 0; k < outer_rank; k++) shape.dim[k] = outer[k];
  for (int k = 0; k < s->array_dims; k++) {
    Tr n = trace_int(t, s->array_sizes[k]);
    shape.dim[shape.rank++] = known_size(t, n, s->array_sizes[k]);
  }
  if (s->base == T_TUPLE) {
    v.members = ARENA_ARRAY(t->arena, SVal, (size_t)s->member_count);
    int *members = ARENA_ARRAY(t->arena, int, (size_t)path.member_count + 1);
    memcpy(members, path.members, sizeof *members * (size_t)path.member_count);
    for (int k = 0; k < s->member_count; k++) {
      members[path.member_count] = k + 1;
      DataPath inner = {path.variable, path.member_count + 1, members};
      v.members[k] =
          baked_value(t, s->members[k], type_array_of(t->arena, type->members[k], type->array_dims),
                      inner, shape.dim, shape.rank);
    }
    return v;
  }
  if (s->base == T_COMPLEX || s->base >= T_COMPLEX_VECTOR)
    trace_unsupported(t, s->span, "complex numbers");
  for (int k = 0; shape.rank < type_rank(type); k++) {
    const Expr *e = s->sizes[s->sizes[k] ? k : 0];
    shape.dim[shape.rank++] = known_size(t, trace_int(t, e), e);
  }
  v.tr = tr_const(ir_constant(t->b, read_tensor(t, path, shape)));
  return v;
}

/* The first element for which `bad` (constant) holds, as "name[i,j] = value". */
static const char *offender(Tracer *t, const char *name, const IrTensor *bad, const IrTensor *x) {
  int64_t at = 0, index[IR_MAX_RANK];
  while (at < bad->count && !bad->data.boolean[at]) at++;
  int64_t rest = at;
  for (int k = bad->type.rank; k-- > 0;) {
    index[k] = rest % bad->type.dim[k];
    rest /= bad->type.dim[k];
  }
  Text s = text_new(t->arena);
  text_add(&s, name);
  for (int k = 0; k < bad->type.rank; k++)
    text_printf(&s, "%s%lld%s", k ? "," : "[", (long long)index[k] + 1,
                k + 1 == bad->type.rank ? "]" : "");
  if (bad->count == x->count) {
    text_add(&s, " is ");
    if (x->type.dtype == IR_F64)
      text_add_double(&s, x->data.f64[at]);
    else
      text_printf(&s, "%lld", (long long)x->data.i64[at]);
  }
  return s.data;
}

static void check_data(Tracer *t, const VarDecl *d, SVal v) {
  if (v.type->base == T_TUPLE) return;
  Tr bad = broken_constraint(t, d->sized, v);
  if (!bad.value || !bad.value->constant) return;
  const IrTensor *c = bad.value->constant;
  bool any = false;
  for (int64_t k = 0; k < c->count; k++) any |= c->data.boolean[k] != 0;
  if (!any || !v.tr.value->constant) return;
  Text declared = text_new(t->arena);
  sized_type_print(&declared, d->sized);
  diag_fatal(t->diagnostics, DIAG_DATA, d->span, "the data do not fit: %s, but '%s' is declared %s",
             offender(t, d->name, c, v.tr.value->constant), d->name, declared.data);
}

void trace_data(Tracer *t, Ports *p, const Block *block) {
  for (int k = 0; k < block->stmt_count; k++) {
    const VarDecl *d = block->stmts[k]->decl;
    if (block->stmts[k]->kind != S_DECL) continue;
    t->span = d->span;
    SVal v = t->options->data
                 ? baked_value(t, d->sized, d->type, (DataPath){.variable = d->name}, NULL, 0)
                 : input_value(t, p, d->sized, d->type, d->name, 0, false);
    bind(t, d, v);
    if (t->options->data)
      check_data(t, d, v);
    else
      assume_constraint(t, d->sized, v);
  }
}

void trace_parameter_inputs(Tracer *t, Ports *p) {
  const Block *block = &t->program->blocks[BLOCK_PARAMETERS];
  t->block = BLOCK_PARAMETERS;
  for (int k = 0; k < block->stmt_count; k++) {
    const VarDecl *d = block->stmts[k]->decl;
    if (block->stmts[k]->kind != S_DECL) continue;
    t->span = d->span;
    SVal v = input_value(t, p, d->sized, d->type, d->name, 0, true);
    bind(t, d, v);
    assume_constraint(t, d->sized, v);
  }
}

/* ---- outputs ---- */

static void output_value(Tracer *t, Ports *p, const SVal *v, const char *name) {
  if (v->type->base == T_TUPLE) {
    for (int k = 0; k < v->type->member_count; k++)
      output_value(t, p, &v->members[k], arena_printf(t->arena, "%s:%d", name, k + 1));
    return;
  }
  LoweredPort port = {.name = tensor_name(t, name), .stan_name = name};
  Tr x = v->type->base == T_INT ? as_int(t, v->tr) : as_real(t, v->tr);
  add_output(p, port, x.value);
}

/* Why a variable has no value, or NULL. */
static const Diagnostic *reason_missing(const Tracer *t, const VarDecl *d) {
  for (size_t k = t->frame->count; k-- > 0;)
    if (t->frame->bindings[k]->decl == d) return t->frame->bindings[k]->missing;
  return NULL;
}

void output_block(Tracer *t, Ports *p, BlockKind kind) {
  const Block *block = &t->program->blocks[kind];
  for (int k = 0; k < block->stmt_count; k++)
    if (block->stmts[k]->kind == S_DECL)
      output_value(t, p, &lookup(t, block->stmts[k]->decl)->value, block->stmts[k]->decl->name);
}

void output_available(Tracer *t, Ports *p, BlockKind kind) {
  const Block *block = &t->program->blocks[kind];
  size_t before = p->output_count;
  const VarDecl *missing = NULL;
  for (int k = 0; k < block->stmt_count; k++) {
    const VarDecl *d = block->stmts[k]->decl;
    if (block->stmts[k]->kind != S_DECL) continue;
    const Diagnostic *why = reason_missing(t, d);
    if (!why) {
      output_value(t, p, &lookup(t, d)->value, d->name);
      continue;
    }
    diag(t->diagnostics, DIAG_WARNING, why->span,
         "'%s' is left out of the model, as this is not supported yet: %s", d->name, why->message);
    missing = d;
  }
  if (missing && p->output_count == before)
    lookup(t, missing); /* there is nothing else: unsupported */
}
