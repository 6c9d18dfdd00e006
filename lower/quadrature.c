/* Integrals of the program's functions: the points of a quadrature rule (stdlib_map/solvers/) are a
 * level, at which the function is traced once. The sum is differentiated like any other; but the
 * limits are held, and what is due to them is added. */
#include "lower/call.h"
#include "lower/ode.h"

#include <math.h>
#include <string.h>

/* Where the arguments after the limits are: the integrand's own, and the relative tolerance, which
 * may be missing (0). old: three of the integrand's, the tolerance behind them. */
static const struct {
  const char *name;
  int tolerance, rest;
  bool old;
} functions[] = {{"integrate_1d", 6, 3, true},
                 {"integrate_1d_double_exponential", 0, 3, false},
                 {"integrate_1d_double_exponential_tol", 3, 6, false},
                 {"integrate_1d_gauss_kronrod", 0, 3, false},
                 {"integrate_1d_gauss_kronrod_tol", 3, 6, false}};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static int find_function(const char *name) {
  int k = 0;
  while (k < FUNCTIONS && strcmp(functions[k].name, name)) k++;
  return k;
}

bool is_quadrature(const char *name) { return find_function(name) < FUNCTIONS; }

static Tr absolute(Tracer *t, Tr x) { return tr_unary(t, IR_ABS, x); }

static Tr summed(Tracer *t, Tr x, Level *outer) {
  return tr_fold(t, IR_REDUCE_SUM, x, t->level, outer);
}

/* The values of the integrand at the points of the current level. */
static Tr trace_integrand(Tracer *t, const FunDef *f, Tr x, Tr distance, SVal *rest, int count) {
  SVal *args = ARENA_ARRAY(t->arena, SVal, (size_t)count + 2);
  args[0] = sval(f->args[0]->type, x, false);
  args[1] = sval(f->args[1]->type, distance, false);
  for (int k = 0; k < count; k++) args[2 + k] = rest[k];
  return as_real(t, call_user(t, f, args, count + 2, false).tr);
}

/* Stan throws where its estimate of the error exceeds the tolerance. The rule with half as many
 * points is about as good as its square root. */
static void check_error(Tracer *t, Tr value, Tr half, Tr norm, Tr tolerance) {
  Tr error = absolute(t, tr_binary(t, IR_SUB, value, half));
  Tr allowed = tr_binary(t, IR_MUL, tr_unary(t, IR_SQRT, tolerance), norm);
  trace_throw(t, tr_not(t, tr_binary(t, IR_LE, error, allowed)));
}

/* Twice every second point of both halves of a rule. */
static Tr every_second(Tracer *t, Level *level) {
  Tr k = tr_enter(t, tr_const(ir_iota(t->b, level->size)), level);
  Tr half = tr_binary(t, IR_DIV, tr_const(level->size), tr_int(t, 2));
  Tr odd = tr_binary(t, IR_MOD, tr_binary(t, IR_MOD, k, half), tr_int(t, 2));
  return tr_select(t, tr_binary(t, IR_EQ, odd, tr_int(t, 0)), tr_real(t, 2), tr_real(t, 0));
}

static SVal held(Tracer *t, SVal x, const Expr *e) {
  return x.tr.varying ? call_library(t, "held", &x, 1, x.type, e->span) : x;
}

/* 0, with the integrand at a limit as the derivative with respect to that. */
static Tr due_to_limit(Tracer *t, const FunDef *f, SVal limit, SVal held, SVal *rest, int count) {
  if (!limit.tr.varying) return tr_real(t, 0);
  Tr moved = tr_binary(t, IR_SUB, limit.tr, held.tr);
  return tr_binary(t, IR_MUL, trace_integrand(t, f, held.tr, tr_real(t, 0), rest, count), moved);
}

SVal trace_quadrature(Tracer *t, const Expr *e) {
  int form = find_function(e->name), at = functions[form].tolerance;
  const Expr *integrand = e->args[0];
  if (integrand->kind != E_VARIABLE || !integrand->function)
    trace_unsupported(t, e->span, "this form of '%s'", e->name);
  SVal *args = ARENA_ARRAY(t->arena, SVal, (size_t)e->arg_count);
  const StanType *real = type_simple(t->arena, T_REAL, 0), *vector;
  bool autodiff = false;
  for (int k = 1; k < e->arg_count; k++) {
    args[k] = trace_expr(t, e->args[k]);
    autodiff |= args[k].autodiff;
  }
  int end = functions[form].old ? functions[form].rest + 3 : e->arg_count;
  Tr tolerance = at && at < e->arg_count ? as_real(t, args[at].tr) : tr_real(t, sqrt(0x1p-52));
  SVal *rest = args + functions[form].rest, given[2], limits[2];
  int count = end - functions[form].rest;
  for (int k = 0; k < 2; k++) {
    given[k] = promote(t, args[1 + k], real);
    limits[k] = held(t, given[k], e);
  }
  trace_throw(t, tr_binary(t, IR_GT, limits[0].tr, limits[1].tr));
  vector = type_simple(t->arena, T_VECTOR, 0);
  const StanType *parts[3] = {vector, vector, vector};
  SVal points =
      call_library(t, "integration_points", limits, 2, type_tuple(t->arena, parts, 3, 0), e->span);
  Level *outer = t->level, *level = level_product(t, outer, tr_dim(t, points.members[0].tr, 0));
  Tr mask = t->mask, column[3];
  for (int k = 0; k < 3; k++) column[k] = tr_enter(t, points.members[k].tr, level);
  if (mask.value) t->mask = tr_lift(t, mask, level);
  t->level = level;
  const FunDef *function = integrand->function;
  Tr f = trace_integrand(t, function, column[0], column[1], rest, count);
  Tr product = tr_binary(t, IR_MUL, f, column[2]);
  Tr value = summed(t, product, outer), norm = summed(t, absolute(t, product), outer),
     half = summed(t, tr_binary(t, IR_MUL, product, every_second(t, level)), outer);
  t->level = outer;
  t->mask = mask;
  check_error(t, value, half, norm, tolerance);
  Tr below = due_to_limit(t, function, given[0], limits[0], rest, count),
     above = due_to_limit(t, function, given[1], limits[1], rest, count);
  value = tr_binary(t, IR_ADD, value, tr_binary(t, IR_SUB, above, below));
  return sval(real, value, autodiff);
}
