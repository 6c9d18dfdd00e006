/* Calls of the solvers of ordinary differential equations and of systems of equations. */
#include "lower/ode.h"

#include "lower/call.h"

#include <math.h>
#include <string.h>

/* ---- the solvers of Stan's library ---- */

static const OdeMethod dormand_prince = {"dormand_prince_start", "dormand_prince_trip",
                                         "dormand_prince_at", false};
static const OdeMethod cash_karp = {"cash_karp_start", "cash_karp_trip", "cash_karp_at", false};
static const OdeMethod radau = {"radau_start", "radau_trip", "radau_at", true};
static const OdeMethod newton = {"newton_start", "newton_trip", NULL, true};

/* Where the arguments after the function's state (and the times) are, of which tolerances may be
 * missing. For roots the relative tolerance is what Stan scales steps or compares them with. */
typedef struct {
  const char *name;
  const OdeMethod *method;
  int relative, absolute, steps; /* 0: the default */
  int rest;                      /* the arguments of the right-hand side; old: three of them, and
                                    tolerances behind */
  bool old;
  double tolerance, max_steps;
} OdeFunction;

static const OdeFunction functions[] = {
    {"ode_rk45", &dormand_prince, 0, 0, 0, 4, false, 1e-6, 1e6},
    {"ode_rk45_tol", &dormand_prince, 4, 5, 6, 7, false, 0, 0},
    {"ode_ckrk", &cash_karp, 0, 0, 0, 4, false, 1e-6, 1e6},
    {"ode_ckrk_tol", &cash_karp, 4, 5, 6, 7, false, 0, 0},
    {"ode_adams", &radau, 0, 0, 0, 4, false, 1e-10, 1e8},
    {"ode_adams_tol", &radau, 4, 5, 6, 7, false, 0, 0},
    {"ode_bdf", &radau, 0, 0, 0, 4, false, 1e-10, 1e8},
    {"ode_bdf_tol", &radau, 4, 5, 6, 7, false, 0, 0},
    {"ode_adjoint_tol_ctl", &radau, 4, 5, 10, 15, false, 0, 0},
    {"integrate_ode_adams", &radau, 7, 8, 9, 4, true, 1e-10, 1e8},
    {"integrate_ode_bdf", &radau, 7, 8, 9, 4, true, 1e-10, 1e8},
    {"solve_newton", &newton, 0, 0, 0, 2, false, 1e-6, 200},
    {"solve_newton_tol", &newton, 2, 3, 4, 5, false, 0, 0},
    {"solve_powell", &newton, 0, 0, 0, 2, false, 1e-6, 200},
    {"solve_powell_tol", &newton, 2, 3, 4, 5, false, 0, 0},
    {"algebra_solver", &newton, 5, 6, 7, 2, true, 1e-6, 200},
    {"algebra_solver_newton", &newton, 5, 6, 7, 2, true, 1e-6, 200},
    {"integrate_ode", &dormand_prince, 7, 8, 9, 4, true, 1e-6, 1e6},
    {"integrate_ode_rk45", &dormand_prince, 7, 8, 9, 4, true, 1e-6, 1e6},
};

static const OdeFunction *find_solver(const char *name) {
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
    if (!strcmp(functions[k].name, name)) return &functions[k];
  return NULL;
}

bool is_ode_solver(const char *name) { return find_solver(name) != NULL; }

/* ---- arguments ---- */

static OdeInput ode_input(Tracer *t, Tr v, bool autodiff) {
  OdeInput in = {.value = v};
  in.sensitive = t->gradients && v.value->type.dtype == IR_F64 && (autodiff || v.varying);
  in.constant = !in.sensitive && !v.level && v.value->constant;
  return in;
}

static void add_inputs(Ode *o, SVal v, size_t *capacity) {
  if (v.type->base == T_TUPLE) {
    for (int k = 0; k < v.type->member_count; k++) add_inputs(o, v.members[k], capacity);
    return;
  }
  size_t count = (size_t)o->input_count;
  ARENA_PUSH(o->arena, o->inputs, count, *capacity, ode_input(o->t, v.tr, v.autodiff));
  o->input_count = (int)count;
}

static Tr tolerance(Tracer *t, const SVal *args, int at, double otherwise) {
  if (!at) return tr_real(t, otherwise);
  Tr v = as_real(t, args[at].tr);
  return tr_rank(v) ? tr_reduce_all(t, IR_REDUCE_MIN, v) : v;
}

/* State, initial time and times of output. */
static void add_leading(Ode *o, const SVal *args, size_t *capacity) {
  Tracer *t = o->t;
  Tr one = tr_int(t, 1);
  Tr v[] = {args[1].tr, tr_real(t, 0), tr_broadcast(t, tr_real(t, 1), 1, &one)};
  bool autodiff[3] = {false};
  for (int k = 0; k < 3 && !o->at_rest; k++) {
    v[k] = args[1 + k].tr;
    autodiff[k] = args[1 + k].autodiff;
  }
  const StanType *real = type_simple(o->arena, T_REAL, 0);
  for (int k = 0; k < 3; k++) add_inputs(o, sval(real, as_real(t, v[k]), autodiff[k]), capacity);
  if (o->at_rest) o->inputs[ODE_STATE].sensitive = false; /* where it began does not matter */
  o->inputs[ODE_STATE].sensitive |= o->inputs[ODE_START].sensitive;
  o->inputs[ODE_STATE].constant &= !o->inputs[ODE_STATE].sensitive;
}

static void read_arguments(Ode *o, const OdeFunction *solver, const Expr *e) {
  Tracer *t = o->t;
  SVal *args = ARENA_ARRAY(o->arena, SVal, (size_t)e->arg_count);
  OdeFunction form = *solver;
  size_t capacity = 0;
  int rest_end = form.old ? form.rest + 3 : e->arg_count, lead = o->at_rest ? 1 : 2;
  for (int k = 1; k < e->arg_count; k++) args[k] = trace_expr(t, e->args[k]);
  if (form.old && e->arg_count <= form.relative) form.relative = form.absolute = form.steps = 0;
  add_leading(o, args, &capacity);
  const StanType *real = type_simple(o->arena, T_REAL, 0);
  const Tr control[] = {tolerance(t, args, form.relative, form.tolerance),
                        tolerance(t, args, form.absolute, form.tolerance),
                        tolerance(t, args, form.steps, form.max_steps)};
  for (int k = 0; k < 3; k++) {
    add_inputs(o, sval(real, control[k], false), &capacity);
    o->inputs[ODE_RELATIVE + k].sensitive = false;
  }
  o->rest_count = rest_end - form.rest;
  o->rest = args + form.rest;
  for (int k = 0; k < o->rest_count; k++) {
    o->rest[k] = promote(t, o->rest[k], o->f->args[lead + k]->type);
    add_inputs(o, o->rest[k], &capacity);
  }
  for (int k = 0; k < o->input_count; k++) o->differentiated |= o->inputs[k].sensitive;
}

/* ---- what Stan throws on ---- */

static void check_word(Tracer *t, const char *word, Tr x) {
  Tr bad = broken_word(t, word, x);
  if (bad.value) trace_throw(t, bad);
}

static void check_not_empty(Tracer *t, Tr x) {
  trace_throw(t, tr_binary(t, IR_EQ, tr_dim_value(t, x, 0), tr_int(t, 0)));
}

static void check_times(Tracer *t, Tr t0, Tr ts) {
  Tr zero = tr_int(t, 0), count = tr_dim_value(t, ts, 0);
  Tr n = tr_binary(t, IR_MAX, tr_binary(t, IR_SUB, count, tr_int(t, 1)), zero);
  Tr earlier = tr_slice(t, ts, 0, zero, n),
     later = tr_slice(t, ts, 0, tr_binary(t, IR_SUB, count, n), n);
  trace_throw(t, tr_reduce_all(t, IR_REDUCE_ANY, tr_binary(t, IR_LT, later, earlier)));
  trace_throw(t, tr_reduce_all(t, IR_REDUCE_ANY, tr_binary(t, IR_LE, ts, t0)));
}

static void check_inputs(Ode *o) {
  Tracer *t = o->t;
  const char *tolerances = o->at_rest ? "nonnegative" : "positive_finite";
  check_word(t, "finite", o->inputs[ODE_STATE].value);
  check_not_empty(t, o->inputs[ODE_STATE].value);
  check_word(t, tolerances, o->inputs[ODE_RELATIVE].value);
  check_word(t, tolerances, o->inputs[ODE_ABSOLUTE].value);
  check_word(t, "positive", o->inputs[ODE_STEPS].value);
  if (o->at_rest) return;
  Tr t0 = o->inputs[ODE_START].value, ts = o->inputs[ODE_TIMES].value;
  check_word(t, "finite", t0);
  check_word(t, "finite", ts);
  check_not_empty(t, ts);
  check_times(t, t0, ts);
  for (int k = ODE_FIXED; k < o->input_count; k++)
    if (o->inputs[k].value.value->type.dtype == IR_F64) check_word(t, "finite", o->inputs[k].value);
}

/* ---- the call ---- */

static SVal call_solver(Ode *o, const StanType *type) {
  Tracer *t = o->t;
  IrFunction *solver = o->at_rest ? root_solver(o) : ode_solver(o);
  int count = 0;
  IrValue **in = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count), *out[3];
  bool *batched = ARENA_ARRAY(o->arena, bool, (size_t)o->input_count), result_batched[3] = {0};
  bool varying = false;
  Level *level = NULL;
  for (int k = 0; k < o->input_count; k++) {
    level = level_deeper(level, o->inputs[k].value.level);
    varying |= o->inputs[k].value.varying;
  }
  for (int k = 0; k < o->input_count; k++) {
    if (o->inputs[k].constant) continue;
    Tr v = tr_lift(t, o->inputs[k].value, level);
    in[count] = v.value;
    batched[count++] = v.level != NULL;
  }
  if (level)
    ir_call_batched(t->b, solver, in, count, batched, level->depth, out, result_batched);
  else
    ir_call(t->b, solver, in, count, out);
  Tr solved = {out[2], result_batched[2] ? level : NULL, varying};
  trace_throw(t, tr_not(t, solved));
  return sval(type, (Tr){out[0], result_batched[0] ? level : NULL, varying}, o->differentiated);
}

/* Zeros, where Stan throws whatever the parameters. */
static SVal no_solution(Ode *o, const StanType *type) {
  Tracer *t = o->t;
  Tr dims[2] = {tr_dim_value(t, o->inputs[ODE_TIMES].value, 0),
                tr_dim_value(t, o->inputs[ODE_STATE].value, 0)};
  return sval(type, tr_broadcast(t, tr_real(t, 0), 2 - o->at_rest, dims + o->at_rest), false);
}

SVal trace_ode(Tracer *t, const Expr *e) {
  const OdeFunction *solver = find_solver(e->name);
  const Expr *f = e->args[0];
  if (f->kind != E_VARIABLE || !f->function)
    trace_unsupported(t, e->span, "this form of '%s'", e->name);
  Ode *o = ARENA_NEW(t->arena, Ode);
  *o = (Ode){.t = t, .arena = t->arena, .method = solver->method};
  o->at_rest = !solver->method->at;
  o->f = f->function->definition ? f->function->definition : f->function;
  bool valid;
  const IrScope *scope = enter_library_scope(t, e->name);
  read_arguments(o, solver, e);
  check_inputs(o);
  SVal r;
  if (tr_known_bool(t->accumulators[ACC_VALID], &valid) && !valid) {
    r = no_solution(o, e->type);
  } else {
    ode_trace_system(o);
    r = call_solver(o, e->type);
  }
  ir_set_scope(t->b, scope);
  return r;
}
