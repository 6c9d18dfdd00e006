/* Declarations of variables and functions. */
#include "frontend/check.h"

#include "stdlib_map/signatures.h"

#include <string.h>

/* ---- sizes and bounds ---- */

static void check_sizes(Checker *c, const SizedType *s) {
  static const char *const words[] = {"The size of a vector", "The number of rows of a matrix",
                                      "The number of columns of a matrix"};
  bool matrix = s->sizes[1] != NULL;
  for (int k = 0; k < s->member_count; k++) check_sizes(c, s->members[k]);
  for (int k = 0; k < 2; k++)
    if (s->sizes[k]) check_int(c, s->sizes[k], words[matrix ? 1 + k : 0]);
  for (int k = s->array_dims - 1; k >= 0; k--)
    if (s->array_sizes[k]) check_int(c, s->array_sizes[k], "The size of an array");
}

/* A bound is a number, or a container like the variable's. */
static void check_bound(Checker *c, const SizedType *s, Expr *bound, const char *what) {
  if (!bound) return;
  check_expr(c, bound);
  const StanType *t = bound->type;
  if (is_error(bound) || (t->array_dims == 0 && (t->base == T_INT || t->base == T_REAL))) return;
  const StanType *own = sized_type(c->arena, s);
  if (types_equal(t, own)) return;
  bool scalar = own->array_dims == 0 && own->base <= T_COMPLEX;
  check_error(c, bound->span, "%s must be a number%s%s, but it is of type %s.", what,
              scalar ? "" : " or of type ", scalar ? "" : type_text(c, own), type_text(c, t));
}

static void check_bounds(Checker *c, const SizedType *s) {
  check_bound(c, s, s->upper, "The upper bound");
  check_bound(c, s, s->lower, "The lower bound");
  check_bound(c, s, s->multiplier, "The multiplier");
  check_bound(c, s, s->offset, "The offset");
  for (int k = 0; k < s->member_count; k++) check_bounds(c, s->members[k]);
}

/* ---- variables ---- */

static bool is_real_number(const Expr *e) {
  return e && e->type->base == T_REAL && e->type->array_dims == 0;
}

static void check_transform(Checker *c, const VarDecl *d) {
  const SizedType *s = d->sized;
  if (!d->global) return;
  if (s->base == T_INT && s->array_dims == 0 &&
      (is_real_number(s->lower) || is_real_number(s->upper))) {
    check_error(c, d->span, "The bounds of an int must be int, but they are real.");
    return;
  }
  if (is_complex(d->type) && s->constraint != C_NONE) {
    check_error(c, d->span, "Complex types cannot be constrained.");
    return;
  }
  bool parameters = c->block == BLOCK_PARAMETERS;
  if ((parameters || c->block == BLOCK_TRANSFORMED_PARAMETERS) && has_int(d->type))
    check_error(c, d->span, "%s cannot be or contain integers.",
                parameters ? "Parameters" : "Transformed parameters");
}

static bool mentions(const Expr *e, const VarDecl *v) {
  if (!e) return false;
  if (e->kind == E_VARIABLE) return e->variable == v;
  for (int k = 0; k < e->arg_count; k++)
    if (mentions(e->args[k], v)) return true;
  for (int k = 0; k < e->index_count; k++)
    if (mentions(e->indices[k].a, v) || mentions(e->indices[k].b, v)) return true;
  return false;
}

static void check_initial_value(Checker *c, VarDecl *d) {
  if (!d->init) return;
  check_expr(c, d->init);
  if (is_error(d->init)) return;
  if (!type_accepts(c, d->type, d->init->type)) {
    check_error(c, d->span, "A value of type %s cannot be assigned to a variable of type %s.",
                type_text(c, d->init->type), type_text(c, d->type));
    return;
  }
  if (mentions(d->init, d))
    diag(c->diagnostics, DIAG_WARNING, d->span,
         "'%s' is used in its own initial value, before it has one.", d->name);
}

void check_declaration(Checker *c, Stmt *s) {
  VarDecl *d = s->decl;
  if (d->sized != c->last_sized) { /* `T a, b` is checked once */
    c->in_size = d->global;
    check_sizes(c, d->sized);
    c->in_size = false;
    check_bounds(c, d->sized);
    c->last_sized = d->sized;
  }
  d->type = sized_type(c->arena, d->sized);
  d->data_only = c->block == BLOCK_DATA || c->block == BLOCK_TRANSFORMED_DATA;
  if (check_identifier(c, d->name_span, d->name) && check_fresh(c, d)) {
    scope_declare(c->scope, d);
    check_initial_value(c, d);
  }
  check_transform(c, d);
}

/* ---- functions ---- */

static const StanType *function_type(Checker *c, const FunDef *f) {
  size_t n = (size_t)f->arg_count;
  const StanType **members = ARENA_ARRAY(c->arena, const StanType *, n + 1);
  bool *data = ARENA_ARRAY(c->arena, bool, n + 1);
  for (size_t k = 0; k < n; k++) {
    members[k] = f->args[k]->type = sized_type(c->arena, f->args[k]->sized);
    data[k] = f->args[k]->data_qualified;
  }
  StanType *t = ARENA_NEW(c->arena, StanType);
  *t = (StanType){.base = T_FUNCTION,
                  .member_count = f->arg_count,
                  .members = members,
                  .data_only = data,
                  .result = sized_type(c->arena, f->result)};
  return t;
}

static bool same_arguments(const StanType *a, const StanType *b) {
  if (a->member_count != b->member_count) return false;
  for (int k = 0; k < a->member_count; k++)
    if (!types_equal(a->members[k], b->members[k])) return false;
  return true;
}

/* The forward declaration that f defines: the same type, `data` included. */
static FunDef *find_declaration(const Symbol *y, const FunDef *f) {
  for (size_t k = 0; y && k < y->function_count; k++)
    if (!y->functions[k]->body && types_equal(y->functions[k]->type, f->type))
      return y->functions[k];
  return NULL;
}

typedef struct {
  const StanType *type;
  const StanType *found; /* the library's result for the same arguments */
} Duplicate;

static bool note_duplicate(void *context, const StanType *signature) {
  Duplicate *d = context;
  if (same_arguments(d->type, signature)) d->found = signature->result;
  return !d->found;
}

/* Whether nothing else has f's name and argument types. */
static bool check_signature_unique(Checker *c, const Symbol *y, const FunDef *f) {
  const StanType *previous = NULL;
  for (size_t k = y ? y->function_count : 0; k-- > 0 && !previous;)
    if (same_arguments(y->functions[k]->type, f->type)) previous = y->functions[k]->type->result;
  Duplicate library = {.type = f->type};
  SignatureQuery query = {.context = &library, .visit = note_duplicate};
  if (!previous) signatures_each(c->arena, f->name, f->arg_count, &query);
  const StanType *result = previous ? previous : library.found;
  if (!result) return true;
  if (!types_equal(result, f->type->result))
    check_error(c, f->span,
                "'%s' cannot be overloaded by its result type alone: there is one of the same "
                "arguments that returns %s.",
                f->name, type_text(c, result));
  else
    check_error(c, f->span, "The function '%s' of type %s %s.", f->name, type_text(c, f->type),
                previous ? "has already been declared" : "is part of Stan's library already");
  return false;
}

static bool check_function_name(Checker *c, const FunDef *f) {
  if (is_forwarding(f->name)) {
    check_error(c, f->name_span, "'%s' is a function of Stan's library that cannot be overloaded.",
                f->name);
    return false;
  }
  if (name_is_unnormalised(f->name)) {
    check_error(c, f->name_span,
                "'%s' cannot be defined: densities are defined as normalised ones, whose names end "
                "in _lpdf or _lpmf.",
                f->name);
    return false;
  }
  return true;
}

/* A definition takes the place of its declaration. */
static void replace_declaration(Checker *c, FunDef *f, FunDef *declaration) {
  Symbol *y = scope_find(c->scope, f->name);
  size_t n = 0;
  for (size_t k = 0; k < y->function_count; k++)
    if (y->functions[k] != declaration) y->functions[n++] = y->functions[k];
  y->function_count = n;
  declaration->definition = f;
}

static void declare_function(Checker *c, FunDef *f) {
  f->type = function_type(c, f);
  const Symbol *y = scope_find(c->scope, f->name);
  FunDef *declaration = find_declaration(y, f);
  bool ok = true;
  if (!c->options.is_library) {
    if (!declaration) ok = check_signature_unique(c, y, f);
    ok = ok && check_function_name(c, f);
  }
  if (!ok) return;
  if (declaration && !f->body) {
    check_error(c, f->span, "The function '%s' has already been declared; now it must be defined.",
                f->name);
    return;
  }
  if (declaration) replace_declaration(c, f, declaration);
  scope_add_function(c->scope, f);
}

void declare_functions(Checker *c) {
  for (int k = 0; k < c->program->function_count; k++)
    declare_function(c, c->program->functions[k]);
}

static bool check_density(Checker *c, const FunDef *f) {
  if (!name_is_conditioned(f->name)) return true;
  const StanType *result = f->type->result;
  if (result->base != T_REAL || result->array_dims) {
    check_error(c, f->span,
                "A probability function, whose name ends in _lpdf, _lpmf, _cdf, _lcdf or _lccdf, "
                "must return a real, not %s.",
                type_text(c, result));
    return false;
  }
  const StanType *outcome = f->arg_count ? f->args[0]->type : NULL;
  bool density = name_ends(f->name, "_lpdf"), mass = name_ends(f->name, "_lpmf");
  if ((density && !(outcome && !is_discrete(outcome))) ||
      (mass && !(outcome && is_discrete(outcome)))) {
    check_error(c, f->span, "The first argument of a probability %s function must be %s%s%s.",
                density ? "density" : "mass", density ? "real" : "int", outcome ? ", not " : "",
                outcome ? type_text(c, outcome) : "");
    return false;
  }
  return true;
}

static bool check_argument_names(Checker *c, const FunDef *f) {
  for (int k = 0; k < f->arg_count; k++)
    for (int j = 0; j < k; j++)
      if (!strcmp(f->args[j]->name, f->args[k]->name)) {
        check_error(c, f->span, "Two arguments of '%s' have the name '%s'.", f->name,
                    f->args[k]->name);
        return false;
      }
  return true;
}

static bool check_head(Checker *c, const FunDef *f) {
  for (int k = 0; k < f->arg_count; k++)
    if (!check_identifier(c, f->args[k]->name_span, f->args[k]->name)) return false;
  if (!check_identifier(c, f->name_span, f->name)) return false;
  if (!c->options.is_library && !check_density(c, f)) return false;
  for (int k = 0; k < f->arg_count; k++)
    if (!check_fresh(c, f->args[k])) return false;
  return check_argument_names(c, f);
}

static void check_function(Checker *c, FunDef *f) {
  if (!check_head(c, f) || !f->body) return;
  size_t mark = scope_mark(c->scope);
  for (int k = 0; k < f->arg_count; k++) scope_declare(c->scope, f->args[k]);
  c->function = f;
  c->suffix = name_suffix(f->name);
  for (int k = 0; k < f->arg_count; k++) check_bounds(c, f->args[k]->sized);
  Flow flow = check_stmt(c, f->body);
  if (f->type->result->base != T_VOID && flow != FLOW_RETURNS)
    check_error(c, f->span, "The function '%s' must return a value in every branch.", f->name);
  c->function = NULL;
  c->suffix = SUFFIX_NONE;
  scope_leave(c->scope, mark);
}

/* Of the functions that are declared but not defined, reports that whose name comes first. */
static void report_undefined(Checker *c) {
  const FunDef *first = NULL;
  for (int k = 0; k < c->program->function_count; k++) {
    const FunDef *f = c->program->functions[k];
    if (f->body || f->definition) continue;
    if (!first || strcmp(f->name, first->name) < 0) first = f;
  }
  if (first)
    check_error(c, first->name_span, "The function '%s' is declared, but not defined.",
                first->name);
}

void check_functions(Checker *c) {
  for (int k = 0; k < c->program->function_count; k++) check_function(c, c->program->functions[k]);
  if (!c->options.allow_undefined && !c->options.is_library) report_undefined(c);
}
