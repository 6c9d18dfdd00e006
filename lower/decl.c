/* Declarations: sizes, values before the first assignment, declared constraints. */
#include "lower/call.h"

static Tr size_value(Tracer *t, const Expr *e) {
  Tr n = tr_settled(t, trace_int(t, e));
  int64_t known;
  if (tr_known_int(n, &known) && known < 0) {
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    return tr_int(t, 0);
  }
  if (n.level) trace_ragged_size(t, e->span, "declaration", n);
  return n;
}

Shape trace_shape(Tracer *t, const SizedType *s, const StanType *type) {
  Shape shape = {0};
  if (s->array_dims > IR_MAX_RANK - 4)
    trace_unsupported(t, s->span, "arrays of more than %d dimensions", IR_MAX_RANK - 4);
  for (int k = 0; k < s->array_dims; k++)
    shape.dims[shape.rank++] = size_value(t, s->array_sizes[k]);
  int own = type_rank(type) - s->array_dims;
  if (s->base == T_TUPLE) own = 0;
  for (int k = 0; k < own; k++)
    shape.dims[shape.rank++] = size_value(t, s->sizes[s->sizes[k] ? k : 0]);
  return shape;
}

static SVal filled(Tracer *t, const SizedType *s, const StanType *type, const Tr *outer,
                   int outer_rank) {
  SVal v = {.type = type};
  Shape shape = trace_shape(t, s, type_array_of(t->arena, type, s->array_dims - type->array_dims));
  if (outer_rank + shape.rank > IR_MAX_RANK - 2)
    trace_unsupported(t, s->span, "containers nested this deep");
  Tr dims[IR_MAX_RANK];
  for (int k = 0; k < outer_rank; k++) dims[k] = outer[k];
  for (int k = 0; k < shape.rank; k++) dims[outer_rank + k] = shape.dims[k];
  int rank = outer_rank + shape.rank;
  if (s->base == T_TUPLE) {
    v.members = ARENA_ARRAY(t->arena, SVal, (size_t)s->member_count);
    for (int k = 0; k < s->member_count; k++)
      v.members[k] =
          filled(t, s->members[k], type_array_of(t->arena, type->members[k], rank), dims, rank);
    return v;
  }
  v.tr = tr_broadcast(t, tr_nothing(t, s->base == T_INT), rank, dims);
  return v;
}

SVal uninitialised(Tracer *t, const SizedType *s, const StanType *type) {
  if (s->base >= T_COMPLEX_VECTOR || s->base == T_COMPLEX)
    if (s->base != T_TUPLE) trace_unsupported(t, s->span, "complex numbers");
  return filled(t, s, type, NULL, 0);
}

/* An initial value must have the declared shape; where it is known not to, Stan throws. */
static SVal fit(Tracer *t, SVal v, SVal declared) {
  if (v.type->base == T_TUPLE) return v;
  for (int k = 0; k < tr_rank(v.tr); k++) {
    int64_t m = tr_static_dim(v.tr, k), n = tr_static_dim(declared.tr, k);
    if (m == IR_DYNAMIC || n == IR_DYNAMIC || m == n) continue;
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    return declared;
  }
  return v;
}

/* Whether Stan's C++ declares local reals as autodiff variables here. Those of our library hold
 * what they are given. */
static bool declared_autodiff(const Tracer *t) {
  return t->frame->function ? t->frame->autodiff : t->block >= BLOCK_PARAMETERS;
}

void trace_declaration(Tracer *t, const Stmt *s) {
  const VarDecl *d = s->decl;
  SVal v = uninitialised(t, d->sized, d->type);
  bool reals = d->type->base != T_INT, held = false;
  if (d->init) {
    SVal init = promote(t, trace_expr(t, d->init), d->type);
    held = init.autodiff;
    v = fit(t, init, v);
  }
  v.autodiff = reals && (t->frame->is_library ? held : declared_autodiff(t));
  bind(t, d, v);
}

/* ---- constraints ---- */

static const char *const constraint_word[] = {[C_ORDERED] = "ordered",
                                              [C_POSITIVE_ORDERED] = "positive_ordered",
                                              [C_SIMPLEX] = "simplex",
                                              [C_UNIT_VECTOR] = "unit_vector",
                                              [C_CHOLESKY_FACTOR_CORR] = "cholesky_factor_corr",
                                              [C_CHOLESKY_FACTOR_COV] = "cholesky_factor",
                                              [C_CORR_MATRIX] = "corr_matrix",
                                              [C_COV_MATRIX] = "cov_matrix",
                                              [C_ROW_STOCHASTIC_MATRIX] = NULL};

static bool is_real_with(Tr x, double *value) {
  const IrTensor *c = x.value->constant;
  if (!c || c->count != 1) return false;
  *value = c->type.dtype == IR_F64   ? c->data.f64[0]
           : c->type.dtype == IR_I64 ? (double)c->data.i64[0]
                                     : 0;
  return c->type.dtype != IR_BOOL;
}

static Tr outside(Tracer *t, Tr x, const Expr *bound, IrOp holds, unsigned fact, double proven) {
  Tr b = trace_expr(t, bound).tr;
  double value;
  if (is_real_with(b, &value) && value == proven && x.value->facts & fact) return (Tr){0};
  if (x.value->type.dtype != b.value->type.dtype) x = as_real(t, x), b = as_real(t, b);
  return tr_not(t, tr_binary(t, holds, x, b));
}

static Tr either(Tracer *t, Tr a, Tr b) {
  if (!a.value) return b;
  return b.value ? tr_binary(t, IR_OR, a, b) : a;
}

/* Of every element of an array of containers: the arrays are entered as levels. */
static Tr broken_containers(Tracer *t, const char *word, Tr x, int array_dims) {
  Level *outer = t->level;
  Tr mask = t->mask;
  t->mask = (Tr){0};
  for (int k = 0; k < array_dims; k++) {
    t->level = level_product(t, t->level, tr_dim(t, x, 0));
    x = tr_enter(t, x, t->level);
  }
  Tr bad = broken_word(t, word, x);
  int axes;
  if (array_dims) bad = tr_leave(t, bad, t->level, outer, &axes);
  t->level = outer;
  t->mask = mask;
  return bad;
}

Tr broken_constraint(Tracer *t, const SizedType *s, SVal v) {
  Tr bad = {0};
  if (s->base == T_TUPLE) return bad;
  if (s->lower) bad = outside(t, v.tr, s->lower, IR_GE, IR_NONNEGATIVE, 0);
  if (s->upper) bad = either(t, bad, outside(t, v.tr, s->upper, IR_LE, IR_AT_MOST_ONE, 1));
  const char *word = s->constraint <= C_CHOLESKY_FACTOR_COV || s->constraint <= C_COV_MATRIX
                         ? constraint_word[s->constraint]
                         : NULL;
  if (word) bad = broken_containers(t, word, v.tr, s->array_dims);
  return bad;
}

void check_declared(Tracer *t, const SizedType *s, SVal v) {
  if (s->base == T_TUPLE) {
    for (int k = 0; k < s->member_count; k++) check_declared(t, s->members[k], v.members[k]);
    return;
  }
  Tr bad = broken_constraint(t, s, v);
  if (bad.value) trace_throw(t, bad);
}

static double known_bound(Tracer *t, const Expr *e, double otherwise) {
  double value;
  if (!e || (e->kind == E_UNARY && e->args[0]->kind > E_REAL)) return otherwise;
  return is_real_with(trace_expr(t, e).tr, &value) ? value : otherwise;
}

void assume_constraint(Tracer *t, const SizedType *s, SVal v) {
  if (s->base == T_TUPLE) {
    for (int k = 0; k < s->member_count; k++) assume_constraint(t, s->members[k], v.members[k]);
    return;
  }
  unsigned facts = IR_NOT_NAN;
  if (s->constraint >= C_LOWER && s->constraint <= C_LOWER_UPPER) {
    if (known_bound(t, s->lower, -1) >= 0) facts |= IR_NONNEGATIVE;
    if (known_bound(t, s->lower, -1) > 0) facts |= IR_POSITIVE;
    if (known_bound(t, s->upper, 2) <= 1) facts |= IR_AT_MOST_ONE;
  }
  if (s->constraint == C_SIMPLEX) facts |= IR_NONNEGATIVE | IR_AT_MOST_ONE;
  if (s->constraint == C_POSITIVE_ORDERED) facts |= IR_NONNEGATIVE;
  ir_assume(v.tr.value, facts);
}
