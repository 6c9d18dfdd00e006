/* A model that samples. The library's algorithms are Stan functions of one chain: one gives a
 * chain's state at the start, others take it through iterations. Here they become a loop that
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

/* What is known of a state's members, and of what an algorithm's functions return. */
enum { STATE_SCALE = 1, STATE_METRIC, STATE_PROGRESS = 6, STATE_ADAPTED };
enum { PROGRESS_ITERATIONS };
enum { ADAPTED_STEP, ADAPTED_STATUS = 2 };
enum { PREPARED_TRAJECTORY, PREPARED_STOCK, PREPARED_TABLES };
enum { TRIP_ADAPTED, TRIP_TRAJECTORY, TRIP_STOCK, TRIP_STATISTICS };
enum { TRIP_STATE, TRIP_DONE, TRIP_POSITION, TRIP_MORE }; /* of TRIP_ADAPTED */

enum { SETTINGS = 4 }; /* delta, what limits trajectories, step size, radius */
enum { MAX_STATISTICS = 8 };

typedef struct {
  const char *name;                       /* of the function in the prob dialect */
  const char *preparation, *trip;         /* of the library (inference/trips.stan) */
  const char *statistics[MAX_STATISTICS]; /* what the trip tells of an iteration */
} Algorithm;

static const Algorithm algorithms[ENGINES] = {
    [ENGINE_NUTS] = {"nuts",
                     "nuts_preparation",
                     "nuts_trip",
                     {"lp__", "accept_stat__", "stepsize__", "treedepth__", "n_leapfrog__",
                      "divergent__", "energy__"}},
    [ENGINE_STATIC] = {"hmc",
                       "static_hmc_preparation",
                       "static_hmc_trip",
                       {"lp__", "accept_stat__", "stepsize__", "int_time__", "energy__"}}};

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
  const Algorithm *algorithm;
  EntryFunction density, constrain;
  int64_t size; /* of the unconstrained vector, or IR_DYNAMIC */
  int kind;     /* of the metric */
} Sampler;

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

static IrValue *member_size(Tracer *t, const SVal *member) {
  IrValue *n = ir_i64(t->b, 1);
  for (int a = 0; a < type_rank(member->type); a++)
    n = ir_binary(t->b, IR_MUL, n, tr_dim(t, member->tr, a));
  return n;
}

/* A state for positions of n numbers in the function being built, of which only the layout matters;
 * and how many numbers it has. */
static SVal layout_of(Sampler *s, IrValue *n, IrValue **size) {
  Tracer *t = s->t;
  IrValue *settings = ir_i64(t->b, SETTINGS), *zero = ir_i64(t->b, 0);
  SVal state = start_state(s, zeros(t, n), zero, zeros(t, settings), zero);
  *size = zero;
  for (int k = 0; k < state.type->member_count; k++)
    *size = ir_binary(t->b, IR_ADD, *size, member_size(t, &state.members[k]));
  return state;
}

/* The members of a state, one after the other. */
static IrValue *packed(Sampler *s, const SVal *state) {
  Tracer *t = s->t;
  int count = state->type->member_count;
  IrValue **parts = ARENA_ARRAY(s->arena, IrValue *, (size_t)count);
  for (int k = 0; k < count; k++) {
    IrValue *n = member_size(t, &state->members[k]);
    parts[k] = ir_reshape(t->b, as_real(t, state->members[k].tr).value, &n, 1);
  }
  return ir_concat(t->b, parts, count, 0);
}

static SVal unpacked(Sampler *s, const SVal *layout, IrValue *row) {
  Tracer *t = s->t;
  int count = layout->type->member_count;
  SVal state = {.type = layout->type, .members = ARENA_ARRAY(s->arena, SVal, (size_t)count)};
  IrValue *at = ir_i64(t->b, 0), *dims[2];
  for (int k = 0; k < count; k++) {
    const SVal *m = &layout->members[k];
    IrValue *n = member_size(t, m), *x = ir_slice(t->b, row, 0, at, n);
    int rank = type_rank(m->type);
    for (int a = 0; a < rank; a++) dims[a] = tr_dim(t, m->tr, a);
    state.members[k] = sval(m->type, (Tr){ir_reshape(t->b, x, dims, rank), NULL, true}, false);
    at = ir_binary(t->b, IR_ADD, at, n);
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
  IrValue *row = packed(s, &state);
  IrFunction *f = ir_function_end(b, &row, NULL, 1);
  *s->t = before;
  return f;
}

/* The inverse metric as a whole: the diagonal of a diagonal one. */
static IrValue *inverse_metric(Sampler *s, const SVal *state, IrValue *size) {
  if (s->kind == 2) return state->members[STATE_METRIC].tr.value;
  if (s->kind == 1) return state->members[STATE_SCALE].tr.value;
  return ir_broadcast(s->t->b, ir_f64(s->t->b, 1), &size, 1);
}

/* What a loop of trips carries: members of tuples, as places to read and write. */
typedef struct {
  int count;
  SVal **members;
} Carried;

static Carried carried_members(Sampler *s, SVal *const *tuples, int count) {
  Carried c = {0};
  for (int k = 0; k < count; k++) c.count += tuples[k]->type->member_count;
  c.members = ARENA_ARRAY(s->arena, SVal *, (size_t)c.count);
  int n = 0;
  for (int k = 0; k < count; k++)
    for (int m = 0; m < tuples[k]->type->member_count; m++) c.members[n++] = &tuples[k]->members[m];
  return c;
}

typedef struct {
  IrValue *size, *settings, *warmup, *iterations;
} Run;

enum {
  RUN_STATE,
  RUN_STEP,
  RUN_METRIC,
  RUN_STATUS,
  RUN_DONE, /* of each trip: whether an iteration has ended, the position, what it tells */
  RUN_DRAWS,
  RUN_STATISTICS,
  RUN_RESULTS
};
enum { STACKS = RUN_RESULTS - RUN_DONE };
enum { TRIP_INPUTS = 8, MAX_TABLES = 3 }; /* the tables come last */

static IrValue *state_number(Sampler *s, const SVal *state, int member, int k) {
  return ir_gather(s->t->b, state->members[member].tr.value, ir_i64(s->t->b, k), 0, 0);
}

/* Trips in a loop. The state changes; what is stacked goes to results[RUN_DONE...]. */
static void trace_trips(Sampler *s, const Run *run, SVal *state, IrValue **results) {
  Tracer *t = s->t;
  IrBuilder *outer = t->b;
  SVal given[] = {int_value(t, run->size), vector_value(t, run->settings, false)};
  SVal prepared = call(s, s->algorithm->preparation, given, 2),
       *trajectory = &prepared.members[PREPARED_TRAJECTORY],
       *stock = &prepared.members[PREPARED_STOCK], *tables = &prepared.members[PREPARED_TABLES];
  int table_count = prepared.type->member_count - PREPARED_TABLES;
  Tr target = as_real(t, tr_const(run->iterations));
  Tr iterations = {state_number(s, state, STATE_PROGRESS, PROGRESS_ITERATIONS), NULL, true};
  target = tr_binary(t, IR_ADD, iterations, target);
  Carried c = carried_members(s, (SVal *[]){state, trajectory, stock}, 3);
  IrValue **initial = ARENA_ARRAY(s->arena, IrValue *, (size_t)c.count),
          **values = ARENA_ARRAY(s->arena, IrValue *, (size_t)(1 + c.count + STACKS));
  IrBuilder *body = t->b = ir_function_begin(t->module, outer, "trip");
  ir_param(body, ir_scalar(IR_I64), "i");
  for (int k = 0; k < c.count; k++) {
    initial[k] = c.members[k]->tr.value;
    c.members[k]->tr = (Tr){ir_param(body, initial[k]->type, NULL), NULL, true};
  }
  SVal args[TRIP_INPUTS + MAX_TABLES] = {int_value(t, ir_i64(body, s->kind)),
                                         given[0],
                                         *state,
                                         *trajectory,
                                         *stock,
                                         given[1],
                                         int_value(t, run->warmup),
                                         sval(type_simple(s->arena, T_REAL, 0), target, false)};
  for (int k = 0; k < table_count; k++) args[TRIP_INPUTS + k] = tables[k];
  SVal r = call(s, s->algorithm->trip, args, TRIP_INPUTS + table_count),
       *adapted = r.members[TRIP_ADAPTED].members;
  Carried next = carried_members(
      s, (SVal *[]){&adapted[TRIP_STATE], &r.members[TRIP_TRAJECTORY], &r.members[TRIP_STOCK]}, 3);
  values[0] = as_bool(t, adapted[TRIP_MORE].tr).value;
  for (int k = 0; k < c.count; k++) values[1 + k] = as_real(t, next.members[k]->tr).value;
  IrValue **stacks = values + 1 + c.count;
  stacks[0] = adapted[TRIP_DONE].tr.value;
  stacks[1] = adapted[TRIP_POSITION].tr.value;
  stacks[2] = r.members[TRIP_STATISTICS].tr.value;
  ir_function_end(body, values, NULL, 1 + c.count + STACKS);
  t->b = outer;
  IrLoop loop = {.condition = ir_binary(outer, IR_GT, run->iterations, ir_i64(outer, 0)),
                 .carried = c.count,
                 .initial = initial};
  ir_loop(outer, loop, body, values);
  for (int k = 0; k < c.count; k++) c.members[k]->tr.value = values[k];
  for (int k = 0; k < STACKS; k++) results[RUN_DONE + k] = values[c.count + k];
}

enum { RUN_INPUTS = 6 };

/* (key, state, size, settings, warmup, iterations, data...) -> RUN_... */
static IrFunction *run_function(Sampler *s) {
  Tracer before = begin_function(s, "run");
  Tracer *t = s->t;
  IrBuilder *b = t->b;
  t->key = (Tr){ir_param(b, ir_scalar(IR_I64), "key"), NULL, true};
  IrValue *row = ir_param(b, vector_type(IR_F64, IR_DYNAMIC), "state"),
          *size = ir_param(b, ir_scalar(IR_I64), "size"), *results[RUN_RESULTS], *length;
  Run run = {.settings = ir_param(b, vector_type(IR_F64, SETTINGS), "settings"),
             .warmup = ir_param(b, ir_scalar(IR_I64), "warmup"),
             .iterations = ir_param(b, ir_scalar(IR_I64), "iterations")};
  const IrFunction *density = s->density.ir;
  Target target = {s->density.ir, density->param_count - 1,
                   ARENA_ARRAY(s->arena, IrValue *, (size_t)density->param_count)};
  for (int k = 0; k < target.rest_count; k++) {
    target.rest[k] = ir_param(b, density->params[1 + k]->type, NULL);
    ir_assume(target.rest[k], density->params[1 + k]->facts);
  }
  t->target = &target;
  if (s->size != IR_DYNAMIC) size = ir_i64(b, s->size);
  run.size = size;
  SVal layout = layout_of(s, size, &length), state = unpacked(s, &layout, row);
  trace_trips(s, &run, &state, results);
  results[RUN_STATE] = packed(s, &state);
  results[RUN_STEP] = state_number(s, &state, STATE_ADAPTED, ADAPTED_STEP);
  results[RUN_METRIC] = inverse_metric(s, &state, size);
  Tr status = {state_number(s, &state, STATE_ADAPTED, ADAPTED_STATUS), NULL, true};
  results[RUN_STATUS] = as_int(t, status).value;
  IrFunction *f = ir_function_end(b, results, NULL, RUN_RESULTS);
  *s->t = before;
  return ir_unbuffer(f);
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

/* Of what all chains stacked, what they stacked when an iteration ended: [chain, iteration, ...].
 * Where there are no iterations the stacks do not tell the sizes. */
static void pick_iterations(Sampler *s, IrValue *iterations, IrValue *size, IrValue **results) {
  IrBuilder *b = s->t->b;
  IrValue *done = results[RUN_DONE], *chains = ir_dim(b, results[RUN_STATE], 0);
  IrValue *count = ir_binary(b, IR_MUL, chains, ir_dim(b, done, 1));
  IrValue *flags = ir_binary(b, IR_GT, ir_reshape(b, done, &count, 1), ir_f64(b, 0));
  IrValue *at = ir_emit(b, IR_NONZERO, (IrAttr){0}, &flags, 1);
  for (int k = RUN_DRAWS; k <= RUN_STATISTICS; k++) {
    IrValue *width = k == RUN_DRAWS ? size : ir_dim(b, results[k], 2);
    IrValue *all = ir_reshape(b, results[k], (IrValue *[]){count, width}, 2);
    results[k] =
        ir_reshape(b, ir_gather(b, all, at, 0, 0), (IrValue *[]){chains, iterations, width}, 3);
  }
}

/* The run of all chains, from what the inputs say. */
static void trace_run(Sampler *s, IrValue *const *in, IrValue *size, IrValue *const *start,
                      IrValue **results) {
  IrBuilder *b = s->t->b;
  IrFunction *run = run_function(s);
  int count = run->param_count;
  bool *batched = ARENA_ARRAY(s->arena, bool, (size_t)count);
  batched[0] = batched[1] = true;
  run = ir_vmap(run, batched, 1, NULL, true, NULL);
  IrValue **args = ARENA_ARRAY(s->arena, IrValue *, (size_t)count);
  args[0] = prng_key(b, start[1]);
  args[1] = start[0];
  args[2] = size;
  args[3] = in[IN_SETTINGS];
  args[4] = in[IN_WARMUP];
  args[5] = in[IN_ITERATIONS];
  for (int k = RUN_INPUTS; k < count; k++) args[k] = in[INPUTS + k - RUN_INPUTS];
  ir_inline(b, run, args, results);
  pick_iterations(s, in[IN_ITERATIONS], size, results);
}

/* Operands of a call, and the parameters of the callee that is being built. */
typedef struct {
  IrBuilder *callee;
  IrValue **args;
  int count;
} Passed;

static IrValue *pass(Passed *p, IrValue *v, const char *name) {
  IrValue *param = ir_param(p->callee, v->type, name);
  ir_assume(param, v->facts);
  p->args[p->count++] = v;
  return param;
}

static const struct {
  int result;
  const char *name;
} run_outputs[] = {{RUN_STATE, "next_sampler_state"},  {RUN_STEP, "stepsize"},
                   {RUN_METRIC, "inverse_metric"},     {RUN_STATUS, "status"},
                   {RUN_DRAWS, "unconstrained_draws"}, {RUN_STATISTICS, "statistics"}};
enum { RUN_OUTPUTS = sizeof run_outputs / sizeof *run_outputs };

/* The run of all chains as a function that stays one, and whose operands p gets. */
static IrFunction *algorithm_function(Sampler *s, IrValue *const *in, IrValue *size,
                                      IrValue *const *start, Passed *p) {
  Tracer before = begin_function(s, s->algorithm->name);
  IrBuilder *b = p->callee = s->t->b;
  int data = s->density.ir->param_count - 1;
  IrValue **inner = ARENA_ARRAY(s->arena, IrValue *, (size_t)(INPUTS + data));
  IrValue *inner_start[2], *all[RUN_RESULTS], *outputs[RUN_OUTPUTS];
  const char *names[RUN_OUTPUTS];
  inner_start[1] = pass(p, start[1], "prng_state");
  inner_start[0] = pass(p, start[0], "sampler_state");
  inner[IN_SETTINGS] = pass(p, in[IN_SETTINGS], "settings");
  inner[IN_WARMUP] = pass(p, in[IN_WARMUP], "warmup");
  inner[IN_ITERATIONS] = pass(p, in[IN_ITERATIONS], "iterations");
  size = size->constant ? ir_constant(b, size->constant) : pass(p, size, "unconstrained.size");
  for (int k = 0; k < data; k++)
    inner[INPUTS + k] = pass(p, in[INPUTS + k], s->density.ports.inputs[1 + k].name);
  trace_run(s, inner, size, inner_start, all);
  for (int k = 0; k < RUN_OUTPUTS; k++) {
    outputs[k] = all[run_outputs[k].result];
    names[k] = run_outputs[k].name;
  }
  IrFunction *f = ir_function_end(b, outputs, names, RUN_OUTPUTS);
  f->role = IR_ALGORITHM;
  *s->t = before;
  return f;
}

/* The same as trace_run, by a call of the sampler that is given the density. */
static void call_run(Sampler *s, IrValue *const *in, IrValue *size, IrValue *const *start,
                     IrValue **results) {
  IrFunction *density = s->density.ir;
  size_t room = (size_t)(INPUTS + density->param_count);
  Passed p = {.args = ARENA_ARRAY(s->arena, IrValue *, room)};
  IrValue *outputs[RUN_OUTPUTS];
  density->role = IR_ARGUMENT;
  density->result_names = ARENA_ARRAY(s->arena, const char *, (size_t)density->result_count);
  for (int k = 0; k < density->result_count; k++)
    density->result_names[k] = s->density.ports.outputs[k].name;
  IrFunction *algorithm = algorithm_function(s, in, size, start, &p);
  ir_call(s->t->b, algorithm, p.args, p.count, outputs);
  for (int k = 0; k < RUN_OUTPUTS; k++) results[run_outputs[k].result] = outputs[k];
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

static void add_results(Sampler *s, Ports *p, IrValue *const *in, IrValue **r, IrValue *keys) {
  IrBuilder *b = s->t->b;
  LoweredPort draws = {.name = "unconstrained_draws",
                       .dim_names = {"chain", "iteration", "unconstrained_size"}};
  add_output(p, draws, r[RUN_DRAWS]);
  add_draws(s, p, in, r[RUN_DRAWS]);
  const char *const *statistics = s->algorithm->statistics;
  for (int k = 0; k < MAX_STATISTICS && statistics[k]; k++) {
    LoweredPort port = {.name = statistics[k], .dim_names = {"chain", "iteration"}};
    add_output(p, port, ir_gather(b, r[RUN_STATISTICS], ir_i64(b, k), 2, 0));
  }
  add_output(p, (LoweredPort){.name = "next_sampler_state", .dim_names = {"chain", "state_size"}},
             r[RUN_STATE]);
  add_output(p, (LoweredPort){.name = "next_sampler_keys", .dim_names = {"chain"}}, keys);
  add_output(p, (LoweredPort){.name = "stepsize", .dim_names = {"chain"}}, r[RUN_STEP]);
  LoweredPort metric = {.name = "inverse_metric",
                        .dim_names = {"chain", "unconstrained_size", "unconstrained_size"}};
  if (s->kind != 2) metric.dim_names[2] = NULL;
  add_output(p, metric, r[RUN_METRIC]);
  add_output(p, (LoweredPort){.name = "status", .dim_names = {"chain"}}, r[RUN_STATUS]);
}

static void trace_sampler(Sampler *s, Ports *p) {
  IrValue **in = add_params(s, p), *size = unconstrained_size(s, in), *start[2],
          *results[RUN_RESULTS];
  resume(s, in, size, start);
  (s->t->options->keep_algorithms ? call_run : trace_run)(s, in, size, start, results);
  add_results(s, p, in, results, start[1]);
}

Lowered *lower_sampler(Arena *arena, const Program *program, const LowerOptions *options,
                       Diagnostics *d) {
  Tracer *t = tracer_new(arena, program, options, d);
  if (block_draws(&program->blocks[BLOCK_TRANSFORMED_DATA]))
    trace_unsupported(t, program->blocks[BLOCK_TRANSFORMED_DATA].span,
                      "sampling with random numbers in transformed data");
  Sampler s = {
      .arena = arena, .algorithm = &algorithms[options->engine], .kind = (int)options->metric};
  s.density = sampled_density_function(t);
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
