/* Library functions that are IR ops, or shapes: everything else in the library is written in Stan.
 */
#include "lower/call.h"
#include "lower/inference.h"
#include "lower/random.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct {
  Tracer *t;
  SVal *args;
  int count;
  const StanType *type; /* of the result */
} Call;

static Tr arg(const Call *c, int k) { return c->args[k].tr; }
static Tr real_arg(const Call *c, int k) { return as_real(c->t, c->args[k].tr); }
static Tr int_arg(const Call *c, int k) { return as_int(c->t, c->args[k].tr); }
static bool is_int(const Call *c, int k) { return c->args[k].type->base == T_INT; }
/* a number in the result's representation */
static Tr typed_arg(const Call *c, int k) {
  return c->type->base == T_INT ? int_arg(c, k) : real_arg(c, k);
}
static bool autodiff(const Call *c) {
  bool any = false;
  for (int k = 0; k < c->count; k++) any |= c->args[k].autodiff;
  return any;
}

/* ---- elementwise ---- */

static Tr f_abs(const Call *c) { return tr_unary(c->t, IR_ABS, typed_arg(c, 0)); }
static Tr f_square(const Call *c) {
  Tr x = real_arg(c, 0);
  return tr_binary(c->t, IR_MUL, x, x);
}
static Tr f_inv(const Call *c) { return tr_binary(c->t, IR_DIV, tr_real(c->t, 1), real_arg(c, 0)); }
static Tr f_inv_sqrt(const Call *c) {
  return tr_binary(c->t, IR_DIV, tr_real(c->t, 1), tr_unary(c->t, IR_SQRT, real_arg(c, 0)));
}
static Tr f_inv_square(const Call *c) {
  Tr x = real_arg(c, 0);
  return tr_binary(c->t, IR_DIV, tr_real(c->t, 1), tr_binary(c->t, IR_MUL, x, x));
}
static Tr f_step(const Call *c) { return tr_binary(c->t, IR_GE, real_arg(c, 0), tr_real(c->t, 0)); }
static Tr f_int_step(const Call *c) {
  return tr_binary(c->t, IR_GT, real_arg(c, 0), tr_real(c->t, 0));
}
static Tr f_to_int(const Call *c) {
  Tr x = real_arg(c, 0);
  return is_int(c, 0) ? int_arg(c, 0) : tr_cast(c->t, x, IR_I64);
}
static Tr f_logical_negation(const Call *c) { return tr_not(c->t, as_bool(c->t, arg(c, 0))); }
static Tr f_is_nan(const Call *c) { return tr_unary(c->t, IR_ISNAN, real_arg(c, 0)); }
static Tr f_is_inf(const Call *c) { return tr_unary(c->t, IR_ISINF, real_arg(c, 0)); }
static Tr f_minus(const Call *c) { return tr_unary(c->t, IR_NEG, typed_arg(c, 0)); }
static Tr f_plus(const Call *c) { return typed_arg(c, 0); }
static Tr f_transpose(const Call *c) {
  return tr_rank(arg(c, 0)) > 1 ? tr_transpose(c->t, arg(c, 0)) : arg(c, 0);
}
static Tr f_identity(const Call *c) { return real_arg(c, 0); }
static Tr f_sign_of(const Call *c) { return tr_unary(c->t, IR_SIGN, real_arg(c, 0)); }
static Tr f_greater_of(const Call *c) {
  return tr_binary(c->t, IR_MAX, real_arg(c, 0), real_arg(c, 1));
}
static Tr f_lesser_of(const Call *c) {
  return tr_binary(c->t, IR_MIN, real_arg(c, 0), real_arg(c, 1));
}
static Tr f_fmod(const Call *c) { return tr_binary(c->t, IR_MOD, real_arg(c, 0), real_arg(c, 1)); }

/* ---- reductions ---- */

static Tr f_sum(const Call *c) { return tr_reduce_all(c->t, IR_REDUCE_SUM, typed_arg(c, 0)); }
static Tr f_prod(const Call *c) { return tr_reduce_all(c->t, IR_REDUCE_PROD, typed_arg(c, 0)); }

static Tr extremum(const Call *c, IrOp pair, IrOp all) {
  Tr x = typed_arg(c, 0);
  if (c->count == 2) return tr_binary(c->t, pair, x, typed_arg(c, 1));
  if (tr_rank(x) == 0) return x;
  for (int k = 0; k < tr_rank(x) && c->type->base == T_INT; k++)
    if (tr_static_dim(x, k) == 0) { /* of no integers there is none: Stan throws */
      trace_throw(c->t, tr_const(ir_bool(c->t->b, true)));
      return tr_int(c->t, 0);
    }
  return tr_reduce_all(c->t, all, x);
}
static Tr f_min(const Call *c) { return extremum(c, IR_MIN, IR_REDUCE_MIN); }
static Tr f_max(const Call *c) { return extremum(c, IR_MAX, IR_REDUCE_MAX); }

static Tr f_cumulative_sum(const Call *c) {
  Tr x = typed_arg(c, 0);
  return tr_emit(c->t, IR_CUMSUM, (IrAttr){0}, 1, &x);
}

static Tr f_dot_product(const Call *c) {
  Expr at = {.kind = E_BINARY, .span = c->t->span, .type = c->args[0].type};
  SVal products = trace_operator(c->t, &at, OP_ELT_MUL, c->args[0], c->args[1]);
  return tr_reduce_all(c->t, IR_REDUCE_SUM, as_real(c->t, products.tr));
}

/* ---- sizes ---- */

static Tr f_size(const Call *c) {
  const SVal *v = &c->args[0];
  while (v->type->base == T_TUPLE) v = &v->members[0];
  if (tr_rank(v->tr) == 0) return tr_int(c->t, 1);
  if (c->args[0].type->array_dims == 0 && tr_rank(v->tr) == 2)
    return tr_binary(c->t, IR_MUL, tr_dim_value(c->t, v->tr, 0), tr_dim_value(c->t, v->tr, 1));
  return tr_dim_value(c->t, v->tr, 0);
}

static Tr f_num_elements(const Call *c) {
  Tr n = tr_int(c->t, 1), x = arg(c, 0);
  for (int k = 0; k < tr_rank(x); k++) n = tr_binary(c->t, IR_MUL, n, tr_dim_value(c->t, x, k));
  return n;
}

static Tr f_rows(const Call *c) {
  return c->args[0].type->base == T_ROW_VECTOR ? tr_int(c->t, 1) : tr_dim_value(c->t, arg(c, 0), 0);
}

static Tr f_cols(const Call *c) {
  if (c->args[0].type->base == T_VECTOR) return tr_int(c->t, 1);
  return tr_dim_value(c->t, arg(c, 0), tr_rank(arg(c, 0)) - 1);
}

static Tr f_dims(const Call *c) {
  Tr parts[IR_MAX_RANK], x = arg(c, 0), zero = tr_int(c->t, 0);
  int n = tr_rank(x);
  for (int k = 0; k < n; k++) parts[k] = tr_unsqueeze(c->t, tr_dim_value(c->t, x, k), 0);
  return n ? tr_concat(c->t, n, parts, 0) : tr_broadcast(c->t, zero, 1, &zero);
}

/* ---- filling ---- */

static Tr fill(const Call *c, Tr x, int rank, int first) {
  Tr dims[IR_MAX_RANK];
  int own = tr_rank(x);
  for (int k = 0; k < rank; k++) {
    dims[k] = int_arg(c, first + k);
    int64_t n;
    if (tr_known_int(dims[k], &n) && n < 0) {
      trace_throw(c->t, tr_const(ir_bool(c->t->b, true)));
      dims[k] = tr_int(c->t, 0);
    }
  }
  for (int k = 0; k < own; k++) dims[rank + k] = tr_dim_value(c->t, x, k);
  return tr_broadcast(c->t, x, rank + own, dims);
}

static Tr f_rep(const Call *c) { return fill(c, typed_arg(c, 0), c->count - 1, 1); }

static Tr f_rep_matrix(const Call *c) {
  if (c->args[0].type->base != T_VECTOR) return fill(c, real_arg(c, 0), c->count - 1, 1);
  Tr x = tr_unsqueeze(c->t, real_arg(c, 0), 1), dims[2] = {tr_dim_value(c->t, x, 0), int_arg(c, 1)};
  return tr_broadcast(c->t, x, 2, dims);
}

static Tr constant_fill(const Call *c, double x) {
  return fill(c, c->type->base == T_INT ? tr_int(c->t, (int64_t)x) : tr_real(c->t, x), c->count, 0);
}
static Tr f_zeros(const Call *c) { return constant_fill(c, 0); }
static Tr f_ones(const Call *c) { return constant_fill(c, 1); }

/* ---- reshaping: Stan's containers convert in column-major order ---- */

static Tr flat_row_major(const Call *c, Tr x) {
  Tr n = f_num_elements(c);
  return tr_reshape(c->t, x, 1, &n);
}

/* All elements of a value: of arrays the last index fastest, inside a matrix the first. */
static Tr f_to_vector(const Call *c) {
  Tr x = typed_arg(c, 0);
  if (tr_rank(x) == 1) return x;
  if (tr_rank(x) == 0) return tr_unsqueeze(c->t, x, 0);
  return flat_row_major(c, c->args[0].type->base == T_MATRIX ? tr_transpose(c->t, x) : x);
}

static Tr f_to_matrix(const Call *c) {
  Tr x = real_arg(c, 0);
  Tracer *t = c->t;
  if (c->count == 1) {
    BaseType base = c->args[0].type->base;
    if (tr_rank(x) == 2) return x;
    return tr_unsqueeze(t, x, base == T_ROW_VECTOR ? 0 : 1);
  }
  bool by_columns = true;
  if (c->count == 4) {
    Tr flag = as_bool(t, arg(c, 3));
    if (!tr_known_bool(flag, &by_columns))
      trace_unsupported(t, t->span, "to_matrix with an order that is not a constant");
  }
  Tr m = int_arg(c, 1), n = int_arg(c, 2), flat = f_to_vector(c);
  int64_t rows, columns, have = tr_static_dim(flat, 0);
  if (tr_known_int(m, &rows) && tr_known_int(n, &columns) && have != IR_DYNAMIC &&
      rows * columns != have) {
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    Tr dims[2] = {m, n};
    return tr_broadcast(t, tr_real(t, 0), 2, dims);
  }
  if (!by_columns) return tr_reshape(t, flat, 2, (Tr[]){m, n});
  return tr_transpose(t, tr_reshape(t, flat, 2, (Tr[]){n, m}));
}

static Tr f_to_array_2d(const Call *c) { return arg(c, 0); }

/* A container as the pieces of a concatenation along `axis` of a rank-`rank` result. */
static Tr piece(const Call *c, int k, int rank, int axis) {
  Tr x = typed_arg(c, k);
  while (tr_rank(x) < rank) x = tr_unsqueeze(c->t, x, axis);
  return x;
}

static Tr append(const Call *c, int axis) {
  int rank = type_rank(c->type);
  Tr parts[2] = {piece(c, 0, rank, axis), piece(c, 1, rank, axis)};
  return tr_concat(c->t, 2, parts, axis);
}
static Tr f_append_row(const Call *c) { return append(c, 0); }
static Tr f_append_col(const Call *c) { return append(c, type_rank(c->type) - 1); }

/* `length` elements of an own axis of x from number `start` on. Where they are known not to be
 * there, Stan throws. */
static Tr part(const Call *c, Tr x, int axis, Tr start, Tr length) {
  Tracer *t = c->t;
  Tr zero = tr_int(t, 0), first = tr_binary(t, IR_SUB, start, tr_int(t, 1));
  Tr beyond = tr_binary(t, IR_GT, tr_binary(t, IR_ADD, first, length), tr_dim_value(t, x, axis));
  Tr bad = tr_binary(t, IR_OR, tr_binary(t, IR_LT, first, zero), beyond);
  bad = tr_binary(t, IR_OR, tr_binary(t, IR_LT, length, zero),
                  tr_binary(t, IR_AND, tr_binary(t, IR_GT, length, zero), bad));
  bool known;
  int64_t n;
  if (tr_known_bool(bad, &known) && known) {
    trace_throw(t, bad);
    length = zero;
  }
  if (tr_known_int(length, &n) && n == 0) first = zero;
  if (!first.level) return tr_slice(t, x, axis, first, length);
  Tr at = tr_emit(t, IR_IOTA, (IrAttr){0}, 1, &length); /* differs between a loop's iterations */
  return tr_gather(t, x, tr_binary(t, IR_ADD, at, tr_unsqueeze(t, first, 0)), axis);
}

static Tr f_head(const Call *c) {
  return part(c, typed_arg(c, 0), 0, tr_int(c->t, 1), int_arg(c, 1));
}
static Tr f_tail(const Call *c) {
  Tr x = typed_arg(c, 0), n = int_arg(c, 1), one = tr_int(c->t, 1);
  Tr before = tr_binary(c->t, IR_SUB, tr_dim_value(c->t, x, 0), n);
  return part(c, x, 0, tr_binary(c->t, IR_ADD, before, one), n);
}
static Tr f_segment(const Call *c) {
  return part(c, typed_arg(c, 0), 0, int_arg(c, 1), int_arg(c, 2));
}
static Tr f_block(const Call *c) {
  Tr rows = part(c, real_arg(c, 0), 0, int_arg(c, 1), int_arg(c, 3));
  return part(c, rows, 1, int_arg(c, 2), int_arg(c, 4));
}

static Tr f_reverse(const Call *c) {
  Tr x = typed_arg(c, 0);
  return tr_emit(c->t, IR_REVERSE, (IrAttr){0}, 1, &x);
}

/* ---- sorting ---- */

static Tr sorted_indices(const Call *c, bool descending) {
  Tr x = real_arg(c, 0);
  return tr_emit(c->t, IR_ARGSORT, (IrAttr){.reverse = descending}, 1, &x);
}
static Tr gather_sorted(const Call *c, bool descending) {
  Tr x = is_int(c, 0) ? int_arg(c, 0) : real_arg(c, 0);
  trace_throw(c->t, tr_unary(c->t, IR_ISNAN, real_arg(c, 0)));
  return tr_gather(c->t, x, sorted_indices(c, descending), 0);
}
static Tr f_sort_asc(const Call *c) { return gather_sorted(c, false); }
static Tr f_sort_desc(const Call *c) { return gather_sorted(c, true); }
static Tr f_sort_indices_asc(const Call *c) {
  return tr_binary(c->t, IR_ADD, sorted_indices(c, false), tr_int(c->t, 1));
}
static Tr f_sort_indices_desc(const Call *c) {
  return tr_binary(c->t, IR_ADD, sorted_indices(c, true), tr_int(c->t, 1));
}

/* ---- random numbers ---- */

static Tr f_unit_rng(const Call *c) {
  Tr n = c->count ? int_arg(c, 0) : (Tr){0};
  return draw_units(c->t, c->count, &n);
}

static Tr f_numbered_units(const Call *c) { return draw_numbered(c->t, arg(c, 0), int_arg(c, 1)); }

/* ---- chains ---- */

static Tr f_over_chains(const Call *c) {
  return tr_const(tr_unary(c->t, IR_TOTAL, real_arg(c, 0)).value);
}
static Tr of_some(const Call *c, Tr x, bool nonempty) {
  return tr_const(tr_emit(c->t, IR_SOME, (IrAttr){.nonempty = nonempty}, 1, &x).value);
}
static Tr f_some_chain(const Call *c) { return of_some(c, as_bool(c->t, arg(c, 0)), true); }

/* Whether some element of some chain is not 0. Of chains, or of draws, there may be none. */
static Tr f_some_anywhere(const Call *c) {
  return of_some(c, tr_reduce_all(c->t, IR_REDUCE_ANY, as_bool(c->t, arg(c, 0))), false);
}

/* Whether x is known to have so many elements that a branch around them costs little. */
static Tr f_has_many(const Call *c) {
  enum { MANY = 500 };
  return tr_int(c->t, tr_static_dim(arg(c, 0), 0) > MANY);
}

/* ---- tables ---- */

static const struct {
  const char *name;
  IrOp op;
} unary_ops[] = {{"exp", IR_EXP}, {"log", IR_LOG},   {"sqrt", IR_SQRT},   {"sin", IR_SIN},
                 {"cos", IR_COS}, {"tanh", IR_TANH}, {"floor", IR_FLOOR}, {"ceil", IR_CEIL}};

/* Functions that are operators by another name. */
static const struct {
  const char *name;
  Operator op;
} operators[] = {{"add", OP_ADD},        {"subtract", OP_SUB},         {"multiply", OP_MUL},
                 {"divide", OP_DIV},     {"elt_multiply", OP_ELT_MUL}, {"elt_divide", OP_ELT_DIV},
                 {"pow", OP_POW},        {"modulus", OP_MOD},          {"logical_eq", OP_EQ},
                 {"logical_neq", OP_NE}, {"logical_lt", OP_LT},        {"logical_lte", OP_LE},
                 {"logical_gt", OP_GT},  {"logical_gte", OP_GE},       {"logical_and", OP_AND},
                 {"logical_or", OP_OR}};

static const struct {
  const char *name;
  double value;
} constants[] = {{"pi", 3.14159265358979323846},    {"e", 2.71828182845904523536},
                 {"sqrt2", 1.41421356237309504880}, {"log2", 0.69314718055994530942},
                 {"log10", 2.30258509299404568402}, {"positive_infinity", INFINITY},
                 {"negative_infinity", -INFINITY},  {"not_a_number", NAN},
                 {"machine_precision", DBL_EPSILON}};

/* least and most arguments; whether the function is for scalars and containers of reals (not
 * tuples) */
static const struct {
  const char *name;
  int least, most;
  Tr (*trace)(const Call *c);
} functions[] = {
    {"abs", 1, 1, f_abs},
    {"fabs", 1, 1, f_abs},
    {"square", 1, 1, f_square},
    {"inv", 1, 1, f_inv},
    {"inv_sqrt", 1, 1, f_inv_sqrt},
    {"inv_square", 1, 1, f_inv_square},
    {"step", 1, 1, f_step},
    {"int_step", 1, 1, f_int_step},
    {"to_int", 1, 1, f_to_int},
    {"logical_negation", 1, 1, f_logical_negation},
    {"is_nan", 1, 1, f_is_nan},
    {"is_inf", 1, 1, f_is_inf},
    {"minus", 1, 1, f_minus},
    {"plus", 1, 1, f_plus},
    {"transpose", 1, 1, f_transpose},
    {"sum", 1, 1, f_sum},
    {"prod", 1, 1, f_prod},
    {"min", 1, 2, f_min},
    {"max", 1, 2, f_max},
    {"cumulative_sum", 1, 1, f_cumulative_sum},
    {"dot_product", 2, 2, f_dot_product},
    {"size", 1, 1, f_size},
    {"num_elements", 1, 1, f_num_elements},
    {"rows", 1, 1, f_rows},
    {"cols", 1, 1, f_cols},
    {"dims", 1, 1, f_dims},
    {"rep_vector", 2, 2, f_rep},
    {"rep_row_vector", 2, 2, f_rep},
    {"rep_array", 2, IR_MAX_RANK, f_rep},
    {"rep_matrix", 2, 3, f_rep_matrix},
    {"zeros_vector", 1, 1, f_zeros},
    {"zeros_row_vector", 1, 1, f_zeros},
    {"zeros_array", 1, 1, f_zeros},
    {"zeros_int_array", 1, 1, f_zeros},
    {"ones_vector", 1, 1, f_ones},
    {"ones_row_vector", 1, 1, f_ones},
    {"ones_array", 1, 1, f_ones},
    {"ones_int_array", 1, 1, f_ones},
    {"to_vector", 1, 1, f_to_vector},
    {"to_row_vector", 1, 1, f_to_vector},
    {"to_array_1d", 1, 1, f_to_vector},
    {"to_array_2d", 1, 1, f_to_array_2d},
    {"to_matrix", 1, 4, f_to_matrix},
    {"append_row", 2, 2, f_append_row},
    {"append_col", 2, 2, f_append_col},
    {"append_array", 2, 2, f_append_row},
    {"head", 2, 2, f_head},
    {"tail", 2, 2, f_tail},
    {"segment", 3, 3, f_segment},
    {"block", 5, 5, f_block},
    {"reverse", 1, 1, f_reverse},
    {"sort_asc", 1, 1, f_sort_asc},
    {"sort_desc", 1, 1, f_sort_desc},
    {"sort_indices_asc", 1, 1, f_sort_indices_asc},
    {"sort_indices_desc", 1, 1, f_sort_indices_desc},
    {"to_real", 1, 1, f_identity},
    /* what stdlib_map/special/extrema.stan and rounding.stan define, as one op each */
    {"sign_of", 1, 1, f_sign_of},
    {"greater_of", 2, 2, f_greater_of},
    {"lesser_of", 2, 2, f_lesser_of},
    {"fmod", 2, 2, f_fmod},
    {"unit_rng", 0, 1, f_unit_rng},
    /* what stdlib_map/inference/target.stan declares */
    {"numbered_units", 2, 2, f_numbered_units},
    {"some_chain", 1, 1, f_some_chain},
    {"over_chains", 1, 1, f_over_chains},
    /* what stdlib_map/containers/branches.stan declares */
    {"some_anywhere", 1, 1, f_some_anywhere},
    {"has_many", 1, 1, f_has_many},
};

static bool call_operator(Tracer *t, Operator op, SVal *args, const StanType *type, SVal *result) {
  Expr at = {.kind = E_BINARY, .span = t->span, .type = type};
  SVal b = args[1];
  if (op == OP_DIV && tr_rank(b.tr) && args[0].type->base != T_MATRIX &&
      args[0].type->base != T_ROW_VECTOR)
    return false;
  *result = trace_operator(t, &at, op, args[0], b);
  return true;
}

bool call_intrinsic(Tracer *t, const char *name, SVal *args, int count, const StanType *type,
                    SVal *result) {
  for (int k = 0; k < count; k++)
    if (args[k].type->base == T_TUPLE && strcmp(name, "size")) return false;
  Call c = {t, args, count, type};
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
    if (!strcmp(functions[k].name, name) && count >= functions[k].least &&
        count <= functions[k].most) {
      *result = sval(type, functions[k].trace(&c), autodiff(&c));
      return true;
    }
  if (count == 1)
    for (size_t k = 0; k < sizeof unary_ops / sizeof *unary_ops; k++)
      if (!strcmp(unary_ops[k].name, name)) {
        *result = sval(type, tr_unary(t, unary_ops[k].op, real_arg(&c, 0)), autodiff(&c));
        return true;
      }
  if (count == 2)
    for (size_t k = 0; k < sizeof operators / sizeof *operators; k++)
      if (!strcmp(operators[k].name, name))
        return call_operator(t, operators[k].op, args, type, result);
  if (count == 0)
    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++)
      if (!strcmp(constants[k].name, name)) {
        *result = sval(type, tr_real(t, constants[k].value), false);
        return true;
      }
  return false;
}
