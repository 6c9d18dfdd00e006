/* Solvers of differential equations as functions of the IR: the method's trips
 * (stdlib_map/solvers/) in a loop that stacks the steps, from which the solution at the times of
 * output is then read.
 *
 * The steps are stacked some at a time, so that what is held does not grow with their number. All
 * chains stay in the loop until the last has come to the end. */
#include "lower/call.h"
#include "lower/ode.h"

#include <float.h>

enum { STACKED_STEPS = 64 };
enum { STEP_BEGIN, STEP_END, STEP_DATA, STEP_PARTS };
enum { TRIP_STATE, TRIP_STEP };

typedef struct {
  const Ode *o;
  Tracer *t;
  IrValue **values; /* of the inputs */
  IrValue *last;    /* the last time of output */
  SVal state;
  Tr solution; /* [T, N, M] */
} Solver;

/* A value of the function itself. */
static Tr own(IrValue *v) { return (Tr){v, NULL, true}; }

static SVal real(Solver *s, Tr v) { return sval(type_simple(s->t->arena, T_REAL, 0), v, false); }

static SVal times(Solver *s) {
  return sval(type_simple(s->t->arena, T_VECTOR, 0), own(s->values[ODE_TIMES]), false);
}

static SVal matrix(Solver *s, Tr v) {
  return sval(type_simple(s->t->arena, T_MATRIX, 0), v, false);
}

static SVal call(Solver *s, const char *name, SVal *args, int count) {
  Tracer *t = s->t;
  int found;
  FunDef *const *f = prelude_find(t->prelude, name, &found, t->diagnostics);
  if (!found) trace_unsupported(t, t->span, "the method '%s'", name);
  return call_library(t, name, args, count, f[0]->type->result, t->span);
}

/* ---- loops ---- */

/* The last number of a state: the times of output that are left, or -1 where Stan throws. */
static IrValue *left(const Solver *s) {
  return s->state.members[s->state.type->member_count - 1].tr.value;
}

/* Whether some chain has something to do. Inside of loops there is a chain. */
static IrValue *goes_on(Solver *s, bool inside) {
  IrBuilder *b = s->t->b;
  IrValue *on = ir_binary(b, IR_GT, left(s), ir_f64(b, 0));
  return ir_emit(b, IR_SOME, (IrAttr){.nonempty = inside}, &on, 1);
}

/* What a loop carries: the members of the state, and maybe the solution. */
static int carried(Solver *s, bool solution, Tr **slots) {
  int n = s->state.type->member_count;
  for (int k = 0; k < n; k++) slots[k] = &s->state.members[k].tr;
  if (solution) slots[n++] = &s->solution;
  return n;
}

/* Runs `body` in a loop, while there is something to do, and `limit` (which may be NULL) times at
 * most. It tells of values to stack, which come back stacked. */
static void run_loop(Solver *s, bool solution, IrValue *limit,
                     int (*body)(Solver *s, IrValue **stacks), IrValue **stacks) {
  Tracer *t = s->t;
  IrBuilder *outer = t->b;
  size_t room = (size_t)s->state.type->member_count + STEP_PARTS + 2;
  Tr **slots = ARENA_ARRAY(t->arena, Tr *, room);
  IrValue **initial = ARENA_ARRAY(t->arena, IrValue *, room),
          **results = ARENA_ARRAY(t->arena, IrValue *, room);
  int count = carried(s, solution, slots);
  Tr valid = t->accumulators[ACC_VALID];
  IrLoop loop = {
      .count = limit, .condition = goes_on(s, limit != NULL), .carried = count, .initial = initial};
  IrBuilder *b = t->b = ir_function_begin(t->module, outer, "trip");
  ir_param(b, ir_scalar(IR_I64), "i");
  for (int k = 0; k < count; k++) {
    initial[k] = slots[k]->value;
    *slots[k] = own(ir_param(b, initial[k]->type, NULL));
  }
  int stacked = body(s, results + 1 + count);
  carried(s, solution, slots);
  results[0] = goes_on(s, true);
  for (int k = 0; k < count; k++) results[1 + k] = as_real(t, *slots[k]).value;
  ir_function_end(b, results, NULL, 1 + count + stacked);
  t->b = outer;
  t->accumulators[ACC_VALID] = valid; /* indices are in range */
  ir_loop(outer, loop, b, results);
  for (int k = 0; k < count; k++) slots[k]->value = results[k];
  for (int k = 0; k < stacked; k++) stacks[k] = results[count + k];
}

/* ---- one step, and what it is read for ---- */

static SVal trip(Solver *s) {
  SVal args[] = {s->state,
                 times(s),
                 real(s, own(s->last)),
                 real(s, own(s->values[ODE_RELATIVE])),
                 real(s, own(s->values[ODE_ABSOLUTE])),
                 real(s, own(s->values[ODE_STEPS]))};
  return call(s, s->o->method->trip, args, 6);
}

static int trace_trip(Solver *s, IrValue **stacks) {
  SVal r = trip(s);
  s->state = r.members[TRIP_STATE];
  for (int k = 0; k < STEP_PARTS; k++)
    stacks[k] = as_real(s->t, r.members[TRIP_STEP].members[k].tr).value;
  return STEP_PARTS;
}

/* For each time of output the number of the step that comes to it, [T]; *there says whether there
 * is one. A step counts from behind its begin on; those without length are failed attempts. */
static IrValue *step_of_time(Solver *s, IrValue *const *steps, IrValue **there) {
  IrBuilder *b = s->t->b;
  IrValue *ts = s->values[ODE_TIMES], *zero = ir_i64(b, 0), *nothing = ir_f64(b, DBL_EPSILON);
  IrValue *since = ir_binary(b, IR_SUB, ir_unsqueeze(b, ts, 1), steps[STEP_BEGIN]);
  IrValue *after = ir_binary(b, IR_GT, since, nothing);
  IrValue *real_step = ir_binary(b, IR_GT, steps[STEP_END], steps[STEP_BEGIN]);
  IrValue *numbers = ir_iota(b, ir_dim(b, steps[STEP_BEGIN], 0));
  IrValue *candidates =
      ir_select(b, ir_binary(b, IR_AND, after, real_step), numbers, ir_i64(b, -1));
  IrValue *latest = ir_reduce(b, IR_REDUCE_MAX, candidates, (int8_t[]){1}, 1);
  IrValue *at = ir_binary(b, IR_MAX, latest, zero);
  IrValue *missing = ir_binary(b, IR_SUB, ts, ir_gather(b, steps[STEP_END], at, 0, 0));
  *there = ir_binary(b, IR_AND, ir_binary(b, IR_GE, latest, zero),
                     ir_binary(b, IR_LE, missing, nothing));
  return at;
}

/* A first axis of v becomes that of the level. */
static Tr entered(Solver *s, IrValue *v, Level *level) { return tr_enter(s->t, own(v), level); }

/* Steps, until enough are stacked or the end is there; then the solution where they lead. */
static int trace_steps(Solver *s, IrValue **stacks) {
  Tracer *t = s->t;
  IrValue *steps[STEP_PARTS], *there;
  (void)stacks;
  run_loop(s, false, ir_i64(t->b, STACKED_STEPS), trace_trip, steps);
  IrValue *at = step_of_time(s, steps, &there), *ts = s->values[ODE_TIMES];
  Level *level = level_product(t, NULL, ir_dim(t->b, ts, 0));
  SVal args[1 + STEP_PARTS] = {real(s, entered(s, ts, level))};
  for (int k = 0; k < STEP_PARTS; k++) {
    Tr part = entered(s, ir_gather(t->b, steps[k], at, 0, 0), level);
    args[1 + k] = k == STEP_DATA ? matrix(s, part) : real(s, part);
  }
  t->level = level;
  SVal r = call(s, s->o->method->at, args, 1 + STEP_PARTS);
  r = leave_mapped(t, r, NULL, type_simple(t->arena, T_MATRIX, 1));
  t->level = NULL;
  IrValue *chosen = ir_unsqueeze(t->b, ir_unsqueeze(t->b, there, 1), 2);
  s->solution.value = ir_select(t->b, chosen, r.tr.value, s->solution.value);
  return 0;
}

/* ---- the solver ---- */

static IrFunction *derive_solver(IrFunction *f, int k, void *context);
static IrFunction *derive_root(IrFunction *f, int k, void *context);

/* The state at the start, from z. */
static void start(Solver *s, IrValue *z) {
  SVal args[] = {real(s, own(s->values[ODE_START])), matrix(s, own(z)), times(s),
                 real(s, own(s->values[ODE_RELATIVE])), real(s, own(s->values[ODE_ABSOLUTE]))};
  s->state = call(s, s->o->method->start, args, 5);
  for (int k = 0; k < s->state.type->member_count; k++)
    s->state.members[k].tr = as_real(s->t, s->state.members[k].tr);
}

static void trace_solution(Solver *s, IrValue **results) {
  IrBuilder *b = s->t->b;
  IrValue *ts = s->values[ODE_TIMES], *t0 = s->values[ODE_START], *zero = ir_i64(b, 0);
  IrValue *z = ode_initial(s->o, b, s->values), *one = ir_i64(b, 1);
  IrValue *dims[3] = {ir_dim(b, ts, 0), ir_dim(b, z, 0), ir_dim(b, z, 1)};
  IrValue *all[2] = {ir_unsqueeze(b, t0, 0), ts}, *initial = ir_broadcast(b, z, dims, 3);
  s->last = ir_reduce_all(b, IR_REDUCE_MAX, ir_concat(b, all, 2, 0));
  s->solution = own(initial);
  start(s, z);
  run_loop(s, true, NULL, trace_steps, NULL);
  IrValue *solution = s->solution.value, *states = ir_slice(b, solution, 2, zero, one);
  IrValue *lost = ir_reduce_all(b, IR_REDUCE_ANY, ir_unary(b, IR_ISNAN, states));
  IrValue *solved =
      ir_binary(b, IR_AND, ir_binary(b, IR_EQ, left(s), ir_f64(b, 0)), ir_unary(b, IR_NOT, lost));
  /* where a branch is not taken, what is not finite would reach a gradient times zero */
  solution = ir_select(b, solved, solution, initial);
  results[0] = ir_squeeze(b, ir_slice(b, solution, 2, zero, one), 2);
  results[1] = ir_slice(b, solution, 2, one, ir_binary(b, IR_SUB, dims[2], one));
  results[2] = solved;
}

/* Begins the function of a solver; what was being traced goes on once *s->t is restored. */
static Tracer begin_solver(Solver *s, OdeSystem *system, Frame *frame, const char *name) {
  const Ode *o = s->o;
  Tracer *t = s->t;
  IrBuilder *b = ir_function_begin(t->module, NULL, name);
  s->values = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count);
  *system = (OdeSystem){.system = o->system,
                        .jacobian = o->jacobian,
                        .rest = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count)};
  *frame = (Frame){.is_library = true};
  Tracer before = trace_apart(t, b, frame);
  t->in_library = t->unchecked = true;
  t->system = system;
  ode_params(o, b, 0, s->values);
  system->rest_count = ode_rest(o, s->values, system->rest);
  return before;
}

static IrFunction *end_solver(Solver *s, Tracer before, IrValue **results,
                              IrFunction *(*derivative)(IrFunction *, int, void *)) {
  IrFunction *f = trace_apart_end(s->t, before, results, 3);
  f->derivative = derivative;
  f->context = (void *)s->o;
  return f;
}

IrFunction *ode_solver(Ode *o) {
  Solver s = {.o = o, .t = o->t};
  OdeSystem system;
  Frame frame;
  IrValue *results[3];
  Tracer before = begin_solver(&s, &system, &frame, "ode");
  trace_solution(&s, results);
  return end_solver(&s, before, results, derive_solver);
}

/* ---- roots ---- */

static int trace_root_trip(Solver *s, IrValue **stacks) {
  (void)stacks;
  s->state = trip(s).members[TRIP_STATE];
  return 0;
}

IrFunction *root_solver(Ode *o) {
  Solver s = {.o = o, .t = o->t};
  OdeSystem system;
  Frame frame;
  IrValue *results[3];
  Tracer before = begin_solver(&s, &system, &frame, "root");
  IrBuilder *b = s.t->b;
  IrValue *guess = ir_unsqueeze(b, s.values[ODE_STATE], 1);
  s.last = ir_f64(b, 1);
  start(&s, guess);
  run_loop(&s, false, NULL, trace_root_trip, NULL);
  IrValue *solved = ir_binary(b, IR_EQ, left(&s), ir_f64(b, 0)),
          *root = ir_select(b, solved, s.state.members[0].tr.value, guess);
  SVal at[] = {real(&s, tr_real(s.t, 0)), matrix(&s, own(root))}, jacobian[1];
  jacobian[0] = call(&s, "ode_jacobian", at, 2);
  IrValue *inverse = call(&s, "inverse", jacobian, 1).tr.value;
  results[0] = ir_squeeze(b, root, 1);
  /* where a branch is not taken, what is not finite would reach a gradient times zero */
  results[1] = ir_select(b, solved, inverse, ir_f64(b, 0));
  results[2] = solved;
  return end_solver(&s, before, results, derive_root);
}

/* ---- their derivatives ---- */

static IrValue *like(IrBuilder *b, IrValue *flat, IrValue *v) {
  IrValue *dims[IR_MAX_RANK];
  for (int a = 0; a < v->type.rank; a++) dims[a] = ir_dim(b, v, a);
  return ir_reshape(b, flat, dims, v->type.rank);
}

/* The next elements of a vector of cotangents, as many as v has and in its shape. */
static IrValue *take(IrBuilder *b, IrValue *all, IrValue **at, IrValue *v) {
  IrValue *n = ode_element_count(b, v);
  IrValue *part = ir_slice(b, all, 0, *at, n);
  *at = ir_binary(b, IR_ADD, *at, n);
  return like(b, part, v);
}

/* The rates at a time and a state, or of several (`batched`), summed over the states with weights.
 */
static IrValue *weighted_rates(const Ode *o, IrBuilder *b, IrValue *const *values, IrValue *time,
                               IrValue *y, IrValue *weights, bool batched) {
  int params = o->rates->param_count;
  IrValue **args = ARENA_ARRAY(o->arena, IrValue *, (size_t)params), *rates;
  bool *which = ARENA_ARRAY(o->arena, bool, (size_t)params), result;
  args[0] = time;
  args[1] = y;
  which[0] = which[1] = batched;
  ode_rest(o, values, args + 2);
  ir_call_batched(b, o->rates, args, params, which, 1, &rates, &result);
  return ir_reduce(b, IR_REDUCE_SUM, ir_binary(b, IR_MUL, weights, rates),
                   (int8_t[]){batched ? 1 : 0}, 1);
}

/* The last parameters of a derivative: results of f, cotangents of the two that are real. */
static void given_values(const IrFunction *f, IrBuilder *b, IrValue **given) {
  const int of_result[] = {0, 1, 2, 0, 1};
  for (int j = 0; j < 5; j++) given[j] = ir_param(b, f->results[of_result[j]]->type, NULL);
}

/* Cotangents of all real parameters, of which some may be NULL. */
static IrFunction *end_derivative(const Ode *o, IrBuilder *b, IrValue *const *values,
                                  IrValue **cotangents) {
  int count = 0;
  for (int j = 0; j < o->input_count; j++) {
    if (o->inputs[j].constant || values[j]->type.dtype != IR_F64) continue;
    IrValue *zero = ir_broadcast_like(b, ir_f64(b, 0), values[j]);
    cotangents[count++] = cotangents[j] ? cotangents[j] : zero;
  }
  return ir_function_end(b, cotangents, NULL, count);
}

/* Cotangents of the inputs, from those of the states g: of parameters and the initial state by the
 * sensitivities, of a time of output by the rates there, of the initial time by those of the
 * initial state, which would be elsewhere had it begun later. */
static IrFunction *derive_solver(IrFunction *f, int k, void *context) {
  const Ode *o = context;
  if (k >= 0) return NULL;
  IrBuilder *b = ir_function_begin(f->module, NULL, "ode_vjp");
  size_t room = (size_t)o->input_count;
  IrValue **values = ARENA_ARRAY(o->arena, IrValue *, room),
          **cotangents = ARENA_ARRAY(o->arena, IrValue *, room), *given[5];
  ode_params(o, b, 0, values);
  given_values(f, b, given);
  IrValue *g = given[3], *at = ir_i64(b, 0);
  IrValue *products = ir_binary(b, IR_MUL, ir_unsqueeze(b, g, 2), given[1]);
  IrValue *all = ir_reduce(b, IR_REDUCE_SUM, products, (int8_t[]){0, 1}, 2);
  for (int j = 0; j < o->input_count; j++)
    if (o->inputs[j].sensitive && j != ODE_START && j != ODE_TIMES)
      cotangents[j] = take(b, all, &at, values[j]);
  if (o->inputs[ODE_START].sensitive)
    cotangents[ODE_START] =
        ir_unary(b, IR_NEG,
                 weighted_rates(o, b, values, values[ODE_START], values[ODE_STATE],
                                cotangents[ODE_STATE], false));
  if (o->inputs[ODE_TIMES].sensitive)
    cotangents[ODE_TIMES] = weighted_rates(o, b, values, values[ODE_TIMES], given[0], g, true);
  return end_derivative(o, b, values, cotangents);
}

/* From a root x of f(x, p), dx = -J^-1 df/dp dp: the cotangent of f is -J^-T g. */
static IrFunction *derive_root(IrFunction *f, int k, void *context) {
  const Ode *o = context;
  if (k >= 0) return NULL;
  IrBuilder *b = ir_function_begin(f->module, NULL, "root_vjp");
  size_t room = (size_t)o->input_count + 3;
  IrValue **values = ARENA_ARRAY(o->arena, IrValue *, room),
          **cotangents = ARENA_ARRAY(o->arena, IrValue *, room),
          **args = ARENA_ARRAY(o->arena, IrValue *, room),
          **results = ARENA_ARRAY(o->arena, IrValue *, room), *given[5];
  bool *wrt = ARENA_ARRAY(o->arena, bool, room);
  ode_params(o, b, 0, values);
  given_values(f, b, given);
  int count = 2 + ode_rest(o, values, args + 2), next = 1;
  for (int j = ODE_FIXED, p = 2; j < o->input_count; j++)
    if (!o->inputs[j].constant) wrt[p++] = o->inputs[j].sensitive;
  args[0] = ir_f64(b, 0);
  args[1] = given[0];
  IrValue *g = ir_matmul(b, ir_unsqueeze(b, given[3], 0), given[1]);
  args[count++] = ir_unary(b, IR_NEG, ir_squeeze(b, g, 0));
  ir_inline(b, ir_vjp(o->rates, wrt), args, results);
  for (int j = ODE_FIXED; j < o->input_count; j++)
    if (o->inputs[j].sensitive) cotangents[j] = results[next++];
  return end_derivative(o, b, values, cotangents);
}
