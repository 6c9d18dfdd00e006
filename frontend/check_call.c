/* Calls: which function is meant, and whether it may be called here. */
#include "frontend/check.h"

#include "stdlib_map/signatures.h"

#include <string.h>

/* ---- where what may be called ---- */

bool target_allowed(const Checker *c) { return c->suffix == SUFFIX_LP || c->block == BLOCK_MODEL; }

bool jacobian_allowed(const Checker *c) {
  return c->suffix == SUFFIX_JACOBIAN || c->block == BLOCK_TRANSFORMED_PARAMETERS;
}

bool rng_allowed(const Checker *c) {
  return c->suffix == SUFFIX_RNG || c->block == BLOCK_GENERATED_QUANTITIES ||
         c->block == BLOCK_TRANSFORMED_DATA;
}

static bool unnormalised_allowed(const Checker *c) {
  return c->suffix == SUFFIX_LPDF || c->suffix == SUFFIX_LPMF || c->block == BLOCK_MODEL;
}

static bool check_bar(Checker *c, Expr *e) {
  bool conditioned = name_is_conditioned(e->name);
  if (conditioned && e->arg_count == 1) e->bar = true; /* f(y) is f(y | ) */
  if (e->bar == conditioned) return true;
  check_error(c, e->span,
              conditioned
                  ? "A call of a probability function ('%s') has a vertical bar between its "
                    "first two arguments: f(y | ...)."
                  : "Only functions whose names end in _lpdf, _lupdf, _lpmf, _lupmf, _cdf, "
                    "_lcdf or _lccdf take a vertical bar between their first two "
                    "arguments; '%s' does not.",
              e->name);
  return false;
}

static bool check_effects(Checker *c, Span span, const char *name) {
  switch (name_suffix(name)) {
  case SUFFIX_LP:
    if (target_allowed(c)) return true;
    if (c->block == BLOCK_TRANSFORMED_PARAMETERS) {
      diag(c->diagnostics, DIAG_WARNING, span,
           "Functions whose names end in _lp are deprecated in the transformed parameters block; "
           "one whose name ends in _jacobian adds its terms only where they are wanted.");
      return true;
    }
    check_error(c, span,
                "The target can only be used in the model block and in functions whose names end "
                "in _lp, so '%s' cannot be called here.",
                name);
    return false;
  case SUFFIX_JACOBIAN:
    if (jacobian_allowed(c)) return true;
    check_error(c, span,
                "Jacobian terms can only be added in the transformed parameters block and in "
                "functions whose names end in _jacobian, so '%s' cannot be called here.",
                name);
    return false;
  case SUFFIX_RNG:
    if (c->in_size) {
      check_error(c, span,
                  "Random numbers are not allowed in the sizes of variables at the top level.");
      return false;
    }
    if (rng_allowed(c)) return true;
    check_error(c, span,
                "Random numbers can only be drawn in the transformed data and generated quantities "
                "blocks and in functions whose names end in _rng, so '%s' cannot be called here.",
                name);
    return false;
  default: return true;
  }
}

static bool check_rules(Checker *c, Expr *e) {
  if (c->options.is_library) return true;
  if (!check_identifier(c, e->span, e->name) || !check_bar(c, e) ||
      !check_effects(c, e->span, e->name))
    return false;
  if (!name_is_unnormalised(e->name) || unnormalised_allowed(c)) return true;
  check_error(c, e->span,
              "The unnormalised density '%s' can only be used in the model block and in functions "
              "whose names end in _lpdf or _lpmf; use '%s'.",
              e->name, name_normalised(c->arena, e->name));
  return false;
}

/* ---- names that nothing has ---- */

static bool is_function(Checker *c, const char *name) {
  const Symbol *y = scope_find(c->scope, name);
  return (y && y->function_count) || signatures_know(name);
}

/* name without its last part, which starts at '_', and with `ending` instead. */
static const char *with_ending(Checker *c, const char *name, const char *last, const char *ending) {
  return arena_printf(c->arena, "%.*s%s", (int)(last - name), name, ending);
}

static void report_unknown(Checker *c, const Expr *e) {
  const char *name = e->name, *last = strrchr(name, '_');
  if (last) {
    bool mass = name_suffix(name) == SUFFIX_LPMF, density = name_suffix(name) == SUFFIX_LPDF;
    const char *other = with_ending(c, name, last, mass ? "_lpdf" : "_lpmf");
    if ((mass || density) && is_function(c, other)) {
      check_error(c, e->span,
                  "There is no function '%s', since the outcomes of '%.*s' are %s; use '%s'.", name,
                  (int)(last - name), name, mass ? "real" : "int", other);
      return;
    }
    bool part = !strcmp(last, "_cdf") || !strcmp(last, "_lcdf") || !strcmp(last, "_lccdf") ||
                !strcmp(last, "_rng");
    if (part && (signatures_know(with_ending(c, name, last, "_lpdf")) ||
                 signatures_know(with_ending(c, name, last, "_lpmf")))) {
      check_error(c, e->span, "There is no function '%s' for the distribution '%.*s'.", name,
                  (int)(last - name), name);
      return;
    }
  }
  check_error(c, e->span, "There is no function '%s'.%s", name, did_you_mean(c, name));
}

/* ---- calls ---- */

static bool check_args(Checker *c, Expr *const *exprs, int count, Arg *args) {
  bool ok = true;
  for (int k = 0; k < count; k++) {
    const AdLevel *ad = check_expr(c, exprs[k]);
    args[k] = (Arg){exprs[k], exprs[k]->type, ad};
    ok &= !is_error(exprs[k]);
  }
  return ok;
}

/* A variable of this name hides functions of the program, though not the library's. */
static bool hidden_by_variable(Checker *c, const char *name) {
  const Symbol *y = scope_find(c->scope, name);
  return y && y->variable && !signatures_know(name);
}

static void resolve_to(Expr *e, const Match *m) {
  e->function = m->function;
  e->promoted = m->signature->members;
}

static bool check_plain_call(Checker *c, Expr *e, const Arg *args) {
  const char *name = name_normalised(c->arena, e->name);
  if (hidden_by_variable(c, name)) {
    check_error(c, e->span, "'%s' is a variable, not a function.", e->name);
    return false;
  }
  Match m = find_match(c, name, args, e->arg_count);
  if (!m.known) {
    report_unknown(c, e);
    return false;
  }
  if (m.kind != MATCH_ONE) {
    report_mismatch(c, e->span, e->name, args, e->arg_count, m.kind);
    return false;
  }
  if (m.signature->result->base == T_VOID) {
    check_error(c, e->span, "The function '%s' returns nothing, so it has no value to use here.",
                e->name);
    return false;
  }
  resolve_to(e, &m);
  e->type = m.signature->result;
  return true;
}

static bool check_relaxed_call(Checker *c, Expr *e, const Arg *args) {
  const char *name = name_normalised(c->arena, e->name);
  Match m = find_relaxed_match(c, name, args, e->arg_count, &e->type);
  if (!m.known) {
    report_unknown(c, e);
    return false;
  }
  if (m.kind != MATCH_ONE) {
    report_mismatch(c, e->span, e->name, args, e->arg_count, m.kind);
    return false;
  }
  e->function = m.function;
  const StanType **own = ARENA_ARRAY(c->arena, const StanType *, (size_t)e->arg_count + 1);
  for (int k = 0; k < e->arg_count; k++)
    own[k] = m.function ? args[k].type : m.signature->members[k];
  for (int k = 0; k < e->arg_count && !m.function; k++)
    if (promotion_cost(own[k], args[k].type) < 0) own[k] = args[k].type;
  e->promoted = own;
  return true;
}

/* A value is data when the arguments are, or when it is an int. */
static const AdLevel *level_of_call(Checker *c, const Expr *e, const Arg *args) {
  bool data = true;
  for (int k = 0; k < e->arg_count; k++) data &= args[k].ad->data;
  return ad_of_type(c->arena, data || is_discrete(e->type) ? &ad_data : &ad_autodiff, e->type);
}

const AdLevel *check_call(Checker *c, Expr *e) {
  Arg *args = ARENA_ARRAY(c->arena, Arg, (size_t)e->arg_count + 1);
  bool ok = check_args(c, e->args, e->arg_count, args);
  if (ok && is_forwarding(e->name))
    ok = check_forwarding_call(c, e, args);
  else if (ok)
    ok = c->options.is_library ? check_relaxed_call(c, e, args) : check_plain_call(c, e, args);
  ok = ok && check_rules(c, e);
  if (ok) return level_of_call(c, e, args);
  e->type = &type_error;
  return &ad_data;
}

void check_call_statement(Checker *c, const Stmt *s) {
  Expr *e = s->rhs;
  Arg *args = ARENA_ARRAY(c->arena, Arg, (size_t)e->arg_count + 1);
  e->type = &type_void;
  if (!check_args(c, e->args, e->arg_count, args)) return;
  if (!c->options.is_library &&
      (!check_identifier(c, s->span, e->name) || !check_effects(c, s->span, e->name)))
    return;
  if (hidden_by_variable(c, e->name)) {
    check_error(c, s->span, "'%s' is a variable, not a function.", e->name);
    return;
  }
  Match m = find_match(c, e->name, args, e->arg_count);
  if (!m.known)
    check_error(c, s->span, "There is no function '%s'.%s", e->name, did_you_mean(c, e->name));
  else if (m.kind != MATCH_ONE)
    report_mismatch(c, s->span, e->name, args, e->arg_count, m.kind);
  else if (m.signature->result->base != T_VOID)
    check_error(c, s->span,
                "The function '%s' returns a value, which has to be used: assign it to a variable.",
                e->name);
  else
    resolve_to(e, &m);
}

/* ---- distributions ---- */

/* The density of `s` as a call, not yet resolved. */
static Expr *density_call(Checker *c, const Stmt *s) {
  Expr *e = ARENA_NEW(c->arena, Expr);
  *e = (Expr){.kind = E_CALL,
              .span = s->span,
              .name = s->name,
              .name_span = s->name_span,
              .arg_count = s->arg_count + 1,
              .args = ARENA_ARRAY(c->arena, Expr *, (size_t)s->arg_count + 1),
              .bar = true,
              .type = &type_real};
  e->args[0] = s->lhs;
  for (int k = 0; k < s->arg_count; k++) e->args[k + 1] = s->args[k];
  return e;
}

static bool check_distribution_name(Checker *c, const Stmt *s) {
  Suffix suffix = name_suffix(s->name);
  if (!check_identifier(c, s->name_span, s->name)) return false;
  if (suffix == SUFFIX_LPDF || suffix == SUFFIX_LPMF) {
    check_error(c, s->name_span,
                "In a distribution statement (~) the distribution is named without its ending: "
                "y ~ normal(0, 1), not y ~ normal_lpdf(0, 1).");
    return false;
  }
  if (!target_allowed(c) && !c->options.is_library) {
    check_error(c, s->span,
                "Distribution statements change the target, so they are only allowed in the model "
                "block and in functions whose names end in _lp.");
    return false;
  }
  if (name_ends(s->name, "_cdf") || name_ends(s->name, "_ccdf")) {
    check_error(c, s->span,
                "A cumulative distribution function cannot be used in a distribution statement "
                "(~); use target += with its logarithm.");
    return false;
  }
  return true;
}

static void report_no_distribution(Checker *c, const Stmt *s, const Arg *args) {
  bool discrete = args[0].type->base == T_INT;
  check_error(
      c, s->name_span, "There is no distribution '%s': no function '%s%s'%s is declared.%s",
      s->name, s->name, discrete ? "_lpmf" : "_lpdf",
      discrete ? arena_printf(c->arena, " or '%s_lpdf'", s->name) : "",
      did_you_mean(c, arena_printf(c->arena, "%s%s", s->name, discrete ? "_lpmf" : "_lpdf")));
}

static bool resolve_density(Checker *c, const Stmt *s, Expr *e, const Arg *args) {
  static const char *const endings[2] = {"_lpmf", "_lpdf"};
  Match m[2];
  const char *names[2];
  int best = 0;
  for (int k = 0; k < 2; k++) {
    names[k] = arena_printf(c->arena, "%s%s", s->name, endings[k]);
    m[k] = find_match(c, names[k], args, e->arg_count);
  }
  if (m[0].kind != MATCH_ONE &&
      (m[1].kind == MATCH_ONE || (m[1].kind == MATCH_AMBIGUOUS && m[0].kind == MATCH_NONE) ||
       (m[1].known && !m[0].known)))
    best = 1;
  e->name = names[best];
  if (m[best].kind == MATCH_ONE) {
    resolve_to(e, &m[best]);
    return true;
  }
  if (m[best].known) {
    report_mismatch(c, s->span, e->name, args, e->arg_count, m[best].kind);
    return false;
  }
  if (is_laplace(names[0])) {
    e->name = names[0];
    return check_forwarding_call(c, e, args);
  }
  report_no_distribution(c, s, args);
  return false;
}

static bool has_distribution_function(Checker *c, const Stmt *s, const char *ending,
                                      const Arg *args, int count) {
  const char *name = arena_printf(c->arena, "%s%s", s->name, ending);
  Match m = find_match(c, name, args, count);
  return m.kind == MATCH_ONE && m.signature->result->base == T_REAL &&
         m.signature->result->array_dims == 0;
}

static void check_truncation(Checker *c, const Stmt *s, const Arg *args, int count) {
  const Expr *bounds[2] = {s->lower, s->upper};
  for (int k = 0; k < 2; k++) {
    if (!bounds[k]) continue;
    Arg *all = ARENA_ARRAY(c->arena, Arg, (size_t)count);
    memcpy(all, args, sizeof *all * (size_t)count);
    all[0] = (Arg){bounds[k], bounds[k]->type, bounds[k]->data_only ? &ad_data : &ad_autodiff};
    if (has_distribution_function(c, s, "_lcdf", all, count) &&
        has_distribution_function(c, s, "_lccdf", all, count))
      continue;
    check_error(c, s->span,
                "Only a distribution with the functions '%s_lcdf' and '%s_lccdf' can be truncated, "
                "and there are none for the types %s.",
                s->name, s->name, types_text(c, all, count));
    return;
  }
}

static bool check_bound(Checker *c, Expr *bound) {
  if (!bound) return true;
  check_expr(c, bound);
  if (is_error(bound)) return false;
  if (bound->type->array_dims == 0 && bound->type->base <= T_REAL) return true;
  check_error(c, bound->span,
              "A truncation point must be an int or a real, but this is of type %s.",
              type_text(c, bound->type));
  return false;
}

void check_tilde(Checker *c, Stmt *s) {
  Expr *e = density_call(c, s);
  Arg *args = ARENA_ARRAY(c->arena, Arg, (size_t)e->arg_count);
  bool ok = check_args(c, e->args, e->arg_count, args);
  ok &= check_bound(c, s->upper);
  ok &= check_bound(c, s->lower);
  if (!ok || !check_distribution_name(c, s) || !resolve_density(c, s, e, args)) return;
  if (s->truncated) {
    for (int k = 1; k < e->arg_count && e->promoted; k++) args[k].type = e->promoted[k];
    check_truncation(c, s, args, e->arg_count);
  }
  s->density = e;
}
