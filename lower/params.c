/* Parameters: between the unconstrained vector and the declared types. The transforms are library
 * functions. */
#include "lower/call.h"

/* A constraint's transform: the library's functions <name>_jacobian, _constrain, _unconstrain, how
 * many unconstrained values an element has, and which sizes the constraining functions take as
 * well. */
typedef struct {
  const char *name;
  enum {
    FREE_SAME,
    FREE_LESS_ONE,
    FREE_LOWER,
    FREE_STRICT_LOWER,
    FREE_TRAPEZOID,
    FREE_ROWS_LESS_ONE,
    FREE_COLUMNS_LESS_ONE,
    FREE_BOTH_LESS_ONE
  } free;
  int sizes;
} Transform;

static const Transform transforms[] = {
    [C_NONE] = {NULL, FREE_SAME, 0},
    [C_LOWER] = {"lower_bound", FREE_SAME, 0},
    [C_UPPER] = {"upper_bound", FREE_SAME, 0},
    [C_LOWER_UPPER] = {"lower_upper_bound", FREE_SAME, 0},
    [C_OFFSET] = {"offset_multiplier", FREE_SAME, 0},
    [C_MULTIPLIER] = {"offset_multiplier", FREE_SAME, 0},
    [C_OFFSET_MULTIPLIER] = {"offset_multiplier", FREE_SAME, 0},
    [C_ORDERED] = {"ordered", FREE_SAME, 0},
    [C_POSITIVE_ORDERED] = {"positive_ordered", FREE_SAME, 0},
    [C_SIMPLEX] = {"simplex", FREE_LESS_ONE, 0},
    [C_UNIT_VECTOR] = {"unit_vector", FREE_SAME, 0},
    [C_SUM_TO_ZERO_VECTOR] = {"sum_to_zero", FREE_LESS_ONE, 0},
    [C_SUM_TO_ZERO_MATRIX] = {"sum_to_zero", FREE_BOTH_LESS_ONE, 0},
    [C_CHOLESKY_FACTOR_CORR] = {"cholesky_factor_corr", FREE_STRICT_LOWER, 1},
    [C_CHOLESKY_FACTOR_COV] = {"cholesky_factor_cov", FREE_TRAPEZOID, 2},
    [C_CORR_MATRIX] = {"corr_matrix", FREE_STRICT_LOWER, 1},
    [C_COV_MATRIX] = {"cov_matrix", FREE_LOWER, 1},
    [C_COLUMN_STOCHASTIC_MATRIX] = {"stochastic_column", FREE_ROWS_LESS_ONE, 0},
    [C_ROW_STOCHASTIC_MATRIX] = {"stochastic_row", FREE_COLUMNS_LESS_ONE, 0},
};

static Tr less_one(Tracer *t, Tr n) {
  return tr_binary(t, IR_MAX, tr_binary(t, IR_SUB, n, tr_int(t, 1)), tr_int(t, 0));
}

static Tr times(Tracer *t, Tr a, Tr b) { return tr_binary(t, IR_MUL, a, b); }
static Tr half(Tracer *t, Tr a) { return tr_binary(t, IR_DIV, a, tr_int(t, 2)); }

/* The shape of one element's unconstrained values. */
static Shape free_shape(Tracer *t, const SizedType *s, const Shape *declared) {
  const Tr *own = declared->dims + s->array_dims;
  int rank = declared->rank - s->array_dims;
  Shape f = {.rank = rank};
  for (int k = 0; k < rank; k++) f.dims[k] = own[k];
  Tr one = tr_int(t, 1);
  switch (transforms[s->constraint].free) {
  case FREE_SAME: return f;
  case FREE_LESS_ONE: f.dims[0] = less_one(t, own[0]); return f;
  case FREE_ROWS_LESS_ONE: f.dims[0] = less_one(t, own[0]); return f;
  case FREE_COLUMNS_LESS_ONE: f.dims[1] = less_one(t, own[1]); return f;
  case FREE_BOTH_LESS_ONE:
    f.dims[0] = less_one(t, own[0]);
    f.dims[1] = less_one(t, own[1]);
    return f;
  default: break;
  }
  f.rank = 1;
  Tr n = rank > 1 ? own[1] : own[0], lower = half(t, times(t, n, tr_binary(t, IR_ADD, n, one)));
  if (transforms[s->constraint].free == FREE_STRICT_LOWER)
    lower = half(t, times(t, n, less_one(t, n)));
  f.dims[0] = lower;
  if (transforms[s->constraint].free == FREE_TRAPEZOID)
    f.dims[0] = tr_binary(t, IR_ADD, lower, times(t, tr_binary(t, IR_SUB, own[0], n), n));
  return f;
}

static const StanType *unsized(Tracer *t, const SizedType *s, BaseType base) {
  return type_simple(t->arena, base, s->array_dims);
}

/* The number of elements of an array. */
static Tr array_size(Tracer *t, const SizedType *s) {
  Tr n = tr_int(t, 1);
  for (int k = 0; k < s->array_dims; k++) n = times(t, n, trace_int(t, s->array_sizes[k]));
  return n;
}

Tr free_size(Tracer *t, const SizedType *s) {
  Tr n = tr_int(t, 1);
  if (s->base == T_TUPLE) {
    n = tr_int(t, 0);
    for (int k = 0; k < s->member_count; k++)
      n = tr_binary(t, IR_ADD, n, free_size(t, s->members[k]));
    return times(t, n, array_size(t, s));
  }
  Shape declared = trace_shape(t, s, unsized(t, s, s->base)), f = free_shape(t, s, &declared);
  for (int k = 0; k < s->array_dims; k++) n = times(t, n, declared.dims[k]);
  for (int k = 0; k < f.rank; k++) n = times(t, n, f.dims[k]);
  return n;
}

/* Bounds, offsets and multipliers, or the sizes, that a transform's functions take after the value.
 */
static int transform_args(Tracer *t, const SizedType *s, const Shape *declared, bool constraining,
                          SVal *args) {
  const StanType *real = type_simple(t->arena, T_REAL, 0),
                 *integer = type_simple(t->arena, T_INT, 0);
  int n = 0;
  if (s->lower) args[n++] = trace_expr(t, s->lower);
  if (s->upper) args[n++] = trace_expr(t, s->upper);
  if (s->offset || s->multiplier) {
    args[n++] = s->offset ? trace_expr(t, s->offset) : sval(real, tr_real(t, 0), false);
    args[n++] = s->multiplier ? trace_expr(t, s->multiplier) : sval(real, tr_real(t, 1), false);
  }
  for (int k = 0; constraining && k < transforms[s->constraint].sizes; k++)
    args[n++] = sval(integer, declared->dims[s->array_dims + k], false);
  for (int k = 0; k < n; k++)
    if (args[k].type->base == T_INT && s->constraint <= C_OFFSET_MULTIPLIER)
      args[k] = promote(t, args[k], type_simple(t->arena, T_REAL, args[k].type->array_dims));
  return n;
}

/* The unconstrained values of a tensor: arrays by rows, in a matrix column by column. */
static Tr from_flat(Tracer *t, Tr x, const SizedType *s, const Shape *declared, const Shape *f) {
  Tr dims[IR_MAX_RANK];
  int rank = 0;
  for (int k = 0; k < s->array_dims; k++) dims[rank++] = declared->dims[k];
  for (int k = f->rank; k-- > 0;) dims[rank++] = f->dims[k];
  x = tr_reshape(t, x, rank, dims);
  return f->rank == 2 ? tr_transpose(t, x) : x;
}

static Tr to_flat(Tracer *t, Tr x, const Shape *f) {
  if (f->rank == 2) x = tr_transpose(t, x);
  Tr n = tr_int(t, 1);
  for (int k = 0; k < tr_rank(x); k++) n = times(t, n, tr_dim_value(t, x, k));
  return tr_reshape(t, x, 1, &n);
}

static unsigned parameter_facts(Tracer *t, const SizedType *s) {
  unsigned facts = IR_NOT_NAN | IR_FINITE;
  double value;
  const Expr *bounds[2] = {s->lower, s->upper};
  for (int k = 0; k < 2; k++) {
    if (!bounds[k]) continue;
    const IrTensor *c = trace_expr(t, bounds[k]).tr.value->constant;
    if (!c || !ir_tensor_uniform(c) || c->type.dtype == IR_BOOL) continue;
    value = c->type.dtype == IR_F64 ? c->data.f64[0] : (double)c->data.i64[0];
    if (k == 0 && value >= 0) facts |= IR_NONNEGATIVE | IR_POSITIVE;
    if (k == 1 && value <= 1) facts |= IR_AT_MOST_ONE;
  }
  if (s->constraint == C_SIMPLEX || s->constraint == C_POSITIVE_ORDERED)
    facts |= IR_NONNEGATIVE | IR_POSITIVE;
  if (s->constraint == C_SIMPLEX) facts |= IR_AT_MOST_ONE;
  return facts;
}

/* A member of an array of tuples as the array that it makes. */
static const SizedType *member_array(Tracer *t, const SizedType *tuple, int k) {
  SizedType *s = ARENA_NEW(t->arena, SizedType);
  *s = *tuple->members[k];
  s->array_dims += tuple->array_dims;
  s->array_sizes = ARENA_ARRAY(t->arena, Expr *, (size_t)s->array_dims);
  for (int j = 0; j < s->array_dims; j++)
    s->array_sizes[j] = j < tuple->array_dims
                            ? tuple->array_sizes[j]
                            : tuple->members[k]->array_sizes[j - tuple->array_dims];
  return s;
}

static SVal constrain(Tracer *t, const SizedType *s, const StanType *type, Tr flat, Tr *offset);

/* The unconstrained values stand tuple by tuple. */
static SVal constrain_tuples(Tracer *t, const SizedType *s, const StanType *type, Tr flat,
                             Tr *offset) {
  SVal v = {.type = type,
            .autodiff = true,
            .members = ARENA_ARRAY(t->arena, SVal, (size_t)s->member_count)};
  Tr count = array_size(t, s), all = free_size(t, s), at = tr_int(t, 0);
  Tr each = tr_binary(t, IR_DIV, all, tr_binary(t, IR_MAX, count, tr_int(t, 1)));
  Tr rows = tr_reshape(t, tr_slice(t, flat, 0, *offset, all), 2, (Tr[]){count, each});
  *offset = tr_binary(t, IR_ADD, *offset, all);
  for (int k = 0; k < s->member_count; k++) {
    Tr n = free_size(t, s->members[k]), length = times(t, count, n), start = tr_int(t, 0);
    Tr piece = tr_reshape(t, tr_slice(t, rows, 1, at, n), 1, &length);
    v.members[k] =
        constrain(t, member_array(t, s, k),
                  type_array_of(t->arena, type->members[k], s->array_dims), piece, &start);
    at = tr_binary(t, IR_ADD, at, n);
  }
  return v;
}

static SVal constrain(Tracer *t, const SizedType *s, const StanType *type, Tr flat, Tr *offset) {
  if (s->base == T_TUPLE && s->array_dims) return constrain_tuples(t, s, type, flat, offset);
  if (s->base == T_TUPLE) {
    SVal v = {.type = type,
              .autodiff = true,
              .members = ARENA_ARRAY(t->arena, SVal, (size_t)s->member_count)};
    for (int k = 0; k < s->member_count; k++)
      v.members[k] = constrain(t, s->members[k], type->members[k], flat, offset);
    return v;
  }
  if (s->base == T_COMPLEX || s->base >= T_COMPLEX_VECTOR)
    trace_unsupported(t, s->span, "complex numbers");
  Shape declared = trace_shape(t, s, type), f = free_shape(t, s, &declared);
  Tr n = tr_int(t, 1);
  for (int k = 0; k < s->array_dims; k++) n = times(t, n, declared.dims[k]);
  for (int k = 0; k < f.rank; k++) n = times(t, n, f.dims[k]);
  Tr x = from_flat(t, tr_slice(t, flat, 0, *offset, n), s, &declared, &f);
  *offset = tr_binary(t, IR_ADD, *offset, n);
  const Transform *transform = &transforms[s->constraint];
  SVal v = sval(type, x, true);
  if (transform->name) {
    SVal args[6];
    BaseType free_base = f.rank == 2 ? T_MATRIX : f.rank == 1 ? T_VECTOR : T_REAL;
    if (transform->free == FREE_SAME) free_base = s->base;
    args[0] = sval(type_simple(t->arena, free_base, s->array_dims), x, true);
    int count = 1 + transform_args(t, s, &declared, true, args + 1);
    const char *name = arena_printf(t->arena, "%s_jacobian", transform->name);
    v = call_library(t, name, args, count, type, s->span);
    v.autodiff = true;
  }
  ir_assume(v.tr.value, parameter_facts(t, s));
  return v;
}

SVal constrain_parameter(Tracer *t, const VarDecl *d, Tr unconstrained, Tr *offset) {
  return constrain(t, d->sized, d->type, unconstrained, offset);
}

/* ---- parameters alike ---- */

enum { SMALL = 64 }; /* unconstrained values up to which a parameter is worth joining to others */

static bool is_number(const Expr *e, double *x) {
  if (e && e->kind == E_INT) *x = (double)e->integer;
  if (e && e->kind == E_REAL) *x = e->real;
  return e && (e->kind == E_INT || e->kind == E_REAL);
}

static bool same_bound(const Expr *a, const Expr *b) {
  double x, y;
  return (!a && !b) || (is_number(a, &x) && is_number(b, &y) && x == y);
}

static bool is_bounded(const SizedType *s) {
  return s->constraint == C_LOWER || s->constraint == C_UPPER || s->constraint == C_LOWER_UPPER;
}

/* Whether d can be constrained together with `first`, by the same numbers element by element. */
static bool is_alike(Tracer *t, const VarDecl *first, const VarDecl *d) {
  const SizedType *a = first->sized, *b = d->sized;
  int64_t size;
  return is_bounded(a) && a->constraint == b->constraint && same_bound(a->lower, b->lower) &&
         same_bound(a->upper, b->upper) && b->base >= T_REAL && b->base <= T_MATRIX &&
         b->base != T_COMPLEX && tr_known_int(free_size(t, b), &size) && size > 0 && size <= SMALL;
}

int parameters_alike(Tracer *t, VarDecl *const *d, int count) {
  int n = 1;
  if (is_alike(t, d[0], d[0]))
    while (n < count && is_alike(t, d[0], d[n])) n++;
  return n;
}

/* What would be a transform of its own for each is one of all their values. */
void constrain_alike(Tracer *t, VarDecl *const *d, int count, Tr unconstrained, Tr *offset,
                     SVal *out) {
  const StanType *vector = type_simple(t->arena, T_VECTOR, 0);
  const SizedType *first = d[0]->sized;
  Tr total = tr_int(t, 0), at = tr_int(t, 0);
  for (int k = 0; k < count; k++) total = tr_binary(t, IR_ADD, total, free_size(t, d[k]->sized));
  SVal args[6] = {sval(vector, tr_slice(t, unconstrained, 0, *offset, total), true)};
  int arg_count = 1 + transform_args(t, first, NULL, false, args + 1);
  const char *name = arena_printf(t->arena, "%s_jacobian", transforms[first->constraint].name);
  Tr all = call_library(t, name, args, arg_count, vector, first->span).tr;
  ir_assume(all.value, parameter_facts(t, first));
  *offset = tr_binary(t, IR_ADD, *offset, total);
  for (int k = 0; k < count; k++) {
    const SizedType *s = d[k]->sized;
    Shape declared = trace_shape(t, s, d[k]->type), f = free_shape(t, s, &declared);
    Tr n = free_size(t, s);
    out[k] = sval(d[k]->type, from_flat(t, tr_slice(t, all, 0, at, n), s, &declared, &f), true);
    at = tr_binary(t, IR_ADD, at, n);
  }
}

/* ---- back ---- */

static Tr unconstrain(Tracer *t, const SizedType *s, SVal v);

static Tr unconstrain_tuples(Tracer *t, const SizedType *s, SVal v) {
  Tr *parts = ARENA_ARRAY(t->arena, Tr, (size_t)s->member_count), count = array_size(t, s),
     all = free_size(t, s);
  for (int k = 0; k < s->member_count; k++)
    parts[k] = tr_reshape(t, unconstrain(t, member_array(t, s, k), v.members[k]), 2,
                          (Tr[]){count, free_size(t, s->members[k])});
  return tr_reshape(t, tr_concat(t, s->member_count, parts, 1), 1, &all);
}

static Tr unconstrain(Tracer *t, const SizedType *s, SVal v) {
  if (s->base == T_TUPLE && s->array_dims) return unconstrain_tuples(t, s, v);
  if (s->base == T_TUPLE) {
    Tr *parts = ARENA_ARRAY(t->arena, Tr, (size_t)s->member_count);
    for (int k = 0; k < s->member_count; k++)
      parts[k] = unconstrain(t, s->members[k], v.members[k]);
    return tr_concat(t, s->member_count, parts, 0);
  }
  Shape declared = trace_shape(t, s, v.type), f = free_shape(t, s, &declared);
  const Transform *transform = &transforms[s->constraint];
  if (transform->name) {
    SVal args[6] = {v};
    int count = 1 + transform_args(t, s, &declared, false, args + 1);
    const char *name = arena_printf(t->arena, "%s_unconstrain", transform->name);
    BaseType free_base = f.rank == 2 ? T_MATRIX : f.rank == 1 ? T_VECTOR : T_REAL;
    v = call_library(t, name, args, count, type_simple(t->arena, free_base, s->array_dims),
                     s->span);
  }
  return to_flat(t, v.tr, &f);
}

Tr unconstrain_parameter(Tracer *t, const VarDecl *d, SVal v) {
  return unconstrain(t, d->sized, v);
}
