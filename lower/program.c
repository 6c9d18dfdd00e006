/* The entry points of a program: blocks in order, then differentiation, batching and
 * simplification. */
#include "lower/call.h"
#include "lower/describe.h"
#include "lower/draws.h"
#include "lower/entry.h"
#include "lower/ports.h"
#include "lower/random.h"

#include <string.h>

/* ---- blocks ---- */

/* Runs one statement; where it is not supported, what it assigns has no value, which matters only
 * if that is used. Returns the reason, or NULL. */
static const Diagnostic *attempt(Tracer *t, const Stmt *s) {
  VarSet assigned = assigned_variables(t->arena, s);
  Tracer saved = *t;
  size_t scope = t->frame->count, reported;
  diag_list(t->diagnostics, &reported);
  jmp_buf escape, *outer = diag_on_fatal(t->diagnostics, &escape);
  if (setjmp(escape) == 0) {
    trace_stmt(t, s);
    diag_on_fatal(t->diagnostics, outer);
    return NULL;
  }
  diag_on_fatal(t->diagnostics, outer);
  size_t count;
  const Diagnostic *list = diag_list(t->diagnostics, &count);
  bool unsupported = count > 0 && list[count - 1].kind == DIAG_UNSUPPORTED;
  for (size_t k = reported; k < count; k++) unsupported &= list[k].kind != DIAG_INTERNAL;
  if (!unsupported) longjmp(*outer, 1);
  Diagnostic *why = ARENA_NEW(t->arena, Diagnostic);
  *why = list[count - 1];
  diag_rewind(t->diagnostics, reported);
  *t = saved;
  t->frame->count = scope;
  for (size_t k = 0; k < assigned.count; k++)
    for (size_t j = 0; j < scope; j++)
      if (t->frame->bindings[j]->decl == assigned.items[k]) t->frame->bindings[j]->missing = why;
  if (s->kind == S_DECL) {
    Binding *b = bind(t, s->decl, (SVal){.type = s->decl->type});
    b->missing = why;
  }
  return why;
}

/* A block of definitions: what cannot be computed is missed only where it is used. */
static void trace_definitions(Tracer *t, BlockKind kind) {
  const Block *block = &t->program->blocks[kind];
  t->block = kind;
  for (int k = 0; k < block->stmt_count; k++) attempt(t, block->stmts[k]);
}

/* Declared constraints of what a block defined, which Stan checks at its end. */
static void check_definitions(Tracer *t, BlockKind kind) {
  const Block *block = &t->program->blocks[kind];
  for (int k = 0; k < block->stmt_count; k++) {
    if (block->stmts[k]->kind != S_DECL) continue;
    const VarDecl *d = block->stmts[k]->decl;
    for (size_t j = 0; j < t->frame->count; j++) {
      Binding *b = t->frame->bindings[j];
      if (b->decl == d && !b->missing) check_declared(t, d->sized, b->value);
    }
  }
}

static void trace_transformed_data(Tracer *t, Ports *p) {
  Tr *valid = &t->accumulators[ACC_VALID];
  if (block_draws(&t->program->blocks[BLOCK_TRANSFORMED_DATA])) start_generator(t, p, false);
  trace_definitions(t, BLOCK_TRANSFORMED_DATA);
  end_generator(t);
  check_definitions(t, BLOCK_TRANSFORMED_DATA);
  bool known;
  if (tr_known_bool(*valid, &known) && !known)
    diag_fatal(t->diagnostics, DIAG_DATA, t->program->blocks[BLOCK_TRANSFORMED_DATA].span,
               "the data do not fit: the transformed data block rejects them, or a value breaks "
               "its declaration");
}

static void trace_parameters(Tracer *t, Tr unconstrained) {
  const Block *block = &t->program->blocks[BLOCK_PARAMETERS];
  size_t room = (size_t)block->stmt_count + 1;
  VarDecl **d = ARENA_ARRAY(t->arena, VarDecl *, room);
  SVal *values = ARENA_ARRAY(t->arena, SVal, room);
  Tr offset = tr_int(t, 0);
  int count = 0;
  t->block = BLOCK_PARAMETERS;
  for (int k = 0; k < block->stmt_count; k++)
    if (block->stmts[k]->kind == S_DECL) d[count++] = block->stmts[k]->decl;
  for (int k = 0, n; k < count; k += n) {
    t->span = d[k]->span;
    n = parameters_alike(t, d + k, count - k);
    if (n == 1)
      values[0] = constrain_parameter(t, d[k], unconstrained, &offset);
    else
      constrain_alike(t, d + k, n, unconstrained, &offset, values);
    for (int j = 0; j < n; j++) bind(t, d[k + j], values[j]);
  }
}

Tr total_free_size(Tracer *t) {
  const Block *block = &t->program->blocks[BLOCK_PARAMETERS];
  Tr n = tr_int(t, 0);
  for (int k = 0; k < block->stmt_count; k++)
    if (block->stmts[k]->kind == S_DECL)
      n = tr_binary(t, IR_ADD, n, free_size(t, block->stmts[k]->decl->sized));
  return n;
}

/* The unconstrained vector: the first input. Its length follows once the data are read. */
static Tr unconstrained_input(Tracer *t, Ports *p) {
  Tr x = {ir_param(t->b, ir_type(IR_F64, 1, (int64_t[]){IR_DYNAMIC}), "unconstrained"), NULL, true};
  ir_assume(x.value, IR_NOT_NAN | IR_FINITE);
  add_input(p, (LoweredPort){.name = "unconstrained"}, true);
  return x;
}

void trace_given(Tracer *t, Ports *p) {
  t->block = BLOCK_DATA;
  trace_data(t, p, &t->program->blocks[BLOCK_DATA]);
  trace_transformed_data(t, p);
}

static void trace_transformed_parameters(Tracer *t) {
  trace_definitions(t, BLOCK_TRANSFORMED_PARAMETERS);
  check_definitions(t, BLOCK_TRANSFORMED_PARAMETERS);
}

/* ---- entry points ---- */

static void trace_model(Tracer *t) {
  const Block *block = &t->program->blocks[BLOCK_MODEL];
  t->block = BLOCK_MODEL;
  trace_block(t, block->stmts, block->stmt_count);
}

static void trace_from_unconstrained(Tracer *t, Ports *p, bool jacobian) {
  Tr x = unconstrained_input(t, p);
  trace_given(t, p);
  int64_t n;
  if (tr_known_int(total_free_size(t), &n)) x.value->type.dim[0] = n;
  t->jacobian = jacobian && !t->options->no_jacobian;
  trace_parameters(t, x);
  trace_transformed_parameters(t);
}

static void trace_log_density(Tracer *t, Ports *p) {
  t->gradients = !t->options->no_gradient;
  trace_from_unconstrained(t, p, true);
  trace_model(t);
  add_output(p, (LoweredPort){.name = "log_density"}, t->accumulators[ACC_TARGET].value);
  add_output(p, (LoweredPort){.name = "valid"}, t->accumulators[ACC_VALID].value);
}

/* A model without results is none. */
static void require_outputs(Tracer *t, const Ports *p, const char *what) {
  if (!p->output_count)
    diag_fatal(t->diagnostics, DIAG_DATA, (Span){0}, "the program has no %s to emit", what);
}

/* Where Stan would throw, results have no value. */
static void hide_invalid(Tracer *t, Ports *p, size_t first) {
  Tr valid = t->accumulators[ACC_VALID];
  bool known;
  if (tr_known_bool(valid, &known) && known) return;
  for (size_t k = first; k < p->result_count; k++) {
    Tr nothing = tr_nothing(t, p->results[k]->type.dtype == IR_I64);
    p->results[k] = ir_select(t->b, valid.value, p->results[k], nothing.value);
  }
}

static void trace_constrain(Tracer *t, Ports *p) {
  trace_from_unconstrained(t, p, false);
  output_block(t, p, BLOCK_PARAMETERS);
  size_t first = p->result_count;
  output_block(t, p, BLOCK_TRANSFORMED_PARAMETERS);
  hide_invalid(t, p, first);
  if (t->options->entry == ENTRY_CONSTRAIN) require_outputs(t, p, "parameters");
}

static void trace_unconstrain(Tracer *t, Ports *p) {
  trace_given(t, p);
  trace_parameter_inputs(t, p);
  const Block *block = &t->program->blocks[BLOCK_PARAMETERS];
  Tr *parts = ARENA_ARRAY(t->arena, Tr, (size_t)block->stmt_count + 1), zero = tr_int(t, 0);
  int count = 0;
  for (int k = 0; k < block->stmt_count; k++) {
    const VarDecl *d = block->stmts[k]->decl;
    if (block->stmts[k]->kind == S_DECL)
      parts[count++] = unconstrain_parameter(t, d, lookup(t, d)->value);
  }
  Tr x = count ? tr_concat(t, count, parts, 0) : tr_broadcast(t, tr_real(t, 0), 1, &zero);
  add_output(p, (LoweredPort){.name = "unconstrained"}, x.value);
}

static void trace_generate(Tracer *t, Ports *p) {
  trace_given(t, p);
  trace_parameter_inputs(t, p);
  trace_transformed_parameters(t);
  if (block_draws(&t->program->blocks[BLOCK_GENERATED_QUANTITIES])) start_generator(t, p, true);
  trace_definitions(t, BLOCK_GENERATED_QUANTITIES);
  check_definitions(t, BLOCK_GENERATED_QUANTITIES);
  output_available(t, p, BLOCK_GENERATED_QUANTITIES);
  hide_invalid(t, p, 0);
  require_outputs(t, p, "generated quantities");
}

static void (*const entries[])(Tracer *t, Ports *p) = {
    [ENTRY_LOG_DENSITY] = trace_log_density,
    [ENTRY_CONSTRAIN] = trace_constrain,
    [ENTRY_UNCONSTRAIN] = trace_unconstrain,
    [ENTRY_GENERATE] = trace_generate,
};

/* ---- after tracing ---- */

/* (log density, valid, gradient) of one chain become its log density and gradient: -inf and 0 where
 * Stan would throw. A sampler needs the former only, and not of what is NaN: it takes neither. */
static IrFunction *guard_density(Tracer *t, IrFunction *f, Ports *p, bool gradient, bool sampled) {
  f = ir_reduce_squares(f);
  if (gradient) {
    bool *wrt = ARENA_ARRAY(t->arena, bool, p->input_count);
    wrt[0] = true;
    f = ir_grad(f, 0, wrt);
  }
  IrBuilder *b = ir_function_begin(t->module, NULL, "log_density");
  IrValue **params = ARENA_ARRAY(t->arena, IrValue *, p->input_count), *results[3] = {0};
  for (int k = 0; k < f->param_count; k++) {
    params[k] = ir_param(b, f->params[k]->type, f->param_names ? f->param_names[k] : NULL);
    ir_assume(params[k], f->params[k]->facts);
  }
  ir_inline(b, f, params, results);
  IrValue *valid = results[1], *least = ir_f64(b, -1.0 / 0.0), *slope = results[2];
  if (t->evident && !sampled)
    valid = ir_binary(b, IR_AND, valid, ir_binary(b, IR_GT, results[0], least));
  p->output_count = p->result_count = 0;
  add_output(p, (LoweredPort){.name = "log_density"}, ir_select(b, valid, results[0], least));
  if (gradient)
    add_output(p, (LoweredPort){.name = "gradient"},
               sampled ? slope : ir_select(b, valid, slope, ir_f64(b, 0)));
  return ir_function_end(b, p->results, NULL, (int)p->result_count);
}

static void begin_function(Tracer *t) {
  t->frame = ARENA_NEW(t->arena, Frame);
  t->b = ir_function_begin(t->module, NULL, "model");
  t->accumulators[ACC_TARGET] = tr_real(t, 0);
  t->accumulators[ACC_VALID] = tr_const(ir_bool(t->b, true));
}

Tracer *tracer_new(Arena *arena, const Program *program, const LowerOptions *options,
                   Diagnostics *d) {
  Tracer *t = ARENA_NEW(arena, Tracer);
  *t = (Tracer){.arena = arena, .diagnostics = d, .options = options, .program = program};
  t->prelude = prelude_new(arena);
  t->module = ir_module_new(arena, options->ir);
  t->calls = call_cache_new(arena);
  begin_function(t);
  return t;
}

Tracer *tracer_another(const Tracer *other) {
  Tracer *t = ARENA_NEW(other->arena, Tracer);
  *t = (Tracer){.arena = other->arena,
                .diagnostics = other->diagnostics,
                .options = other->options,
                .program = other->program,
                .prelude = other->prelude,
                .module = other->module,
                .calls = other->calls,
                .scope_count = other->scope_count};
  begin_function(t);
  return t;
}

EntryFunction sampled_density_function(Tracer *t) {
  EntryFunction f = {.ports.arena = t->arena};
  trace_log_density(t, &f.ports);
  f.ir = guard_density(t, ir_function_end(t->b, f.ports.results, NULL, (int)f.ports.result_count),
                       &f.ports, true, true);
  return f;
}

EntryFunction constrain_function(Tracer *t) {
  EntryFunction f = {.ports.arena = t->arena};
  trace_constrain(t, &f.ports);
  f.ir = ir_function_end(t->b, f.ports.results, NULL, (int)f.ports.result_count);
  return f;
}

static void name_leading_axis(Ports *p, const char *name) {
  LoweredPort *lists[2] = {p->inputs, p->outputs};
  size_t counts[2] = {p->input_count, p->output_count};
  for (int side = 0; side < 2; side++)
    for (size_t k = 0; k < counts[side]; k++) {
      if (side == 0 && !p->batched[k]) continue;
      const char **names = lists[side][k].dim_names;
      memmove(names + 1, names, sizeof *names * (IR_MAX_RANK - 1));
      names[0] = name;
    }
}

/* The block whose results an entry point is for. */
static const BlockKind last_block[] = {[ENTRY_LOG_DENSITY] = BLOCK_MODEL,
                                       [ENTRY_CONSTRAIN] = BLOCK_TRANSFORMED_PARAMETERS,
                                       [ENTRY_UNCONSTRAIN] = BLOCK_PARAMETERS,
                                       [ENTRY_GENERATE] = BLOCK_GENERATED_QUANTITIES};

/* Rewriting leaves in loops what is the same for all iterations, as indices repeated for each row.
 */
static IrFunction *finished(IrFunction *f, const LowerOptions *options) {
  f = ir_simplify(ir_economise(ir_scan_recurrences(f)));
  return options->reproducible ? ir_make_reproducible(f) : f;
}

Lowered *lower_program(Arena *arena, const Program *program, const LowerOptions *options,
                       Sources *sources, Diagnostics *d) {
  (void)sources;
  if (options->entry == ENTRY_SAMPLE) {
    Lowered *sampler = lower_sampler(arena, program, options, d);
    sampler->function = finished(sampler->function, options);
    return sampler;
  }
  Tracer *t = tracer_new(arena, program, options, d);
  Ports p = {.arena = arena};
  entries[options->entry](t, &p);
  const char **names = ARENA_ARRAY(arena, const char *, p.output_count);
  for (size_t k = 0; k < p.output_count; k++) names[k] = p.outputs[k].name;
  IrFunction *f = ir_function_end(t->b, p.results, names, (int)p.result_count);
  f = make_draws(t, f, &p);
  Lowered *out = ARENA_NEW(arena, Lowered);
  out->model_json = describe_model(t, program);
  if (options->entry == ENTRY_LOG_DENSITY)
    f = guard_density(t, f, &p, !options->no_gradient, false);
  f = ir_vmap(f, p.batched, 1, NULL, true, NULL);
  f = take_state(t, f, &p);
  if (!options->disable_expand) f = ir_expand_calls(f);
  f = ir_simplify(f);
  if (ir_module_error(t->module))
    trace_unsupported(t, program->blocks[last_block[options->entry]].span, "%s",
                      ir_module_error(t->module));
  f = finished(f, options);
  name_leading_axis(&p, options->entry == ENTRY_GENERATE ? "draw" : "chain");
  out->function = f;
  out->input_count = (int)p.input_count;
  out->output_count = (int)p.output_count;
  out->inputs = p.inputs;
  out->outputs = p.outputs;
  out->shapes_known = options->data != NULL;
  return out;
}
