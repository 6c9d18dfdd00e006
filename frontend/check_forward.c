/* Calls of functions that take a function and pass arguments on to it: solvers, quadrature,
 * reduce_sum, embedded Laplace approximations. */
#include "frontend/check.h"

#include "stdlib_map/signatures.h"

#include <string.h>

static bool is_reduce_sum(const char *name) {
  return !strcmp(name, "reduce_sum") || !strcmp(name, "reduce_sum_static");
}

/* ---- functions as arguments ---- */

/* What a function's name may stand for. */
typedef struct {
  const StanType *type;
  FunDef *function; /* NULL for the library's */
} Candidate;

typedef struct {
  Checker *c;
  size_t count, capacity;
  Candidate *items;
} Candidates;

static bool add_candidate(void *context, const StanType *signature) {
  Candidates *list = context;
  Candidate item = {signature_copy(list->c->arena, signature), NULL};
  ARENA_PUSH(list->c->arena, list->items, list->count, list->capacity, item);
  return true;
}

static Candidates candidates_of(Checker *c, const Expr *f) {
  Candidates list = {.c = c};
  if (f->variable) { /* it does not hide the functions of its name here */
    Candidate item = {f->variable->type, NULL};
    ARENA_PUSH(c->arena, list.items, list.count, list.capacity, item);
  }
  const char *name = name_normalised(c->arena, f->name);
  const Symbol *y = scope_find(c->scope, name);
  for (size_t k = y ? y->function_count : 0; k-- > 0;) {
    Candidate item = {y->functions[k]->type, y->functions[k]};
    ARENA_PUSH(c->arena, list.items, list.count, list.capacity, item);
  }
  SignatureQuery query = {.context = &list, .visit = add_candidate};
  signatures_each(c->arena, name, -1, &query);
  return list;
}

static bool is_plain_function(const Expr *f, bool allow_density) {
  Suffix s = name_suffix(f->name);
  return s == SUFFIX_NONE || (allow_density && (s == SUFFIX_LPDF || s == SUFFIX_LPMF));
}

static const char *forward_suffix_error(Checker *c, const Expr *f) {
  return arena_printf(c->arena,
                      "the function '%s' has effects that its name tells of; a function "
                      "without them is needed here",
                      f->name);
}

/* ---- variadic calls ---- */

/* What a call needs: f takes `required` and returns `result`; `control` follows it. */
typedef struct {
  int control_count, required_count;
  const StanType *const *control, *const *required;
  const bool *control_data, *required_data; /* required_data NULL: none of them is data */
  const StanType *result;
  bool allow_density;
} Forwarding;

/* Where the error is: an argument, and why. */
typedef struct {
  bool ok;
  int argument, cost;
  const char *what;
  const StanType *expected; /* ok: the types of all arguments as a T_FUNCTION */
} Forwarded;

static Forwarded wrong_argument(int argument, const char *what) {
  return (Forwarded){.argument = argument, .what = what};
}

static const char *function_mismatch(Checker *c, const Forwarding *w, const StanType *f) {
  if (f->member_count < w->required_count)
    return arena_printf(c->arena, "the function must take at least %d arguments, but it takes %d",
                        w->required_count, f->member_count);
  for (int k = 0; k < w->required_count; k++) {
    if (!types_equal(f->members[k], w->required[k]))
      return arena_printf(c->arena, "argument %d of the function must be of type %s, but it is %s",
                          k + 1, type_text(c, w->required[k]), type_text(c, f->members[k]));
    if (f->data_only[k] && !(w->required_data && w->required_data[k]))
      return arena_printf(c->arena, "argument %d of the function must not be declared data", k + 1);
  }
  if (!types_equal(f->result, w->result))
    return arena_printf(c->arena, "the function must return %s, but it returns %s",
                        type_text(c, w->result), type_text(c, f->result));
  return NULL;
}

/* The types that all arguments of the call have to be of: f, its control, what f takes then. */
static StanType *expected_arguments(Checker *c, const Forwarding *w, const StanType *f) {
  int forwarded = f->member_count - w->required_count, n = 1 + w->control_count + forwarded;
  const StanType **members = ARENA_ARRAY(c->arena, const StanType *, (size_t)n);
  bool *data = ARENA_ARRAY(c->arena, bool, (size_t)n);
  members[0] = f;
  for (int k = 0; k < w->control_count; k++) {
    members[1 + k] = w->control[k];
    data[1 + k] = w->control_data[k];
  }
  for (int k = 0; k < forwarded; k++) {
    members[1 + w->control_count + k] = f->members[w->required_count + k];
    data[1 + w->control_count + k] = f->data_only[w->required_count + k];
  }
  StanType *t = ARENA_NEW(c->arena, StanType);
  *t = (StanType){.base = T_FUNCTION,
                  .member_count = n,
                  .members = members,
                  .data_only = data,
                  .result = w->result};
  return t;
}

/* The argument that is missing or too many. */
static int miscounted(int expected, int found) {
  int which = expected > found ? found - 1 : expected;
  return which > 0 ? which : 0;
}

static Forwarded fit_forwarding(Checker *c, const Forwarding *w, const StanType *f, const Arg *args,
                                int count) {
  if (!count) return wrong_argument(0, "its first argument must be a function");
  if (f->base != T_FUNCTION || !f->members)
    return wrong_argument(
        0, arena_printf(c->arena, "argument 1 must be a function, not %s", type_text(c, f)));
  if (!is_plain_function(args[0].expr, w->allow_density))
    return wrong_argument(0, forward_suffix_error(c, args[0].expr));
  const char *what = function_mismatch(c, w, f);
  if (what) return wrong_argument(0, what);
  StanType *expected = expected_arguments(c, w, f);
  int n = expected->member_count;
  if (n != count)
    return wrong_argument(
        miscounted(n, count),
        arena_printf(c->arena, "it takes %d arguments with this function, not %d", n, count));
  StanType rest = *expected; /* without f, whose type is its own */
  rest.members++;
  rest.data_only++;
  rest.member_count--;
  Fit fit = fit_arguments(c, &rest, args + 1, count - 1, 1);
  if (!fit.ok) return wrong_argument(fit.position + 1, fit.what);
  return (Forwarded){.ok = true, .cost = fit.cost, .expected = expected};
}

/* Tries f's overloads; the one of fewest promotions is e's. `prepare` fits w to a candidate. */
static bool check_forwarding(Checker *c, Expr *e, Forwarding *w, const Arg *args,
                             void (*prepare)(Forwarding *w, const StanType *f)) {
  int count = e->arg_count, ties = 0;
  Expr *f = count && e->args[0]->kind == E_VARIABLE ? e->args[0] : NULL;
  Candidates list = {0};
  Forwarded best = {0}, first = {0};
  FunDef *function = NULL;
  if (f) list = candidates_of(c, f);
  for (size_t k = 0; k < list.count; k++) {
    const StanType *type = list.items[k].type;
    if (prepare) prepare(w, type);
    Forwarded fit = fit_forwarding(c, w, type, args, count);
    if (k == 0) first = fit;
    if (!fit.ok || (ties && fit.cost > best.cost)) continue;
    ties = ties && fit.cost == best.cost ? ties + 1 : 1;
    best = fit;
    function = list.items[k].function;
  }
  if (!list.count) first = fit_forwarding(c, w, count ? args[0].type : &type_error, args, count);
  if (ties > 1) {
    check_error(c, e->span, "Several overloads of '%s' fit this call of '%s' equally well.",
                f->name, e->name);
    return false;
  }
  if (!ties) {
    Span span = first.argument < count ? e->args[first.argument]->span : e->span;
    check_error(c, span, "The arguments %s do not fit '%s': %s.", types_text(c, args, count),
                e->name, first.what);
    return false;
  }
  f->variable = NULL;
  f->function = function;
  f->type = best.expected->members[0];
  e->promoted = best.expected->members;
  return true;
}

static bool check_variadic(Checker *c, Expr *e, const Arg *args, const VariadicSignature *v) {
  Forwarding w = {.control_count = v->control_count,
                  .control = v->control,
                  .control_data = v->control_data,
                  .required_count = v->required_count,
                  .required = v->required,
                  .result = v->function_result};
  if (!check_forwarding(c, e, &w, args, NULL)) return false;
  e->type = v->result;
  return true;
}

/* ---- reduce_sum ---- */

typedef struct {
  Forwarding forwarding; /* first, so that one is found from the other */
  const StanType *control[2], *required[3];
  bool control_data[2], required_data[3];
} ReduceSum;

/* The slice is of the type that f's first argument has. */
static void prepare_reduce_sum(Forwarding *w, const StanType *f) {
  ReduceSum *r = (ReduceSum *)w;
  bool usable = f->base == T_FUNCTION && f->member_count;
  if (!usable) return;
  r->control[0] = r->required[0] = f->members[0];
  r->control_data[0] = r->required_data[0] = f->data_only && f->data_only[0];
}

static bool check_slice(Checker *c, const Expr *e) {
  if (e->arg_count < 2 || e->args[0]->kind != E_VARIABLE) return true;
  const Expr *slice = e->args[1];
  BaseType b = slice->type->base;
  if (slice->type->array_dims == 0) {
    check_error(c, slice->span, "The second argument of '%s' must be an array, not %s.", e->name,
                type_text(c, slice->type));
    return false;
  }
  if (b == T_INT || b == T_REAL || b == T_VECTOR || b == T_ROW_VECTOR || b == T_MATRIX) return true;
  check_error(c, slice->span,
              "The elements of the array that '%s' slices must be int, real, vector, row_vector or "
              "matrix, not of type %s.",
              e->name,
              type_text(c, type_array_of(c->arena, slice->type, -slice->type->array_dims)));
  return false;
}

static bool check_reduce_sum(Checker *c, Expr *e, const Arg *args) {
  static const StanType reals = {.base = T_REAL, .array_dims = 1};
  if (!check_slice(c, e)) return false;
  ReduceSum r = {.control = {&reals, &type_int},
                 .required = {&reals, &type_int, &type_int},
                 .required_data = {false, true, true}};
  r.forwarding = (Forwarding){.control_count = 2,
                              .control = r.control,
                              .control_data = r.control_data,
                              .required_count = 3,
                              .required = r.required,
                              .required_data = r.required_data,
                              .result = &type_real,
                              .allow_density = true};
  if (!check_forwarding(c, e, &r.forwarding, args, prepare_reduce_sum)) return false;
  e->type = &type_real;
  return true;
}

/* ---- embedded Laplace approximations ---- */

static const char *const laplace_names[] = {"laplace_marginal",
                                            "laplace_marginal_tol",
                                            "laplace_latent_rng",
                                            "laplace_latent_tol_rng",
                                            "laplace_latent_solve",
                                            "laplace_latent_solve_tol",
                                            "laplace_marginal_bernoulli_logit_lpmf",
                                            "laplace_marginal_tol_bernoulli_logit_lpmf",
                                            "laplace_marginal_neg_binomial_2_log_lpmf",
                                            "laplace_marginal_tol_neg_binomial_2_log_lpmf",
                                            "laplace_marginal_poisson_log_lpmf",
                                            "laplace_marginal_tol_poisson_log_lpmf",
                                            "laplace_latent_bernoulli_logit_rng",
                                            "laplace_latent_tol_bernoulli_logit_rng",
                                            "laplace_latent_neg_binomial_2_log_rng",
                                            "laplace_latent_tol_neg_binomial_2_log_rng",
                                            "laplace_latent_poisson_log_rng",
                                            "laplace_latent_tol_poisson_log_rng"};

static const StanType type_ints = {.base = T_INT, .array_dims = 1},
                      type_vector = {.base = T_VECTOR}, type_matrix = {.base = T_MATRIX};

/* The arguments of the built-in likelihoods: outcomes, groups, (dispersion,) means. */
static const StanType *const outcome_args[] = {&type_ints, &type_ints, &type_vector, &type_vector};

/* theta_0, tolerance, steps, solver, line search steps, whether to fall through */
static const StanType *const laplace_controls[] = {&type_vector, &type_real, &type_int,
                                                   &type_int,    &type_int,  &type_int};
static const bool laplace_control_data[] = {false, true, true, true, true, true};
enum { LAPLACE_CONTROLS = sizeof laplace_controls / sizeof *laplace_controls };

bool is_laplace(const char *name) {
  for (size_t k = 0; k < sizeof laplace_names / sizeof *laplace_names; k++)
    if (!strcmp(laplace_names[k], name)) return true;
  return false;
}

/* How many arguments the likelihood of a Laplace function takes when it is built in; 0 where the
 * caller gives a function. */
static int built_in_likelihood(const char *name) {
  if (strstr(name, "neg_binomial_2_log")) return 4;
  return strstr(name, "bernoulli_logit") || strstr(name, "poisson_log") ? 3 : 0;
}

static StanType parameters_type(int count, const StanType *const *members, const bool *data) {
  return (StanType){.base = T_FUNCTION,
                    .member_count = count,
                    .members = (const StanType **)members,
                    .data_only = data,
                    .result = &type_void};
}

/* The member of a tuple expression to blame, or the expression. */
static Span blamed(const Expr *e, int member) {
  bool tuple = e->kind == E_TUPLE && member >= 0 && member < e->arg_count;
  return tuple ? e->args[member]->span : e->span;
}

/* The members of a tuple as arguments; NULL (reported) when it is none. */
static Arg *tuple_args(Checker *c, const Arg *tuple, const char *what, int *count) {
  const StanType *t = tuple->type;
  if (t->base != T_TUPLE || t->array_dims) {
    check_error(c, tuple->expr->span, "%s must be a tuple, not %s.", what, type_text(c, t));
    return NULL;
  }
  *count = t->member_count;
  Arg *args = ARENA_ARRAY(c->arena, Arg, (size_t)t->member_count + 1);
  for (int k = 0; k < t->member_count; k++)
    args[k] = (Arg){tuple->expr, t->members[k], tuple->ad->members[k]};
  return args;
}

/* Where and why a tuple of arguments does not fit a function. */
typedef struct {
  const char *about_function, *about_args;
  int cost;
} Callable;

static Callable call_with_tuple(Checker *c, const Expr *f, const StanType *type, bool latent,
                                const Arg *args, int count, const StanType *result) {
  int skipped = latent ? 1 : 0;
  if (type->base != T_FUNCTION || !type->members)
    return (Callable){.about_function = "it is not a function"};
  if (!types_equal(type->result, result))
    return (Callable){.about_function =
                          arena_printf(c->arena, "it must return %s, not %s", type_text(c, result),
                                       type_text(c, type->result))};
  if (name_suffix(f->name) != SUFFIX_NONE)
    return (Callable){.about_function = forward_suffix_error(c, f)};
  if (latent &&
      (!type->member_count || !types_equal(type->members[0], &type_vector) || type->data_only[0]))
    return (Callable){.about_function = "its first argument must be a vector that is not declared "
                                        "data: the latent variables"};
  StanType rest = *type;
  rest.members += skipped;
  rest.data_only += skipped;
  rest.member_count -= skipped;
  Fit fit = fit_arguments(c, &rest, args, count, 0);
  return fit.ok ? (Callable){.cost = fit.cost} : (Callable){.about_args = fit.what};
}

/* A function and the tuple of its arguments (after the latent vector). */
static bool check_callable(Checker *c, const Expr *e, Expr *f, const Arg *tuple, bool latent,
                           const StanType *result) {
  int count;
  const char *what = arena_printf(c->arena, "What '%s' forwards to '%s'", e->name, f->name);
  const Arg *args = tuple_args(c, tuple, what, &count);
  if (!args) return false;
  Candidates list = candidates_of(c, f);
  Callable first = {.about_function = "it is not a function"};
  int ties = 0, best = 0;
  for (size_t k = 0; k < list.count; k++) {
    Callable fit = call_with_tuple(c, f, list.items[k].type, latent, args, count, result);
    if (k == 0) first = fit;
    if (fit.about_function || fit.about_args || (ties && fit.cost > best)) continue;
    ties = ties && fit.cost == best ? ties + 1 : 1;
    best = fit.cost;
    f->function = list.items[k].function;
    f->type = list.items[k].type;
  }
  if (ties) f->variable = NULL;
  if (ties == 1) return true;
  if (ties)
    check_error(c, f->span, "Several overloads of '%s' fit this call of '%s' equally well.",
                f->name, e->name);
  else if (first.about_function)
    check_error(c, f->span, "The function '%s' cannot be used by '%s': %s.", f->name, e->name,
                first.about_function);
  else
    check_error(c, tuple->expr->span,
                "The function '%s' cannot be called with what '%s' forwards to it: %s.", f->name,
                e->name, first.about_args);
  return false;
}

static bool laplace_usage(Checker *c, Span span, const Expr *e, const char *what) {
  bool built_in = built_in_likelihood(e->name) > 0;
  check_error(c, span,
              "%s The arguments of '%s' are: %s, data int (the size of the Hessian's "
              "blocks), the covariance function, a tuple of its arguments%s.",
              what, e->name,
              built_in
                  ? "those of the likelihood"
                  : "the likelihood function, a tuple of its arguments after the latent vector",
              strstr(e->name, "_tol") ? ", a tuple of control parameters" : "");
  return false;
}

/* laplace_latent_solve works on data alone. */
static bool check_solved_data(Checker *c, const Expr *e, const Arg *args, int k) {
  if (!strstr(e->name, "_solve") || k >= e->arg_count || args[k].ad->data) return true;
  const AdLevel *ad = args[k].ad;
  int member = 0;
  while (member < ad->count && ad->members[member]->data) member++;
  check_error(c, blamed(args[k].expr, member),
              "All arguments of '%s' must be data outside the generated quantities block.",
              e->name);
  return false;
}

/* The likelihood; *next is the argument behind it. */
static bool check_likelihood(Checker *c, Expr *e, const Arg *args, int *next) {
  int built_in = built_in_likelihood(e->name), count = e->arg_count;
  if (built_in) {
    StanType wanted = parameters_type(built_in, outcome_args, NULL);
    int given = count < built_in ? count : built_in;
    Fit fit = fit_arguments(c, &wanted, args, given, 0);
    *next = built_in;
    if (fit.ok) return true;
    int which = fit.position >= 0 ? fit.position : miscounted(built_in, given);
    check_error(c, which < count ? args[which].expr->span : e->span,
                "The likelihood's arguments of '%s' do not fit: %s.", e->name, fit.what);
    return false;
  }
  if (!check_solved_data(c, e, args, 1)) return false;
  if (count < 2 || e->args[0]->kind != E_VARIABLE)
    return laplace_usage(c, e->span, e, "The first argument must be a function.");
  Use use = {e->args[0]->name, e->args[0]->span};
  ARENA_PUSH(c->arena, c->uses, c->use_count, c->use_capacity, use);
  *next = 2;
  return check_callable(c, e, e->args[0], &args[1], true, &type_real);
}

static bool check_block_size(Checker *c, const Expr *e, const Arg *args, int k) {
  if (k >= e->arg_count) {
    Span span = e->span;
    if (k > 0 && k == e->arg_count) {
      span = e->args[k - 1]->span;
      span.begin = span.end;
    }
    return laplace_usage(c, span, e, "The size of the Hessian's blocks is missing.");
  }
  const Arg *a = &args[k];
  if (a->type->base == T_INT && !a->type->array_dims && a->ad->data) return true;
  check_error(c, a->expr->span,
              "The size of the Hessian's blocks in '%s' must be an int that is data, not %s%s.",
              e->name, a->ad->data ? "" : "a parameter-dependent ", type_text(c, a->type));
  return false;
}

static bool check_controls(Checker *c, const Expr *e, const Arg *args, int k) {
  bool wanted = strstr(e->name, "_tol") != NULL;
  int extra = e->arg_count - k - wanted, count;
  if (extra > 0) {
    check_error(c, args[k + wanted].expr->span,
                "There are %d arguments too many at the end of the call of '%s'.%s", extra, e->name,
                wanted ? " It takes one tuple of control parameters."
                       : " Its form with _tol takes a tuple of control parameters.");
    return false;
  }
  if (!wanted) return true;
  if (extra < 0) {
    check_error(c, e->span, "The tuple of %d control parameters at the end of '%s' is missing.",
                LAPLACE_CONTROLS, e->name);
    return false;
  }
  const char *what = arena_printf(c->arena, "The control parameters of '%s'", e->name);
  const Arg *members = tuple_args(c, &args[k], what, &count);
  if (!members) return false;
  StanType parameters = parameters_type(LAPLACE_CONTROLS, laplace_controls, laplace_control_data);
  Fit fit = fit_arguments(c, &parameters, members, count, 0);
  if (fit.ok) return true;
  int which = fit.position >= 0 ? fit.position : miscounted(LAPLACE_CONTROLS, count);
  const Expr *tuple = args[k].expr;
  check_error(c, tuple->kind == E_TUPLE ? blamed(tuple, which) : e->span,
              "The control parameters of '%s' do not fit: %s.", e->name, fit.what);
  return false;
}

static const StanType *laplace_result(Checker *c, const char *name) {
  if (name_ends(name, "_rng")) return &type_vector;
  if (!strstr(name, "_solve")) return &type_real;
  const StanType **members = ARENA_ARRAY(c->arena, const StanType *, 2);
  members[0] = &type_vector;
  members[1] = &type_matrix;
  return type_tuple(c->arena, members, 2, 0);
}

static bool check_laplace(Checker *c, Expr *e, const Arg *args) {
  int k = 0;
  if (!check_likelihood(c, e, args, &k) || !check_block_size(c, e, args, k)) return false;
  int covariance = k + 1;
  if (!check_solved_data(c, e, args, covariance + 1)) return false;
  if (covariance + 1 >= e->arg_count || e->args[covariance]->kind != E_VARIABLE)
    return laplace_usage(c, e->span, e, "The covariance must be a function, with its arguments.");
  if (!check_callable(c, e, e->args[covariance], &args[covariance + 1], false, &type_matrix) ||
      !check_controls(c, e, args, covariance + 2))
    return false;
  const StanType **types = ARENA_ARRAY(c->arena, const StanType *, (size_t)e->arg_count);
  for (int j = 0; j < e->arg_count; j++) types[j] = args[j].expr->type;
  e->promoted = types;
  e->type = laplace_result(c, e->name);
  return true;
}

/* ---- all of them ---- */

bool is_forwarding(const char *name) {
  VariadicSignature v;
  if (is_reduce_sum(name) || variadic_signature(name, &v)) return true;
  if (strncmp(name, "laplace_", strlen("laplace_"))) return false;
  if (!name_is_unnormalised(name)) return is_laplace(name);
  for (size_t k = 0; k < sizeof laplace_names / sizeof *laplace_names; k++) {
    size_t n = strlen(laplace_names[k]), m = strlen("_lpmf");
    if (name_ends(laplace_names[k], "_lpmf") && !strncmp(laplace_names[k], name, n - m) &&
        !strcmp(name + n - m, "_lupmf"))
      return true;
  }
  return false;
}

bool check_forwarding_call(Checker *c, Expr *e, const Arg *args) {
  VariadicSignature v;
  if (is_reduce_sum(e->name)) return check_reduce_sum(c, e, args);
  if (variadic_signature(e->name, &v)) return check_variadic(c, e, args, &v);
  return check_laplace(c, e, args);
}

/* ---- second derivatives ---- */

static bool lacks_second_order(const char *name) {
  static const char *const names[] = {
      "algebra_solver",        "algebra_solver_newton", "integrate_1d",       "integrate_ode",
      "integrate_ode_adams",   "integrate_ode_bdf",     "integrate_ode_rk45", "map_rect",
      "hmm_hidden_state_prob", "hmm_marginal"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (!strcmp(names[k], name)) return true;
  return is_forwarding(name);
}

typedef struct {
  Checker *c;
  const Use *use;
  size_t count, capacity;
  const char **visited;
  bool failed;
} SecondOrder;

static void visit_function(SecondOrder *v, const char *name);

static void visit_expr(SecondOrder *v, const Expr *e) {
  if (!e || v->failed) return;
  if (e->kind == E_CALL && !e->function && lacks_second_order(e->name)) {
    v->failed = true;
    check_error(v->c, v->use->span,
                "The likelihood '%s' calls '%s', which has no second derivatives, so it cannot be "
                "used in a Laplace approximation.",
                v->use->function, e->name);
    return;
  }
  if (e->function) visit_function(v, e->function->name);
  for (int k = 0; k < e->arg_count; k++) visit_expr(v, e->args[k]);
  for (int k = 0; k < e->index_count; k++) {
    visit_expr(v, e->indices[k].a);
    visit_expr(v, e->indices[k].b);
  }
}

static void visit_stmt(SecondOrder *v, const Stmt *s) {
  if (!s || v->failed) return;
  const Expr *parts[] = {
      s->lhs, s->rhs, s->cond, s->lower, s->upper, s->density, s->decl ? s->decl->init : NULL};
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) visit_expr(v, parts[k]);
  for (int k = 0; k < s->arg_count; k++) visit_expr(v, s->args[k]);
  visit_stmt(v, s->body);
  visit_stmt(v, s->orelse);
  for (int k = 0; k < s->stmt_count; k++) visit_stmt(v, s->stmts[k]);
}

/* All overloads: which of them is called does not matter much here. */
static void visit_function(SecondOrder *v, const char *name) {
  for (size_t k = 0; k < v->count; k++)
    if (!strcmp(v->visited[k], name)) return;
  ARENA_PUSH(v->c->arena, v->visited, v->count, v->capacity, name);
  for (int k = 0; k < v->c->program->function_count; k++) {
    const FunDef *f = v->c->program->functions[k];
    if (f->body && !strcmp(f->name, name)) visit_stmt(v, f->body);
  }
}

void check_second_order(Checker *c) {
  for (size_t k = 0; k < c->use_count; k++) {
    SecondOrder v = {.c = c, .use = &c->uses[k]};
    visit_function(&v, v.use->function);
  }
}
