/* Domain checks: what the library's functions demand of their arguments, where it does not follow
 * from what is known of them. */
#include "lower/call.h"

#include <string.h>

static Tr compare(Tracer *t, IrOp op, Tr x, double bound) {
  return tr_binary(t, op, x, tr_real(t, bound));
}

/* A check on every element: the facts that make it superfluous, and when it fails (NaN fails all).
 */
typedef struct {
  const char *word;
  unsigned facts;
  Tr (*bad)(Tracer *t, Tr x);
} ElementCheck;

static Tr not_positive(Tracer *t, Tr x) { return tr_not(t, compare(t, IR_GT, x, 0)); }
static Tr not_nonnegative(Tracer *t, Tr x) { return tr_not(t, compare(t, IR_GE, x, 0)); }
static Tr is_nan(Tracer *t, Tr x) { return tr_unary(t, IR_ISNAN, x); }
static Tr not_finite(Tracer *t, Tr x) {
  return tr_not(t, compare(t, IR_LT, tr_unary(t, IR_ABS, x), 1.0 / 0.0));
}
static Tr not_positive_finite(Tracer *t, Tr x) {
  return tr_binary(t, IR_OR, not_positive(t, x), not_finite(t, x));
}

static const ElementCheck element_checks[] = {
    {"positive", IR_POSITIVE, not_positive},
    {"nonnegative", IR_NONNEGATIVE, not_nonnegative},
    {"not_nan", IR_NOT_NAN, is_nan},
    {"finite", IR_FINITE, not_finite},
    {"positive_finite", IR_POSITIVE, not_positive_finite},
};

static Tr last_dim_is(Tracer *t, Tr x) {
  return tr_binary(t, IR_NE, tr_dim_value(t, x, 0), tr_dim_value(t, x, 1));
}

static Tr any_above(Tracer *t, Tr x, double tolerance) {
  return tr_reduce_all(t, IR_REDUCE_ANY,
                       tr_not(t, compare(t, IR_LE, tr_unary(t, IR_ABS, x), tolerance)));
}

static Tr not_simplex(Tracer *t, Tr x) {
  Tr off = tr_binary(t, IR_SUB, tr_reduce_all(t, IR_REDUCE_SUM, x), tr_real(t, 1));
  return tr_binary(t, IR_OR, any_above(t, off, 1e-8),
                   tr_reduce_all(t, IR_REDUCE_ANY, not_nonnegative(t, x)));
}

static Tr not_unit_vector(Tracer *t, Tr x) {
  Tr off = tr_binary(t, IR_SUB, tr_reduce_all(t, IR_REDUCE_SUM, tr_binary(t, IR_MUL, x, x)),
                     tr_real(t, 1));
  return any_above(t, off, 1e-8);
}

static Tr not_ordered(Tracer *t, Tr x) {
  Tr n = tr_binary(t, IR_SUB, tr_dim_value(t, x, 0), tr_int(t, 1));
  n = tr_binary(t, IR_MAX, n, tr_int(t, 0));
  Tr one = tr_binary(t, IR_MIN, tr_dim_value(t, x, 0), tr_int(t, 1));
  Tr rises = tr_binary(t, IR_GT, tr_slice(t, x, 0, one, n), tr_slice(t, x, 0, tr_int(t, 0), n));
  return tr_reduce_all(t, IR_REDUCE_ANY, tr_not(t, rises));
}

static Tr not_positive_ordered(Tracer *t, Tr x) {
  return tr_binary(t, IR_OR, not_ordered(t, x),
                   tr_reduce_all(t, IR_REDUCE_ANY, not_nonnegative(t, x)));
}

static Tr not_symmetric(Tracer *t, Tr x) {
  return any_above(t, tr_binary(t, IR_SUB, x, tr_transpose(t, x)), 1e-8);
}

/* true below (above) the diagonal, as a matrix like x */
static Tr triangle(Tracer *t, Tr x, IrOp op) {
  Tr rows = tr_dim_value(t, x, 0), columns = tr_dim_value(t, x, 1);
  Tr i = tr_unsqueeze(t, tr_emit(t, IR_IOTA, (IrAttr){0}, 1, &rows), 1);
  Tr j = tr_unsqueeze(t, tr_emit(t, IR_IOTA, (IrAttr){0}, 1, &columns), 0);
  return tr_binary(t, op, i, j);
}

static Tr not_lower_triangular(Tracer *t, Tr x) {
  return any_above(t, tr_select(t, triangle(t, x, IR_LT), x, tr_real(t, 0)), 0);
}

static Tr diagonal_not_positive(Tracer *t, Tr x) {
  Tr diagonal = tr_select(t, triangle(t, x, IR_EQ), x, tr_real(t, 1));
  return tr_reduce_all(t, IR_REDUCE_ANY, not_positive(t, diagonal));
}

static Tr not_cholesky_factor(Tracer *t, Tr x) {
  return tr_binary(t, IR_OR, not_lower_triangular(t, x), diagonal_not_positive(t, x));
}

static Tr not_cholesky_factor_corr(Tracer *t, Tr x) {
  Tr norms = tr_reduce(t, IR_REDUCE_SUM, tr_binary(t, IR_MUL, x, x), 1);
  Tr off = any_above(t, tr_binary(t, IR_SUB, norms, tr_real(t, 1)), 1e-8);
  return tr_binary(t, IR_OR, off, not_cholesky_factor(t, x));
}

static Tr not_corr_matrix(Tracer *t, Tr x) {
  Tr off =
      tr_select(t, triangle(t, x, IR_EQ), tr_binary(t, IR_SUB, x, tr_real(t, 1)), tr_real(t, 0));
  return tr_binary(t, IR_OR, any_above(t, off, 1e-8), not_symmetric(t, x));
}

static Tr not_cov_matrix(Tracer *t, Tr x) {
  return tr_binary(t, IR_OR, not_symmetric(t, x), diagonal_not_positive(t, x));
}

/* Checks of a container as a whole. */
static const struct {
  const char *word;
  Tr (*bad)(Tracer *t, Tr x);
} container_checks[] = {
    {"simplex", not_simplex},
    {"unit_vector", not_unit_vector},
    {"ordered", not_ordered},
    {"positive_ordered", not_positive_ordered},
    {"square", last_dim_is},
    {"symmetric", not_symmetric},
    {"lower_triangular", not_lower_triangular},
    {"cholesky_factor", not_cholesky_factor},
    {"cholesky_factor_corr", not_cholesky_factor_corr},
    {"corr_matrix", not_corr_matrix},
    {"cov_matrix", not_cov_matrix},
};

Tr broken_word(Tracer *t, const char *word, Tr x) {
  for (size_t k = 0; k < sizeof element_checks / sizeof *element_checks; k++)
    if (!strcmp(word, element_checks[k].word)) return element_checks[k].bad(t, x);
  for (size_t k = 0; k < sizeof container_checks / sizeof *container_checks; k++)
    if (!strcmp(word, container_checks[k].word)) return container_checks[k].bad(t, x);
  diag_fatal(t->diagnostics, DIAG_INTERNAL, t->span, "the library uses an unknown constraint '%s'",
             word);
}

static bool follows(const char *word, Tr x) {
  for (size_t k = 0; k < sizeof element_checks / sizeof *element_checks; k++)
    if (!strcmp(word, element_checks[k].word))
      return x.value->type.dtype != IR_F64 ||
             (x.value->facts & element_checks[k].facts) == element_checks[k].facts;
  return false;
}

static void check_bound(Tracer *t, Tr x, const Expr *bound, IrOp holds) {
  if (!bound) return;
  Tr b = trace_expr(t, bound).tr;
  double value =
      b.value->constant && b.value->constant->type.dtype == IR_F64 && b.value->constant->count == 1
          ? b.value->constant->data.f64[0]
          : -1;
  if (b.value->constant && b.value->constant->type.dtype == IR_I64 && b.value->constant->count == 1)
    value = (double)b.value->constant->data.i64[0];
  unsigned facts = x.value->facts;
  if (holds == IR_GE && value == 0 && facts & IR_NONNEGATIVE) return;
  if (holds == IR_LE && value == 1 && facts & IR_AT_MOST_ONE) return;
  if (x.value->type.dtype != b.value->type.dtype) {
    x = as_real(t, x);
    b = as_real(t, b);
  }
  trace_throw(t, tr_not(t, tr_binary(t, holds, x, b)));
}

/* Whether a violation shows by itself where the argument depends on parameters: the density is not
 * finite then. */
static bool is_evident(const SizedType *s) {
  for (int k = 0; k < s->attribute_count; k++)
    if (!strcmp(s->attributes[k], "evident")) return true;
  return false;
}

/* Whether all that is demanded of an argument follows from what is known of it. */
static bool is_proven(const SizedType *s, Tr x) {
  if (s->lower || s->upper) return false;
  for (int j = 0; j < s->attribute_count; j++)
    if (strcmp(s->attributes[j], "evident") && !follows(s->attributes[j], x)) return false;
  return true;
}

static void check_argument(Tracer *t, const FunDef *f, int k, Tr x) {
  const SizedType *s = f->args[k]->sized;
  if (x.varying && is_evident(s)) {
    t->evident |= !is_proven(s, x);
    return;
  }
  check_bound(t, x, s->lower, IR_GE);
  check_bound(t, x, s->upper, IR_LE);
  for (int j = 0; j < s->attribute_count; j++)
    if (strcmp(s->attributes[j], "evident") && !follows(s->attributes[j], x))
      trace_throw(t, broken_word(t, s->attributes[j], x));
}

void check_domains(Tracer *t, const FunDef *f) {
  for (int k = 0; k < f->arg_count; k++) {
    const SVal *v = &lookup(t, f->args[k])->value;
    if (v->type->base != T_TUPLE && v->tr.value) check_argument(t, f, k, v->tr);
  }
}

void check_call_domains(Tracer *t, Frame *frame, const SVal *args, int count) {
  Frame *caller = t->frame;
  const FunDef *f = frame->function;
  t->frame = frame;
  for (int k = 0; k < count; k++) bind(t, f->args[k], promote(t, args[k], f->args[k]->type));
  check_domains(t, f);
  frame->count = 0;
  t->frame = caller;
}

void check_elementwise_domains(Tracer *t, const FunDef *f, const SVal *args, int count) {
  bool any = false;
  for (int k = 0; k < f->arg_count; k++)
    any |=
        f->args[k]->sized->lower || f->args[k]->sized->upper || f->args[k]->sized->attribute_count;
  if (!any || t->unchecked) return;
  Frame frame = {.function = f, .is_library = true}, *caller = t->frame;
  t->frame = &frame;
  for (int k = 0; k < count; k++) {
    SVal v = args[k];
    if (f->args[k]->type->base == T_REAL) v.tr = as_real(t, v.tr);
    bind(t, f->args[k], v);
  }
  check_domains(t, f);
  t->frame = caller;
}
