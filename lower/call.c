/* Calls as they are written in the program: the program's functions, densities, higher-order
 * functions, the rest of the library. */
#include "lower/call.h"
#include "lower/ode.h"
#include "lower/random.h"

#include <string.h>

static SVal *trace_args(Tracer *t, Expr *const *args, int count, const StanType *const *promoted) {
  SVal *v = ARENA_ARRAY(t->arena, SVal, (size_t)count + 1);
  for (int k = 0; k < count; k++) {
    v[k] = trace_expr(t, args[k]);
    if (promoted && promoted[k] && promoted[k]->base != T_FUNCTION)
      v[k] = promote(t, v[k], promoted[k]);
  }
  return v;
}

static bool has_suffix(const char *name, const char *suffix) {
  size_t n = strlen(name), m = strlen(suffix);
  return n > m && !strcmp(name + n - m, suffix);
}

static bool is_unnormalised(const char *name) {
  return has_suffix(name, "_lupdf") || has_suffix(name, "_lupmf");
}

/* normal_lupdf -> normal_lpdf */
static const char *normalised_name(Tracer *t, const char *name) {
  if (!is_unnormalised(name)) return name;
  size_t n = strlen(name);
  return arena_printf(t->arena, "%.*s_l%s", (int)(n - 6), name, name + n - 3);
}

/* Whether a _lupdf call written here drops its constants. */
static bool drops_here(Tracer *t) {
  bool in_function = t->frame->function != NULL;
  return in_function ? t->frame->drop_constants : !t->options->keep_constants;
}

SVal trace_density_call(Tracer *t, const Expr *e, bool drop_constants) {
  SVal *args = trace_args(t, e->args, e->arg_count, e->promoted);
  if (e->function && !t->in_library)
    return call_user(t, e->function, args, e->arg_count, drop_constants);
  bool autodiff = false;
  for (int k = 0; k < e->arg_count; k++) autodiff |= args[k].autodiff;
  Tr r = trace_density(t, normalised_name(t, e->name), args, e->arg_count, drop_constants, e->span);
  return sval(type_simple(t->arena, T_REAL, 0), r, autodiff);
}

/* reduce_sum(f, x, grainsize, args...) is f over all of x at once. */
static SVal trace_reduce_sum(Tracer *t, const Expr *e) {
  const Expr *f = e->args[0];
  if (e->arg_count < 3 || f->kind != E_VARIABLE || !f->function)
    trace_unsupported(t, e->span, "this form of '%s'", e->name);
  SVal *rest = trace_args(t, e->args + 1, e->arg_count - 1, NULL);
  const FunDef *g = f->function->definition ? f->function->definition : f->function;
  int count = e->arg_count;
  SVal *args = ARENA_ARRAY(t->arena, SVal, (size_t)count + 1);
  SVal *shape = &rest[0];
  while (shape->type->base == T_TUPLE) shape = &shape->members[0];
  const StanType *int_type = type_simple(t->arena, T_INT, 0);
  args[0] = rest[0];
  args[1] = sval(int_type, tr_int(t, 1), false);
  args[2] = sval(int_type, tr_dim_value(t, shape->tr, 0), false);
  for (int k = 2; k < count - 1; k++) args[k + 1] = rest[k];
  return call_user(t, g, args, count, is_unnormalised(f->name) && drops_here(t));
}

/* Library functions that take functions, or that need more than a formula, and are not here yet. */
static const char *const higher_order[] = {"map_rect", "dae", "dae_tol"};

static void refuse_solvers(Tracer *t, const Expr *e) {
  bool refused = !strncmp(e->name, "laplace_", 8);
  for (size_t k = 0; k < sizeof higher_order / sizeof *higher_order; k++)
    refused |= !strcmp(e->name, higher_order[k]);
  if (refused) trace_unsupported(t, e->span, "the solver '%s'", e->name);
}

static SVal trace_plain_call(Tracer *t, const Expr *e) {
  if (is_density_name(e->name) && (e->function || !has_suffix(e->name, "_cdf") || e->bar))
    return trace_density_call(t, e, is_unnormalised(e->name) && drops_here(t));
  if (!strcmp(e->name, "reduce_sum") || !strcmp(e->name, "reduce_sum_static"))
    return trace_reduce_sum(t, e);
  if (!e->function && is_ode_solver(e->name)) return trace_ode(t, e);
  if (!e->function && is_quadrature(e->name)) return trace_quadrature(t, e);
  if (!e->function) refuse_solvers(t, e);
  SVal *args = trace_args(t, e->args, e->arg_count, e->promoted);
  if (e->function && !t->in_library)
    return call_user(t, e->function, args, e->arg_count, t->frame->drop_constants);
  bool autodiff = false;
  for (int k = 0; k < e->arg_count; k++) autodiff |= args[k].autodiff;
  SVal v = call_library(t, e->name, args, e->arg_count, e->type, e->span);
  v.autodiff = autodiff && e->type->base != T_INT;
  return v;
}

SVal trace_call(Tracer *t, const Expr *e) {
  if (!is_random_name(e->name)) return trace_plain_call(t, e);
  uint64_t path = enter_random_call(t, e);
  SVal v = trace_plain_call(t, e);
  t->path = path;
  return v;
}

/* ---- sampling statements ---- */

/* Stan rejects outcomes beyond the truncation points. */
static void check_truncation(Tracer *t, SVal y, SVal *lower, SVal *upper) {
  Tr x = as_real(t, y.tr);
  if (lower) trace_throw(t, tr_binary(t, IR_LT, x, as_real(t, lower->tr)));
  if (upper) trace_throw(t, tr_binary(t, IR_GT, x, as_real(t, upper->tr)));
}

static Tr call_cdf(Tracer *t, const char *base, const char *suffix, SVal bound, SVal *args,
                   int count, const Stmt *s) {
  SVal *all = ARENA_ARRAY(t->arena, SVal, (size_t)count + 1);
  all[0] = bound;
  for (int k = 0; k < count; k++) all[k + 1] = args[k];
  const char *name = arena_printf(t->arena, "%s%s", base, suffix);
  const Expr *density = s->density;
  if (density->function) { /* a user's distribution has user's distribution functions */
    for (int k = 0; k < t->program->function_count; k++) {
      const FunDef *f = t->program->functions[k];
      if (f->body && f->arg_count == count + 1 && !strcmp(f->name, name)) {
        for (int j = 0; j <= count; j++) all[j] = promote(t, all[j], f->args[j]->type);
        return call_user(t, f, all, count + 1, false).tr;
      }
    }
  }
  return trace_density(t, name, all, count + 1, false, s->name_span);
}

/* The log of the probability between the truncation points. For a discrete outcome the lower point
 * itself counts. */
static Tr log_normaliser(Tracer *t, const Stmt *s, const char *base, bool discrete, SVal *lower,
                         SVal *upper, SVal *args, int count) {
  if (!lower) return call_cdf(t, base, "_lcdf", *upper, args, count, s);
  if (discrete) lower->tr = tr_binary(t, IR_SUB, as_int(t, lower->tr), tr_int(t, 1));
  if (!upper) return call_cdf(t, base, "_lccdf", *lower, args, count, s);
  const StanType *real = type_simple(t->arena, T_REAL, 0);
  SVal both[2] = {sval(real, call_cdf(t, base, "_lcdf", *upper, args, count, s), true),
                  sval(real, call_cdf(t, base, "_lcdf", *lower, args, count, s), true)};
  return call_library(t, "log_diff_exp", both, 2, real, s->span).tr;
}

/* Elementwise over the containers among the outcome and the arguments. */
static void accumulate_truncation(Tracer *t, const Stmt *s, SVal y, SVal *args, int count,
                                  SVal *bounds[2]) {
  const char *name = s->density->name;
  size_t n = strlen(name);
  const char *base = arena_strndup(t->arena, name, n - 5);
  Level *outer = t->level, *level = NULL;
  Tr mask = t->mask;
  SVal *all[IR_MAX_RANK + 3];
  int total = 0;
  all[total++] = &y;
  for (int k = 0; k < count && total < IR_MAX_RANK; k++) all[total++] = &args[k];
  for (int k = 0; k < 2; k++)
    if (bounds[k]) all[total++] = bounds[k];
  for (int k = 0; k < total; k++) {
    if (tr_rank(all[k]->tr) == 0) continue;
    if (tr_rank(all[k]->tr) > 1)
      trace_unsupported(t, s->span, "truncation of a multivariate distribution");
    if (!level) level = level_product(t, outer, tr_dim(t, all[k]->tr, 0));
    all[k]->tr = tr_enter(t, all[k]->tr, level);
    all[k]->type = type_simple(t->arena, all[k]->type->base == T_INT ? T_INT : T_REAL, 0);
  }
  if (level) {
    t->level = level;
    if (mask.value) t->mask = tr_lift(t, mask, level);
  }
  check_truncation(t, y, bounds[0], bounds[1]);
  Tr normaliser =
      log_normaliser(t, s, base, y.type->base == T_INT, bounds[0], bounds[1], args, count);
  accumulate_target(t, tr_unary(t, IR_NEG, normaliser));
  t->level = outer;
  t->mask = mask;
}

void trace_tilde(Tracer *t, const Stmt *s) {
  const Expr *d = s->density;
  bool drop = t->frame->function ? t->frame->drop_constants : !t->options->keep_constants;
  if (t->frame->function && has_suffix(t->frame->function->name, "_lp"))
    drop = !t->options->keep_constants;
  SVal *args = trace_args(t, d->args, d->arg_count, d->promoted);
  SVal copy[2 + IR_MAX_RANK];
  if (s->truncated && d->arg_count > IR_MAX_RANK)
    trace_unsupported(t, s->span, "truncation of this distribution");
  for (int k = 0; s->truncated && k < d->arg_count; k++) copy[k] = args[k];
  Tr density = d->function ? call_user(t, d->function, args, d->arg_count, drop).tr
                           : trace_density(t, normalised_name(t, d->name), args, d->arg_count, drop,
                                           s->span);
  accumulate_target(t, density);
  if (!s->truncated || (!s->lower && !s->upper)) return;
  SVal lower, upper, *bounds[2] = {NULL, NULL};
  if (s->lower) lower = trace_expr(t, s->lower), bounds[0] = &lower;
  if (s->upper) upper = trace_expr(t, s->upper), bounds[1] = &upper;
  accumulate_truncation(t, s, copy[0], copy + 1, d->arg_count - 1, bounds);
}
