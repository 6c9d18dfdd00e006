/* The right-hand side of a differential equation as a function, and the system of it and its
 * sensitivities, whose Jacobians come from reverse mode: one cotangent for each state, together. */
#include "lower/ode.h"

#include <math.h>
#include <string.h>

/* ---- inputs ---- */

void ode_params(const Ode *o, IrBuilder *b, int first, IrValue **values) {
  for (int k = first; k < o->input_count; k++) {
    const OdeInput *in = &o->inputs[k];
    IrType type = in->value.value->type;
    int depth = in->value.level ? in->value.level->depth : 0;
    type.rank -= depth;
    for (int a = 0; a < IR_MAX_RANK; a++)
      type.dim[a] = a < type.rank ? in->value.value->type.dim[a + depth] : 0;
    if (in->constant) {
      values[k] = ir_constant(b, in->value.value->constant);
    } else {
      values[k] = ir_param(b, type, NULL);
      ir_assume(values[k], in->value.value->facts);
    }
  }
}

int ode_rest(const Ode *o, IrValue *const *values, IrValue **rest) {
  int count = 0;
  for (int k = ODE_FIXED; k < o->input_count; k++)
    if (!o->inputs[k].constant) rest[count++] = values[k];
  return count;
}

/* ---- the right-hand side ---- */

/* An argument inside the function, given the values of the tensors in order. */
static SVal inner_argument(const Ode *o, SVal v, IrValue *const *values, int *next) {
  if (v.type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(o->arena, SVal, (size_t)v.type->member_count);
    for (int k = 0; k < v.type->member_count; k++)
      members[k] = inner_argument(o, v.members[k], values, next);
    v.members = members;
  } else {
    v.tr.value = values[(*next)++];
    v.tr.level = NULL;
  }
  return v;
}

/* Where the function throws, the rates are no numbers: that ends the solver. */
static Tr unless_thrown(Tracer *t, Tr rates) {
  bool valid;
  if (tr_known_bool(t->accumulators[ACC_VALID], &valid) && valid) return rates;
  return tr_select(t, t->accumulators[ACC_VALID], rates, tr_real(t, NAN));
}

static IrFunction *trace_rates(Ode *o) {
  Tracer *t = o->t;
  Frame frame = {.function = o->f};
  IrValue **values = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count);
  SVal *args = ARENA_ARRAY(o->arena, SVal, (size_t)o->rest_count + 2);
  IrBuilder *b = ir_function_begin(t->module, NULL, o->f->name);
  Tracer before = trace_apart(t, b, &frame);
  IrType state = ir_type(IR_F64, 1, (int64_t[]){tr_static_dim(o->inputs[ODE_STATE].value, 0)});
  Tr time = {ir_param(b, ir_scalar(IR_F64), "t"), NULL, true},
     y = {ir_param(b, state, "y"), NULL, true};
  int count = 0;
  if (!o->at_rest) {
    args[count] = sval(o->f->args[count]->type, time, false);
    count++;
  }
  args[count] = sval(o->f->args[count]->type, y, true);
  count++;
  ode_params(o, b, ODE_FIXED, values);
  for (int k = 0, next = ODE_FIXED; k < o->rest_count; k++)
    args[count++] = inner_argument(o, o->rest[k], values, &next);
  SVal r = call_user(t, o->f, args, count, false);
  int64_t n = tr_static_dim(r.tr, 0);
  if (n != IR_DYNAMIC && state.dim[0] != IR_DYNAMIC && n != state.dim[0]) {
    Tr size = tr_dim_value(t, y, 0); /* Stan throws */
    r.tr = tr_broadcast(t, tr_real(t, NAN), 1, &size);
  }
  IrValue *result = unless_thrown(t, as_real(t, r.tr)).value;
  return trace_apart_end(t, before, &result, 1);
}

/* ---- with sensitivities ---- */

static IrValue *identity(IrBuilder *b, IrValue *n) {
  IrValue *at = ir_iota(b, n);
  IrValue *equal = ir_binary(b, IR_EQ, ir_unsqueeze(b, at, 1), ir_unsqueeze(b, at, 0));
  return ir_cast(b, equal, IR_F64);
}

static IrValue *zeros(IrBuilder *b, IrValue *const *dims, int rank) {
  return ir_broadcast(b, ir_f64(b, 0), dims, rank);
}

IrValue *ode_element_count(IrBuilder *b, IrValue *v) {
  IrValue *n = ir_i64(b, 1);
  for (int a = 0; a < v->type.rank; a++) n = ir_binary(b, IR_MUL, n, ir_dim(b, v, a));
  return n;
}

IrValue *ode_initial(const Ode *o, IrBuilder *b, IrValue *const *values) {
  IrValue *y = values[ODE_STATE], *n = ir_dim(b, y, 0);
  IrValue **parts = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count + 1);
  int count = 0;
  parts[count++] = ir_unsqueeze(b, y, 1);
  if (o->inputs[ODE_STATE].sensitive) parts[count++] = identity(b, n);
  for (int k = ODE_FIXED; k < o->input_count; k++)
    if (o->inputs[k].sensitive)
      parts[count++] = zeros(b, (IrValue *[]){n, ode_element_count(b, values[k])}, 2);
  return ir_concat(b, parts, count, 1);
}

/* The rates of the states with their Jacobian. */
typedef struct {
  IrValue *by_state; /* [N, N] */
  IrValue *own;      /* [N, M]: the rates, zeros for initial states, by each sensitive input */
} Jacobian;

/* Which parameters of the rates are differentiated: the state, and sensitive inputs. */
static bool *differentiated_params(const Ode *o) {
  bool *wrt = ARENA_ARRAY(o->arena, bool, (size_t)o->rates->param_count);
  int count = 1;
  wrt[count++] = true;
  for (int k = ODE_FIXED; k < o->input_count; k++)
    if (!o->inputs[k].constant) wrt[count++] = o->inputs[k].sensitive;
  return wrt;
}

/* The rate of one state. */
static IrFunction *one_rate(const Ode *o, int64_t state) {
  const IrFunction *f = o->rates;
  IrBuilder *b = ir_function_begin(o->t->module, NULL, "rate");
  IrValue **params = ARENA_ARRAY(o->arena, IrValue *, (size_t)f->param_count), *rates;
  for (int k = 0; k < f->param_count; k++) {
    params[k] = ir_param(b, f->params[k]->type, NULL);
    ir_assume(params[k], f->params[k]->facts);
  }
  ir_inline(b, f, params, &rates);
  rates = ir_squeeze(b, ir_slice(b, rates, 0, ir_i64(b, state), ir_i64(b, 1)), 0);
  return ir_function_end(b, &rates, NULL, 1);
}

static IrValue *flat(IrBuilder *b, IrValue *v) {
  IrValue *n = ode_element_count(b, v);
  return v->type.rank == 1 ? v : ir_reshape(b, v, &n, 1);
}

/* Row by row, so that what a rate does not depend on costs nothing, and as one list of numbers. */
static Jacobian few_rows(const Ode *o, IrBuilder *b, IrValue *const *args, int n) {
  const bool *wrt = differentiated_params(o);
  size_t room = (size_t)o->rates->param_count + 2;
  IrValue **row = ARENA_ARRAY(o->arena, IrValue *, room),
          **by_state = ARENA_ARRAY(o->arena, IrValue *, (size_t)n),
          **own = ARENA_ARRAY(o->arena, IrValue *, room * (size_t)n), *states = ir_i64(b, n);
  int count = 0;
  for (int state = 0; state < n; state++) {
    IrFunction *f = ir_grad(one_rate(o, state), 0, wrt);
    ir_inline(b, f, args, row);
    own[count++] = ir_unsqueeze(b, row[0], 0);
    by_state[state] = row[1];
    if (o->inputs[ODE_STATE].sensitive) own[count++] = zeros(b, &states, 1);
    for (int k = 2; k < f->result_count; k++) own[count++] = flat(b, row[k]);
  }
  IrValue *all = ir_concat(b, own, count, 0),
          *width = ir_binary(b, IR_DIV, ir_dim(b, all, 0), states);
  return (Jacobian){ir_reshape(b, ir_concat(b, by_state, n, 0), (IrValue *[]){states, states}, 2),
                    ir_reshape(b, all, (IrValue *[]){states, width}, 2)};
}

/* All rows together: a batch of cotangents, as many nodes whatever the number of states. args has
 * room for one more. */
static Jacobian all_rows(const Ode *o, IrBuilder *b, IrValue **args) {
  const IrFunction *f = o->rates;
  size_t room = (size_t)f->param_count + 2;
  bool *batched = ARENA_ARRAY(o->arena, bool, room),
       *result_batched = ARENA_ARRAY(o->arena, bool, room);
  IrValue **results = ARENA_ARRAY(o->arena, IrValue *, room),
          **own = ARENA_ARRAY(o->arena, IrValue *, room), *n = ir_dim(b, args[1], 0);
  int count = 0;
  args[f->param_count] = identity(b, n);
  batched[f->param_count] = true;
  IrFunction *reverse = ir_vmap(ir_vjp(o->rates, differentiated_params(o)), batched, 1,
                                &f->params[1]->type.dim[0], false, result_batched);
  ir_inline(b, reverse, args, results);
  for (int k = 1; k < reverse->result_count; k++) {
    IrValue *dims[IR_MAX_RANK] = {n};
    int rank = results[k]->type.rank;
    for (int a = 0; a < rank; a++) dims[1 + a] = ir_dim(b, results[k], a);
    if (!result_batched[k]) /* the same for all states */
      results[k] = ir_broadcast(b, results[k], dims, rank + 1);
  }
  own[count++] = ir_unsqueeze(b, results[0], 1);
  if (o->inputs[ODE_STATE].sensitive) own[count++] = zeros(b, (IrValue *[]){n, n}, 2);
  for (int k = 2; k < reverse->result_count; k++) {
    IrValue *size = ir_binary(b, IR_DIV, ode_element_count(b, results[k]), n);
    own[count++] = ir_reshape(b, results[k], (IrValue *[]){n, size}, 2);
  }
  return (Jacobian){results[1], ir_concat(b, own, count, 1)};
}

/* A function of (time, z, rest...). */
typedef struct {
  IrBuilder *b;
  IrValue *z, **args; /* those of the rates, with room for one more */
} SystemParams;

static SystemParams system_params(const Ode *o, const char *name) {
  SystemParams p = {.b = ir_function_begin(o->t->module, NULL, name)};
  IrType type = ir_type(IR_F64, 2, (int64_t[]){o->rates->params[1]->type.dim[0], IR_DYNAMIC});
  IrValue **values = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count);
  p.args = ARENA_ARRAY(o->arena, IrValue *, (size_t)o->input_count + 3);
  p.args[0] = ir_param(p.b, ir_scalar(IR_F64), "t");
  p.z = ir_param(p.b, type, "z");
  ode_params(o, p.b, ODE_FIXED, values);
  p.args[1] = ir_squeeze(p.b, ir_slice(p.b, p.z, 1, ir_i64(p.b, 0), ir_i64(p.b, 1)), 1);
  ode_rest(o, values, p.args + 2);
  return p;
}

static Jacobian rates_jacobian(const Ode *o, const SystemParams *p) {
  enum { FEW = 6 };
  int64_t states = o->rates->params[1]->type.dim[0];
  return states >= 1 && states <= FEW ? few_rows(o, p->b, p->args, (int)states)
                                      : all_rows(o, p->b, p->args);
}

/* 0 for the states, 1 for each sensitivity. */
static IrValue *sensitivity_mask(IrBuilder *b, IrValue *columns) {
  return ir_cast(b, ir_binary(b, IR_GT, ir_iota(b, columns), ir_i64(b, 0)), IR_F64);
}

/* The rates of the states beside those of the sensitivities, S' = df/dy S + df/dp. */
static IrFunction *make_system(const Ode *o) {
  SystemParams p = system_params(o, "system");
  IrBuilder *b = p.b;
  IrValue *result;
  if (o->differentiated && !o->at_rest) {
    Jacobian j = rates_jacobian(o, &p);
    IrValue *s = ir_binary(b, IR_MUL, p.z, sensitivity_mask(b, ir_dim(b, p.z, 1)));
    result = ir_binary(b, IR_ADD, j.own, ir_matmul(b, j.by_state, s));
  } else {
    ir_inline(b, o->rates, p.args, &result);
    result = ir_unsqueeze(b, result, 1);
  }
  return ir_function_end(b, &result, NULL, 1);
}

static IrFunction *make_jacobian(const Ode *o) {
  SystemParams p = system_params(o, "jacobian");
  IrValue *result = rates_jacobian(o, &p).by_state;
  return ir_function_end(p.b, &result, NULL, 1);
}

void ode_trace_system(Ode *o) {
  o->rates = trace_rates(o);
  o->system = make_system(o);
  if (o->method->implicit) o->jacobian = make_jacobian(o);
}

/* ---- calls from the library ---- */

static Tr inline_system(Tracer *t, IrFunction *f, Tr time, Tr z) {
  const OdeSystem *s = t->system;
  IrValue **in = ARENA_ARRAY(t->arena, IrValue *, (size_t)s->rest_count + 2), *out;
  in[0] = time.value;
  in[1] = z.value;
  for (int k = 0; k < s->rest_count; k++) in[2 + k] = s->rest[k];
  ir_inline(t->b, f, in, &out);
  return (Tr){out, NULL, true};
}

/* At several times. */
static Tr call_system(Tracer *t, Tr times, Tr z) {
  const OdeSystem *s = t->system;
  int count = s->rest_count + 2;
  IrValue **in = ARENA_ARRAY(t->arena, IrValue *, (size_t)count), *out;
  bool *batched = ARENA_ARRAY(t->arena, bool, (size_t)count), of_all;
  IrValue *n = tr_dim(t, times, 0), *rows = tr_dim(t, z, 0), *columns = tr_dim(t, z, 1);
  IrValue *dims[] = {n, ir_binary(t->b, IR_DIV, rows, n), columns};
  in[0] = times.value;
  in[1] = ir_reshape(t->b, z.value, dims, 3);
  batched[0] = batched[1] = true;
  for (int k = 0; k < s->rest_count; k++) in[2 + k] = s->rest[k];
  ir_call_batched(t->b, s->system, in, count, batched, 1, &out, &of_all);
  return (Tr){ir_reshape(t->b, out, (IrValue *[]){rows, columns}, 2), NULL, true};
}

bool trace_system_call(Tracer *t, const char *name, SVal *args, const StanType *type,
                       SVal *result) {
  const OdeSystem *s = t->system;
  bool one = !strcmp(name, "ode_system"), several = !strcmp(name, "ode_systems");
  if (!one && !several && strcmp(name, "ode_jacobian")) return false;
  Tr time = args[0].tr, z = args[1].tr;
  Tr r =
      several ? call_system(t, time, z) : inline_system(t, one ? s->system : s->jacobian, time, z);
  *result = sval(type, r, true);
  return true;
}
