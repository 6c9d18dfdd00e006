/* Types and levels of expressions. */
#include "frontend/check.h"

#include "stdlib_map/signatures.h"

bool is_error(const Expr *e) { return e->type->base == T_ERROR; }

static const AdLevel *fail(Expr *e) {
  e->type = &type_error;
  return &ad_data;
}

static Arg arg_of(const Expr *e, const AdLevel *ad) { return (Arg){e, e->type, ad}; }

/* ---- variables ---- */

static const AdLevel *check_function_name(Checker *c, Expr *e, const Symbol *y) {
  bool generated = c->block == BLOCK_GENERATED_QUANTITIES;
  e->type = &type_library_function;
  if (y && y->function_count) {
    e->function = y->functions[y->function_count - 1];
    e->type = e->function->type;
  }
  return generated ? &ad_data : &ad_autodiff;
}

static const AdLevel *check_variable(Checker *c, Expr *e) {
  if (!check_identifier(c, e->span, e->name)) return fail(e);
  const char *name = name_normalised(c->arena, e->name);
  const Symbol *y = scope_find(c->scope, name);
  VarDecl *v = y ? y->variable : NULL;
  bool function = (y && y->function_count) || signatures_know(name);
  if (!v && !function) {
    check_error(c, e->span, "Identifier '%s' not in scope.%s", e->name, did_you_mean(c, e->name));
    return fail(e);
  }
  if (name_is_unnormalised(e->name) && !c->options.is_library && c->block != BLOCK_MODEL &&
      c->suffix != SUFFIX_LPDF && c->suffix != SUFFIX_LPMF) {
    check_error(c, e->span,
                "The unnormalised density '%s' can only be used in the model block and in "
                "functions whose names end in _lpdf or _lpmf; use '%s'.",
                e->name, name);
    return fail(e);
  }
  if (!v) return check_function_name(c, e, y);
  bool parameter = v->block == BLOCK_PARAMETERS || v->block == BLOCK_TRANSFORMED_PARAMETERS ||
                   v->block == BLOCK_GENERATED_QUANTITIES;
  if (c->in_size && parameter) {
    check_error(c, e->span,
                "The size of a variable at the top level of a block must be made of (transformed) "
                "data alone, but '%s' is declared in the %s block.",
                e->name, block_name(v->block));
    return fail(e);
  }
  e->variable = v;
  e->type = v->type;
  return e->type->base == T_ERROR ? &ad_data : ad_of_variable(c, v);
}

/* ---- operators ---- */

static const AdLevel *check_unary(Checker *c, Expr *e) {
  const AdLevel *ad = check_expr(c, e->args[0]);
  if (is_error(e->args[0])) return fail(e);
  Arg a = arg_of(e->args[0], ad);
  bool transpose = e->kind == E_TRANSPOSE;
  e->type = transpose ? transpose_result(c, &a) : operator_result(c, e->op, &a, NULL);
  if (e->type) return ad;
  check_error(c, e->span, "The %s operator '%s' does not take an operand of type %s.",
              transpose ? "postfix" : "prefix", transpose ? "'" : operator_spelling(e->op),
              type_text(c, a.type));
  return fail(e);
}

static bool is_comparison(const Expr *e) {
  return e->kind == E_BINARY && e->op >= OP_EQ && e->op <= OP_GE;
}

/* Of what has a type, but often another meaning than what was meant. */
static void warn_of_meaning(Checker *c, const Expr *e) {
  const Expr *a = e->args[0], *b = e->args[1];
  if (c->options.is_library) return;
  if (is_comparison(e) && is_comparison(a))
    diag(c->diagnostics, DIAG_WARNING, e->span,
         "Comparisons in a row, x %s y %s z, are read as (x %s y) %s z; x %s y && y %s z may be "
         "what is meant. Parentheses make it clear.",
         operator_spelling(a->op), operator_spelling(e->op), operator_spelling(a->op),
         operator_spelling(e->op), operator_spelling(a->op), operator_spelling(e->op));
  if (e->op == OP_POW && a->type->base == T_MATRIX && b->type->base <= T_REAL)
    diag(c->diagnostics, DIAG_WARNING, a->span,
         "A matrix ^ a number is the power of every element: write .^ if that is meant, or "
         "matrix_power(x, n) for the power of the matrix.");
  if (e->op != OP_DIV || a->type->base != T_INT || b->type->base != T_INT) return;
  diag(c->diagnostics, DIAG_WARNING, a->span,
       "Both operands of this division are int, so its result is rounded towards zero. If that is "
       "meant, write %%/%%; otherwise make one operand a real, as in x * 1.0 / y.");
}

static const AdLevel *check_binary(Checker *c, Expr *e) {
  const AdLevel *x = check_expr(c, e->args[0]), *y = check_expr(c, e->args[1]);
  if (is_error(e->args[0]) || is_error(e->args[1])) return fail(e);
  Arg a = arg_of(e->args[0], x), b = arg_of(e->args[1], y);
  e->type = operator_result(c, e->op, &a, &b);
  if (!e->type) {
    check_error(c, e->span, "The operator '%s' does not take operands of types %s and %s.",
                operator_spelling(e->op), type_text(c, a.type), type_text(c, b.type));
    return fail(e);
  }
  warn_of_meaning(c, e);
  return ad_join(c->arena, x, y);
}

static const AdLevel *check_ternary(Checker *c, Expr *e) {
  const AdLevel *condition = check_expr(c, e->args[0]);
  const AdLevel *yes = check_expr(c, e->args[1]), *no = check_expr(c, e->args[2]);
  const StanType *p = e->args[0]->type, *a = e->args[1]->type, *b = e->args[2]->type;
  if (is_error(e->args[0]) || is_error(e->args[1]) || is_error(e->args[2])) return fail(e);
  if (p->base != T_INT || p->array_dims) {
    check_error(c, e->span, "The condition of ?: must be an int, but it is of type %s.",
                type_text(c, p));
    return fail(e);
  }
  const StanType *type = common_type(c->arena, a, b);
  if (!type || type->base == T_FUNCTION) {
    check_error(c, e->span,
                type ? "The value of ?: cannot be a function (of type %s)."
                     : "The values of ?: must be of one type: they are of types %s and %s.",
                type_text(c, a), type_text(c, b));
    return fail(e);
  }
  e->type = type;
  return ad_join(c->arena, ad_join(c->arena, condition, yes), no);
}

/* ---- containers ---- */

static bool check_members(Checker *c, Expr *e, const AdLevel **ads) {
  bool ok = true;
  for (int k = 0; k < e->arg_count; k++) {
    ads[k] = check_expr(c, e->args[k]);
    ok &= !is_error(e->args[k]);
  }
  return ok;
}

/* The least type of all members from `type` on, or NULL with the member that does not go with
 * those in front of it, of type *so_far. */
static const StanType *member_type(Checker *c, const Expr *e, const StanType *type,
                                   const Expr **odd, const StanType **so_far) {
  for (int k = 0; k < e->arg_count; k++) {
    const StanType *common = common_type(c->arena, type, e->args[k]->type);
    if (!common) {
      *odd = e->args[k];
      *so_far = type;
      return NULL;
    }
    type = common;
  }
  return type;
}

static const AdLevel *join_members(Checker *c, const Expr *e, const AdLevel *const *ads) {
  const AdLevel *ad = &ad_data;
  for (int k = 0; k < e->arg_count; k++) ad = ad_join(c->arena, ad, ads[k]);
  return ad;
}

static const AdLevel *check_array(Checker *c, Expr *e) {
  const AdLevel **ads = ARENA_ARRAY(c->arena, const AdLevel *, (size_t)e->arg_count + 1);
  const Expr *odd = e;
  const StanType *type, *so_far = &type_error;
  if (!check_members(c, e, ads)) return fail(e);
  if (!e->arg_count) {
    check_error(c, e->span, "An array expression must have at least one element.");
    return fail(e);
  }
  type = member_type(c, e, e->args[0]->type, &odd, &so_far);
  if (!type) {
    check_error(c, odd->span,
                "The elements of an array must be of one type: expected %s but found %s.",
                type_text(c, so_far), type_text(c, odd->type));
    return fail(e);
  }
  e->type = type_array_of(c->arena, type, 1);
  return join_members(c, e, ads);
}

/* A row_vector of numbers, or a matrix of row_vectors. */
static const AdLevel *check_row(Checker *c, Expr *e) {
  const AdLevel **ads = ARENA_ARRAY(c->arena, const AdLevel *, (size_t)e->arg_count + 1);
  const Expr *odd = e;
  const StanType *first = &type_real, *type, *so_far = first;
  if (!check_members(c, e, ads)) return fail(e);
  bool rows =
      e->arg_count && e->args[0]->type->array_dims == 0 &&
      (e->args[0]->type->base == T_ROW_VECTOR || e->args[0]->type->base == T_COMPLEX_ROW_VECTOR);
  if (rows) first = e->args[0]->type;
  type = member_type(c, e, first, &odd, &so_far);
  if (!type) {
    check_error(c, odd->span,
                rows ? "All rows of a matrix expression must be row_vectors, but this is of type "
                       "%s."
                     : "All elements of a row_vector expression must be numbers, but this is of "
                       "type %s.",
                type_text(c, odd->type));
    return fail(e);
  }
  BaseType real = rows ? T_MATRIX : T_ROW_VECTOR;
  BaseType complex = rows ? T_COMPLEX_MATRIX : T_COMPLEX_ROW_VECTOR;
  e->type = type_simple(c->arena, is_complex(type) ? complex : real, 0);
  return join_members(c, e, ads);
}

enum { MAX_LEAVES = 10000 };

/* How many values that are no tuples a tuple is made of. */
static int leaves(const StanType *t) {
  if (t->base != T_TUPLE) return 1;
  int n = 0;
  for (int k = 0; k < t->member_count; k++) n += leaves(t->members[k]);
  return n;
}

static const AdLevel *check_tuple(Checker *c, Expr *e) {
  size_t n = (size_t)e->arg_count;
  const AdLevel **ads = ARENA_ARRAY(c->arena, const AdLevel *, n + 1);
  const StanType **members = ARENA_ARRAY(c->arena, const StanType *, n + 1);
  if (!check_members(c, e, ads)) return fail(e);
  if (!n) {
    check_error(c, e->span, "A tuple must have at least one member.");
    return fail(e);
  }
  int total = 0;
  for (size_t k = 0; k < n && total <= MAX_LEAVES; k++) {
    members[k] = e->args[k]->type;
    total += leaves(members[k]);
  }
  if (total > MAX_LEAVES) { /* loops over arrays of tuples could make it grow exponentially */
    check_error(c, e->span, "A tuple cannot be made of more than %d values.", MAX_LEAVES);
    return fail(e);
  }
  e->type = type_tuple(c->arena, members, e->arg_count, 0);
  AdLevel own = {.count = e->arg_count, .members = ads};
  return ad_of_type(c->arena, &own, e->type);
}

/* ---- parts ---- */

static bool is_single(const Index *i) {
  return i->kind == INDEX_SINGLE && i->a->type->array_dims == 0;
}

const AdLevel *check_index(Checker *c, Index *i) {
  if (i->kind == INDEX_ALL) return &ad_data;
  if (i->kind != INDEX_SINGLE) {
    bool ok = true;
    if (i->a) ok &= check_int(c, i->a, "The bound of a range of indices");
    if (i->b) ok &= check_int(c, i->b, "The bound of a range of indices");
    if (!ok) return NULL;
    bool data = (!i->a || i->a->data_only) && (!i->b || i->b->data_only);
    return data ? &ad_data : &ad_autodiff;
  }
  const AdLevel *ad = check_expr(c, i->a);
  const StanType *t = i->a->type;
  if (is_error(i->a)) return NULL;
  if (t->base == T_INT && t->array_dims <= 1) return ad;
  check_error(c, i->a->span,
              "An index must be an int, an array of int or a range, but this is of type %s.",
              type_text(c, t));
  return NULL;
}

/* The type of a vector or matrix of base `b` under the indices that are left after its arrays'. */
static BaseType element_base(BaseType b, const Index *indices, int count) {
  bool complex = b >= T_COMPLEX_VECTOR;
  BaseType row = complex ? T_COMPLEX_ROW_VECTOR : T_ROW_VECTOR;
  BaseType column = complex ? T_COMPLEX_VECTOR : T_VECTOR;
  bool first = is_single(&indices[0]);
  bool matrix = b == T_MATRIX || b == T_COMPLEX_MATRIX;
  if (!matrix) return first ? (complex ? T_COMPLEX : T_REAL) : b;
  if (count == 1) return first ? row : b;
  if (is_single(&indices[1])) return first ? (complex ? T_COMPLEX : T_REAL) : column;
  return first ? row : b;
}

const StanType *indexed_type(Checker *c, Span span, const StanType *base, const Index *indices,
                             int count) {
  int dims = base->base == T_TUPLE || base->base == T_FUNCTION ? base->array_dims : type_rank(base);
  if (count > dims) {
    if (dims == 0)
      check_error(c, span, "A value of type %s cannot be indexed.", type_text(c, base));
    else
      check_error(c, span, "There are too many indices: %d for a value of %d dimension%s (%s).",
                  count, dims, dims == 1 ? "" : "s", type_text(c, base));
    return NULL;
  }
  int kept = base->array_dims, own = count - base->array_dims;
  for (int k = 0; k < count && k < base->array_dims; k++) kept -= is_single(&indices[k]);
  if (own <= 0) return type_array_of(c->arena, base, kept - base->array_dims);
  return type_simple(c->arena, element_base(base->base, indices + base->array_dims, own), kept);
}

const AdLevel *indexed_level(Checker *c, const AdLevel *base, const AdLevel *const *indices,
                             int count, const StanType *type) {
  for (int k = 0; k < count; k++) base = ad_join(c->arena, base, indices[k]);
  return ad_of_type(c->arena, base, type);
}

static const AdLevel *check_indexed(Checker *c, Expr *e) {
  const AdLevel **ads = ARENA_ARRAY(c->arena, const AdLevel *, (size_t)e->index_count + 1);
  bool ok = true;
  for (int k = 0; k < e->index_count; k++) {
    ads[k] = check_index(c, &e->indices[k]);
    ok &= ads[k] != NULL;
  }
  const AdLevel *base = check_expr(c, e->args[0]);
  if (!ok || is_error(e->args[0])) return fail(e);
  e->type = indexed_type(c, e->span, e->args[0]->type, e->indices, e->index_count);
  if (!e->type) return fail(e);
  return indexed_level(c, base, ads, e->index_count, e->type);
}

const StanType *projected_type(Checker *c, const Expr *e) {
  const StanType *t = e->args[0]->type;
  if (t->base != T_TUPLE || t->array_dims) {
    check_error(c, e->span, "Only a tuple has members, but this is of type %s.", type_text(c, t));
    return NULL;
  }
  if (e->integer >= 1 && e->integer <= t->member_count) return t->members[e->integer - 1];
  check_error(c, e->span,
              "There is no member %lld of a tuple of length %d: its members are 1 to %d.",
              (long long)e->integer, t->member_count, t->member_count);
  return NULL;
}

static const AdLevel *check_projection(Checker *c, Expr *e) {
  const AdLevel *ad = check_expr(c, e->args[0]);
  if (is_error(e->args[0])) return fail(e);
  e->type = projected_type(c, e);
  if (!e->type) return fail(e);
  return ad->count ? ad->members[e->integer - 1] : ad;
}

/* ---- all ---- */

static const AdLevel *check_target_read(Checker *c, Expr *e) {
  bool allowed = target_allowed(c) || c->block == BLOCK_TRANSFORMED_PARAMETERS;
  e->type = &type_real;
  if (allowed || c->options.is_library)
    return c->block == BLOCK_GENERATED_QUANTITIES ? &ad_data : &ad_autodiff;
  check_error(c, e->span,
              "The target can only be used in the model block and in functions whose names end in "
              "_lp.");
  return fail(e);
}

static const AdLevel *check_literal(Checker *c, Expr *e) {
  static const BaseType bases[] = {
      [E_INT] = T_INT, [E_REAL] = T_REAL, [E_IMAGINARY] = T_COMPLEX, [E_STRING] = T_STRING};
  e->type = type_simple(c->arena, bases[e->kind], 0);
  return &ad_data;
}

static const AdLevel *check_kind(Checker *c, Expr *e) {
  switch (e->kind) {
  case E_INT:
  case E_REAL:
  case E_IMAGINARY:
  case E_STRING: return check_literal(c, e);
  case E_VARIABLE: return check_variable(c, e);
  case E_UNARY:
  case E_TRANSPOSE: return check_unary(c, e);
  case E_BINARY: return check_binary(c, e);
  case E_TERNARY: return check_ternary(c, e);
  case E_INDEX: return check_indexed(c, e);
  case E_PROJECT: return check_projection(c, e);
  case E_CALL: return check_call(c, e);
  case E_ARRAY: return check_array(c, e);
  case E_ROW: return check_row(c, e);
  case E_TUPLE: return check_tuple(c, e);
  case E_PAREN: {
    const AdLevel *ad = check_expr(c, e->args[0]);
    e->type = e->args[0]->type;
    return ad;
  }
  case E_TARGET: return check_target_read(c, e);
  }
  return fail(e);
}

const AdLevel *check_expr(Checker *c, Expr *e) {
  const AdLevel *ad = check_kind(c, e);
  e->data_only = ad->data;
  return ad;
}

bool check_int(Checker *c, Expr *e, const char *what) {
  check_expr(c, e);
  if (is_error(e)) return false;
  if (e->type->base == T_INT && e->type->array_dims == 0) return true;
  check_error(c, e->span, "%s must be an int, but this is of type %s.", what,
              type_text(c, e->type));
  return false;
}
