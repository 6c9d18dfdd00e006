/* A model that samples. The library's algorithms are Stan functions of one chain: one gives a
 * chain's state at the start, the other takes it through an iteration. Here they become a loop that
 * stacks what it draws, batched over the chains.
 *
 * A state is a tuple. Its reals, vectors and matrices are the chain's own; its ints are the same
 * for all chains, which are in step. From outside it is a row of numbers, the ints at its end. */
#include "lower/call.h"
#include "lower/describe.h"
#include "lower/entry.h"
#include "lower/inference.h"
#include "lower/prng.h"
#include "lower/random.h"

/* What is known of a state's members. */
enum { STATE_STEP, STATE_SCALE, STATE_METRIC, STATE_STATUS, STATE_POSITION };

/* What an iteration tells of itself, in this order. */
static const char *const statistics[] = {"lp__",        "accept_stat__", "stepsize__",
                                         "treedepth__", "n_leapfrog__",  "divergent__",
                                         "energy__"};
enum { SETTINGS = 4 }; /* delta, depth, step size, radius */
enum { STATISTICS = sizeof statistics / sizeof *statistics };

/* The model's inputs before the data. */
typedef enum {
  IN_PRNG_STATE,
  IN_CHAINS,
  IN_INIT,
  IN_WARMUP,
  IN_SAMPLES,
  IN_ITERATIONS,
  IN_SETTINGS,
  IN_STATE,
  IN_KEYS,
  INPUTS
} Input;

typedef struct {
  Tracer *t; /* its builder is at the function being built */
  Arena *arena;
  EntryFunction density, constrain;
  int64_t size; /* of the unconstrained vector, or IR_DYNAMIC */
  int kind;     /* of the metric */
} Sampler;

/* A state in the function being built: what its members are like. */
typedef struct {
  const StanType *type;
  int count;
  SVal *members;
  IrValue *size[2]; /* of a chain's own numbers, and of those that all chains share */
} Layout;

/* ---- values ---- */

static SVal int_value(Tracer *t, IrValue *v) {
  return sval(type_simple(t->arena, T_INT, 0), tr_const(v), false);
}

static SVal vector_value(Tracer *t, IrValue *v, bool varying) {
  return sval(type_simple(t->arena, T_VECTOR, 0), (Tr){v, NULL, varying}, false);
}

static IrType vector_type(IrDtype dtype, int64_t n) { return ir_type(dtype, 1, &n); }

static IrValue *zeros(Tracer *t, IrValue *n) { return ir_broadcast(t->b, ir_f64(t->b, 0), &n, 1); }

static SVal call(Sampler *s, const char *name, SVal *args, int count) {
  int found;
  FunDef *const *f = prelude_find(s->t->prelude, name, &found, s->t->diagnostics);
  if (!found) trace_unsupported(s->t, s->t->span, "the algorithm '%s'", name);
  return call_library(s->t, name, args, count, f[0]->type->result, s->t->span);
}

/* ---- states ---- */

static SVal start_state(Sampler *s, IrValue *position, IrValue *given, IrValue *settings,
                        IrValue *warmup) {
  Tracer *t = s->t;
  SVal args[] = {int_value(t, ir_i64(t->b, s->kind)), vector_value(t, position, true),
                 int_value(t, given), vector_value(t, settings, false), int_value(t, warmup)};
  return call(s, "adaptive_start", args, 5);
}

static bool is_shared(const SVal *member) { return member->type->base == T_INT; }

static IrValue *member_size(Tracer *t, const SVal *member) {
  IrValue *n = ir_i64(t->b, 1);
  for (int a = 0; a < type_rank(member->type); a++)
    n = ir_binary(t->b, IR_MUL, n, tr_dim(t, member->tr, a));
  return n;
}

/* The layout of states for positions of n numbers. The state made for it is not computed. */
static Layout layout_of(Sampler *s, IrValue *n) {
  Tracer *t = s->t;
  IrValue *settings = ir_i64(t->b, SETTINGS), *zero = ir_i64(t->b, 0);
  SVal state = start_state(s, zeros(t, n), zero, zeros(t, settings), zero);
  Layout l = {state.type, state.type->member_count, state.members, {zero, zero}};
  for (int k = 0; k < l.count; k++) {
    IrValue **size = &l.size[is_shared(&l.members[k])];
    *size = ir_binary(t->b, IR_ADD, *size, member_size(t, &l.members[k]));
  }
  return l;
}

/* The members of a state, the chain's own or those shared, one after the other as f64 or i64. */
static IrValue *packed(Sampler *s, const SVal *state, bool shared) {
  Tracer *t = s->t;
  int count = 0;
  IrValue **parts = ARENA_ARRAY(s->arena, IrValue *, (size_t)state->type->member_count);
  for (int k = 0; k < state->type->member_count; k++) {
    const SVal *m = &state->members[k];
    if (is_shared(m) != shared) continue;
    IrValue *n = member_size(t, m);
    parts[count++] = ir_reshape(t->b, ir_cast(t->b, m->tr.value, shared ? IR_I64 : IR_F64), &n, 1);
  }
  return ir_concat(t->b, parts, count, 0);
}

static SVal unpacked(Sampler *s, const Layout *l, IrValue *own, IrValue *shared) {
  Tracer *t = s->t;
  SVal state = {.type = l->type, .members = ARENA_ARRAY(s->arena, SVal, (size_t)l->count)};
  IrValue *at[2] = {ir_i64(t->b, 0), ir_i64(t->b, 0)}, *dims[2];
  for (int k = 0; k < l->count; k++) {
    const SVal *m = &l->members[k];
    bool is = is_shared(m);
    IrValue *n = member_size(t, m), *x = ir_slice(t->b, is ? shared : own, 0, at[is], n);
    int rank = type_rank(m->type);
    for (int a = 0; a < rank; a++) dims[a] = tr_dim(t, m->tr, a);
    state.members[k] = sval(m->type, (Tr){ir_reshape(t->b, x, dims, rank), NULL, !is}, false);
    at[is] = ir_binary(t->b, IR_ADD, at[is], n);
  }
  return state;
}

/* ---- functions of one chain ---- */

/* Begins a function of its own; what was being built goes on once *s->t is restored. */
static Tracer begin_function(Sampler *s, const char *name) {
  Tracer before = *s->t;
  s->t->b = ir_function_begin(s->t->module, NULL, name);
  return before;
}

/* (position, given, settings, warmup) -> the state as one row */
static IrFunction *start_function(Sampler *s) {
  Tracer before = begin_function(s, "start");
  IrBuilder *b = s->t->b;
  IrValue *position = ir_param(b, vector_type(IR_F64, s->size), "init"),
          *given = ir_param(b, ir_scalar(IR_I64), "given"),
          *settings = ir_param(b, vector_type(IR_F64, SETTINGS), "settings"),
          *warmup = ir_param(b, ir_scalar(IR_I64), "warmup");
  SVal state = start_state(s, position, given, settings, warmup);
  IrValue *parts[2] = {packed(s, &state, false), ir_cast(b, packed(s, &state, true), IR_F64)};
  IrValue *row = ir_concat(b, parts, 2, 0);
  IrFunction *f = ir_function_end(b, &row, NULL, 1);
  *s->t = before;
  return f;
}

/* The inverse metric as a whole: the diagonal of a diagonal one. */
static IrValue *inverse_metric(Sampler *s, const SVal *state) {
  if (s->kind == 2) return state->members[STATE_METRIC].tr.value;
  if (s->kind == 1) return state->members[STATE_SCALE].tr.value;
  IrValue *n = tr_dim(s->t, state->members[STATE_POSITION].tr, 0);
  return ir_broadcast(s->t->b, ir_f64(s->t->b, 1), &n, 1);
}

typedef struct {
  IrValue *settings, *warmup, *iterations;
} Run;

/* The iterations as a loop: the state changes, and positions and statistics are stacked. */
static void trace_iterations(Sampler *s, const Run *run, SVal *state, IrValue **stacks) {
  Tracer *t = s->t;
  SVal ends, places,
      depth = int_value(
          t, ir_cast(t->b, ir_gather(t->b, run->settings, ir_i64(t->b, 1), 0, 0), IR_I64));
  ends = call(s, "nuts_ends", &depth, 1);
  places = call(s, "nuts_places", &depth, 1);
  int n = state->type->member_count;
  IrBuilder *outer = t->b, *body = ir_function_begin(t->module, outer, "iteration");
  IrValue **initial = ARENA_ARRAY(s->arena, IrValue *, (size_t)n),
          **results = ARENA_ARRAY(s->arena, IrValue *, (size_t)n + 2);
  SVal *members = ARENA_ARRAY(s->arena, SVal, (size_t)n);
  t->b = body;
  ir_param(body, ir_scalar(IR_I64), "i");
  for (int k = 0; k < n; k++) {
    members[k] = state->members[k];
    initial[k] = members[k].tr.value;
    members[k].tr.value = ir_param(body, initial[k]->type, NULL);
  }
  SVal args[] = {int_value(t, ir_i64(body, s->kind)),
                 {.type = state->type, .members = members},
                 vector_value(t, run->settings, false),
                 int_value(t, run->warmup),
                 ends,
                 places};
  SVal r = call(s, "nuts_iteration", args, 6);
  for (int k = 0; k < n; k++)
    results[k] = ir_cast(body, r.members[0].members[k].tr.value, initial[k]->type.dtype);
  results[n] = results[STATE_POSITION];
  results[n + 1] = r.members[1].tr.value;
  ir_function_end(body, results, NULL, n + 2);
  t->b = outer;
  IrLoop loop = {.count = run->iterations, .carried = n, .initial = initial};
  ir_loop(outer, loop, body, results);
  for (int k = 0; k < n; k++) state->members[k].tr.value = results[k];
  stacks[0] = results[n];
  stacks[1] = results[n + 1];
}

enum {
  RUN_OWN,
  RUN_SHARED,
  RUN_DRAWS,
  RUN_STATISTICS,
  RUN_STEP,
  RUN_METRIC,
  RUN_STATUS,
  RUN_RESULTS
};
enum { RUN_INPUTS = 7 };

/* (key, own state, shared state, size, settings, warmup, iterations, data...) -> RUN_... */
static IrFunction *run_function(Sampler *s) {
  Tracer before = begin_function(s, "run");
  Tracer *t = s->t;
  IrBuilder *b = t->b;
  t->key = (Tr){ir_param(b, ir_scalar(IR_I64), "key"), NULL, true};
  IrValue *own = ir_param(b, vector_type(IR_F64, IR_DYNAMIC), "own"),
          *shared = ir_param(b, vector_type(IR_I64, IR_DYNAMIC), "shared"),
          *size = ir_param(b, ir_scalar(IR_I64), "size");
  Run run = {ir_param(b, vector_type(IR_F64, SETTINGS), "settings"),
             ir_param(b, ir_scalar(IR_I64), "warmup"),
             ir_param(b, ir_scalar(IR_I64), "iterations")};
  const IrFunction *density = s->density.ir;
  Target target = {s->density.ir, density->param_count - 1,
                   ARENA_ARRAY(s->arena, IrValue *, (size_t)density->param_count)};
  for (int k = 0; k < target.rest_count; k++) {
    target.rest[k] = ir_param(b, density->params[1 + k]->type,
                              density->param_names ? density->param_names[1 + k] : NULL);
    ir_assume(target.rest[k], density->params[1 + k]->facts);
  }
  t->target = &target;
  if (s->size != IR_DYNAMIC) size = ir_i64(b, s->size);
  Layout layout = layout_of(s, size);
  SVal state = unpacked(s, &layout, own, shared);
  IrValue *results[RUN_RESULTS];
  trace_iterations(s, &run, &state, results + RUN_DRAWS);
  results[RUN_OWN] = packed(s, &state, false);
  results[RUN_SHARED] = packed(s, &state, true);
  results[RUN_STEP] = state.members[STATE_STEP].tr.value;
  results[RUN_METRIC] = inverse_metric(s, &state);
  results[RUN_STATUS] = ir_cast(b, state.members[STATE_STATUS].tr.value, IR_I64);
  IrFunction *f = ir_function_end(b, results, NULL, RUN_RESULTS);
  *s->t = before;
  return f;
}

/* ---- the model ---- */

static IrValue *add_param(Sampler *s, Ports *p, LoweredPort port, IrType type) {
  add_input(p, port, false);
  return ir_param(s->t->b, type, port.name);
}

static IrType matrix_type(IrDtype dtype, int64_t columns) {
  return ir_type(dtype, 2, (int64_t[]){IR_DYNAMIC, columns});
}

/* The fixed inputs, then the data. */
static IrValue **add_params(Sampler *s, Ports *p) {
  const LoweredPort ports[INPUTS] = {
      [IN_PRNG_STATE] = {.name = "prng_state"},
      [IN_CHAINS] = {.name = "chains"},
      [IN_INIT] = {.name = "init", .dim_names = {"initial_chain", "unconstrained_size"}},
      [IN_WARMUP] = {.name = "warmup"},
      [IN_SAMPLES] = {.name = "samples"},
      [IN_ITERATIONS] = {.name = "iterations"},
      [IN_SETTINGS] = {.name = "settings"},
      [IN_STATE] = {.name = "sampler_state", .dim_names = {"state_chain", "state_size"}},
      [IN_KEYS] = {.name = "sampler_keys", .dim_names = {"state_chain"}}};
  IrType number = ir_scalar(IR_I64);
  const IrType types[INPUTS] = {[IN_PRNG_STATE] = vector_type(IR_I64, 2),
                                [IN_CHAINS] = number,
                                [IN_INIT] = matrix_type(IR_F64, s->size),
                                [IN_WARMUP] = number,
                                [IN_SAMPLES] = number,
                                [IN_ITERATIONS] = number,
                                [IN_SETTINGS] = vector_type(IR_F64, SETTINGS),
                                [IN_STATE] = matrix_type(IR_F64, IR_DYNAMIC),
                                [IN_KEYS] = matrix_type(IR_I64, 2)};
  const IrFunction *density = s->density.ir;
  int data = density->param_count - 1;
  IrValue **in = ARENA_ARRAY(s->arena, IrValue *, (size_t)(INPUTS + data));
  for (int k = 0; k < INPUTS; k++) in[k] = add_param(s, p, ports[k], types[k]);
  for (int k = 1; k <= data; k++) {
    IrValue *v = add_param(s, p, s->density.ports.inputs[k], density->params[k]->type);
    ir_assume(v, density->params[k]->facts);
    in[INPUTS + k - 1] = v;
  }
  return in;
}

/* How long the unconstrained vector is, where the data decide. */
static IrValue *unconstrained_size(Sampler *s, IrValue *const *in) {
  if (s->size != IR_DYNAMIC) return ir_i64(s->t->b, s->size);
  Tracer *t = tracer_another(s->t);
  Ports p = {.arena = s->arena};
  trace_given(t, &p);
  IrValue *size = total_free_size(t).value;
  ir_inline(s->t->b, ir_function_end(t->b, &size, NULL, 1), in + INPUTS, &size);
  return size;
}

static IrValue *has_rows(IrBuilder *b, IrValue *x) {
  return ir_binary(b, IR_GT, ir_dim(b, x, 0), ir_i64(b, 0));
}

/* Where the chains that start begin: the points given, or as many of zeros as chains are asked for.
 */
static IrValue *start_positions(Sampler *s, IrValue *const *in, IrValue *size) {
  IrBuilder *b = s->t->b, *then = ir_function_begin(s->t->module, b, "given"),
            *orelse = ir_function_begin(s->t->module, b, "random");
  IrValue *init = in[IN_INIT], *dims[2] = {in[IN_CHAINS], size}, *r;
  IrValue *given =
      ir_reshape(then, init, (IrValue *[]){ir_dim(then, init, 0), ir_dim(then, init, 1)}, 2);
  ir_function_end(then, &given, NULL, 1);
  IrValue *none = ir_broadcast(orelse, ir_f64(orelse, 0), dims, 2);
  ir_function_end(orelse, &none, NULL, 1);
  ir_if(b, has_rows(b, init), then, orelse, &r);
  return r;
}

/* The states and keys that the chains go on from: those given, or new ones. */
static void resume(Sampler *s, IrValue *const *in, IrValue *size, IrValue **results) {
  IrBuilder *outer = s->t->b, *then = ir_function_begin(s->t->module, outer, "resumed"),
            *orelse = ir_function_begin(s->t->module, outer, "started");
  IrFunction *start =
      ir_vmap(start_function(s), (bool[]){true, false, false, false}, 1, NULL, true, NULL);
  IrValue *both[2] = {in[IN_STATE], in[IN_KEYS]};
  ir_function_end(then, both, NULL, 2);
  s->t->b = orelse;
  IrValue *positions = start_positions(s, in, size);
  IrValue *args[] = {positions, ir_cast(orelse, has_rows(orelse, in[IN_INIT]), IR_I64),
                     in[IN_SETTINGS], in[IN_WARMUP]};
  ir_call(orelse, start, args, 4, both);
  both[1] = prng_split(orelse, in[IN_PRNG_STATE], ir_dim(orelse, positions, 0));
  ir_function_end(orelse, both, NULL, 2);
  s->t->b = outer;
  ir_if(outer, has_rows(outer, in[IN_STATE]), then, orelse, results);
}

/* The run of all chains, from what the inputs say. */
static void trace_run(Sampler *s, IrValue *const *in, IrValue *size, const Layout *layout,
                      IrValue *const *start, IrValue **results) {
  IrBuilder *b = s->t->b;
  IrFunction *run = run_function(s);
  int count = run->param_count;
  bool *batched = ARENA_ARRAY(s->arena, bool, (size_t)count), result_batched[RUN_RESULTS];
  batched[0] = batched[1] = true;
  run = ir_vmap(run, batched, 1, NULL, false, result_batched);
  IrValue **args = ARENA_ARRAY(s->arena, IrValue *, (size_t)count), *zero = ir_i64(b, 0),
          *one = ir_i64(b, 1);
  args[0] = prng_key(b, start[1]);
  args[1] = ir_slice(b, start[0], 1, zero, layout->size[0]);
  IrValue *shared =
      ir_slice(b, ir_slice(b, start[0], 0, zero, one), 1, layout->size[0], layout->size[1]);
  args[2] = ir_cast(b, ir_squeeze(b, shared, 0), IR_I64);
  args[3] = size;
  args[4] = in[IN_SETTINGS];
  args[5] = in[IN_WARMUP];
  args[6] = in[IN_ITERATIONS];
  for (int k = RUN_INPUTS; k < count; k++) args[k] = in[INPUTS + k - RUN_INPUTS];
  ir_inline(b, run, args, results);
}

/* Every parameter and transformed parameter of all the draws. */
static void add_draws(Sampler *s, Ports *p, IrValue *const *in, IrValue *draws) {
  IrBuilder *b = s->t->b;
  IrFunction *f = s->constrain.ir;
  const Ports *inner = &s->constrain.ports;
  f = ir_vmap(f, inner->batched, 1, NULL, true, NULL);
  IrValue *chains = ir_dim(b, draws, 0), *iterations = ir_dim(b, draws, 1);
  IrValue *flat[2] = {ir_binary(b, IR_MUL, chains, iterations), ir_dim(b, draws, 2)};
  IrValue **args = ARENA_ARRAY(s->arena, IrValue *, (size_t)f->param_count),
          **results = ARENA_ARRAY(s->arena, IrValue *, (size_t)f->result_count);
  args[0] = ir_reshape(b, draws, flat, 2);
  for (int k = 1; k < f->param_count; k++) args[k] = in[INPUTS + k - 1];
  ir_inline(b, f, args, results);
  for (int k = 0; k < f->result_count; k++) {
    LoweredPort port = {.name = inner->outputs[k].name,
                        .stan_name = inner->outputs[k].stan_name,
                        .dim_names = {"chain", "iteration"}};
    IrValue *dims[IR_MAX_RANK] = {chains, iterations};
    int rank = results[k]->type.rank;
    for (int a = 1; a < rank; a++) {
      dims[1 + a] = ir_dim(b, results[k], a);
      port.dim_names[1 + a] = inner->outputs[k].dim_names[a - 1];
    }
    add_output(p, port, ir_reshape(b, results[k], dims, rank + 1));
  }
}

static void add_results(Sampler *s, Ports *p, IrValue *const *in, IrValue **r, IrValue *keys,
                        const Layout *layout) {
  IrBuilder *b = s->t->b;
  LoweredPort draws = {.name = "unconstrained_draws",
                       .dim_names = {"chain", "iteration", "unconstrained_size"}};
  add_output(p, draws, r[RUN_DRAWS]);
  add_draws(s, p, in, r[RUN_DRAWS]);
  for (int k = 0; k < STATISTICS; k++) {
    LoweredPort port = {.name = statistics[k], .dim_names = {"chain", "iteration"}};
    add_output(p, port, ir_gather(b, r[RUN_STATISTICS], ir_i64(b, k), 2, 0));
  }
  IrValue *dims[2] = {ir_dim(b, r[RUN_OWN], 0), layout->size[1]};
  IrValue *rows[2] = {r[RUN_OWN], ir_broadcast(b, ir_cast(b, r[RUN_SHARED], IR_F64), dims, 2)};
  add_output(p, (LoweredPort){.name = "next_sampler_state", .dim_names = {"chain", "state_size"}},
             ir_concat(b, rows, 2, 1));
  add_output(p, (LoweredPort){.name = "next_sampler_keys", .dim_names = {"chain"}}, keys);
  add_output(p, (LoweredPort){.name = "stepsize", .dim_names = {"chain"}}, r[RUN_STEP]);
  LoweredPort metric = {.name = "inverse_metric",
                        .dim_names = {"chain", "unconstrained_size", "unconstrained_size"}};
  if (s->kind != 2) metric.dim_names[2] = NULL;
  IrValue *m = r[RUN_METRIC];
  if (m->type.rank < (s->kind == 2 ? 3 : 2)) { /* the unit metric is no chain's own */
    IrValue *whole[2] = {dims[0], ir_dim(b, m, 0)};
    m = ir_broadcast(b, m, whole, 2);
  }
  add_output(p, metric, m);
  add_output(p, (LoweredPort){.name = "status", .dim_names = {"chain"}}, r[RUN_STATUS]);
}

static void trace_sampler(Sampler *s, Ports *p) {
  IrValue **in = add_params(s, p), *size = unconstrained_size(s, in), *start[2],
          *results[RUN_RESULTS];
  Layout layout = layout_of(s, size);
  resume(s, in, size, start);
  trace_run(s, in, size, &layout, start, results);
  add_results(s, p, in, results, start[1], &layout);
}

Lowered *lower_sampler(Arena *arena, const Program *program, const LowerOptions *options,
                       Diagnostics *d) {
  Tracer *t = tracer_new(arena, program, options, d);
  if (block_draws(&program->blocks[BLOCK_TRANSFORMED_DATA]))
    trace_unsupported(t, program->blocks[BLOCK_TRANSFORMED_DATA].span,
                      "sampling with random numbers in transformed data");
  Sampler s = {.arena = arena, .kind = (int)options->metric};
  s.density = log_density_function(t, true);
  s.size = s.density.ir->params[0]->type.dim[0];
  Lowered *out = ARENA_NEW(arena, Lowered);
  out->model_json = describe_model(t, program);
  s.constrain = constrain_function(tracer_another(t));
  s.t = tracer_another(t);
  Ports p = {.arena = arena};
  trace_sampler(&s, &p);
  const char **names = ARENA_ARRAY(arena, const char *, p.output_count);
  for (size_t k = 0; k < p.output_count; k++) names[k] = p.outputs[k].name;
  IrFunction *f = ir_function_end(s.t->b, p.results, names, (int)p.result_count);
  if (!options->disable_expand) f = ir_expand_calls(f);
  out->function = ir_simplify(f);
  out->input_count = (int)p.input_count;
  out->output_count = (int)p.output_count;
  out->inputs = p.inputs;
  out->outputs = p.outputs;
  out->shapes_known = options->data != NULL;
  return out;
}
