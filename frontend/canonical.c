/* Expressions and declared types as canonical Stan source. */
#include "frontend/ast.h"

/* How tightly operators bind; what is no operator binds tightest. */
enum { BINDS_TERNARY = 1, BINDS_UNARY = 9, BINDS_POW = 10, BINDS_POSTFIX = 11, BINDS_PRIMARY = 12 };

static const int binary_binding[] = {
    [OP_OR] = 2,
    [OP_AND] = 3,
    [OP_EQ] = 4,
    [OP_NE] = 4,
    [OP_LT] = 5,
    [OP_LE] = 5,
    [OP_GT] = 5,
    [OP_GE] = 5,
    [OP_ADD] = 6,
    [OP_SUB] = 6,
    [OP_MUL] = 7,
    [OP_DIV] = 7,
    [OP_MOD] = 7,
    [OP_ELT_MUL] = 7,
    [OP_ELT_DIV] = 7,
    [OP_INT_DIV] = 8,
    [OP_LEFT_DIV] = 8,
    [OP_POW] = BINDS_POW,
    [OP_ELT_POW] = BINDS_POW,
};

static int binding(const Expr *e) {
  switch (e->kind) {
  case E_TERNARY: return BINDS_TERNARY;
  case E_BINARY: return binary_binding[e->op];
  case E_UNARY: return BINDS_UNARY;
  case E_TRANSPOSE: return BINDS_POSTFIX;
  default: return BINDS_PRIMARY;
  }
}

/* e, in parentheses where it binds less tightly than `least`. */
static void print_operand(Text *out, const Expr *e, int least) {
  bool loose = binding(e) < least;
  if (loose) text_add(out, "(");
  expr_print(out, e);
  if (loose) text_add(out, ")");
}

static void print_list(Text *out, Expr *const *items, int count) {
  for (int k = 0; k < count; k++) {
    if (k) text_add(out, ", ");
    expr_print(out, items[k]);
  }
}

static void print_index(Text *out, const Index *i) {
  if (i->a) expr_print(out, i->a);
  if (i->kind != INDEX_SINGLE) text_add(out, ":");
  if (i->b) expr_print(out, i->b);
}

static void print_call(Text *out, const Expr *e) {
  text_printf(out, "%s(", e->name);
  if (e->bar) {
    expr_print(out, e->args[0]);
    text_add(out, e->arg_count > 1 ? " | " : " |");
  }
  print_list(out, e->args + e->bar, e->arg_count - e->bar);
  text_add(out, ")");
}

static void print_binary(Text *out, const Expr *e) {
  int binds = binary_binding[e->op];
  bool right = binds == BINDS_POW; /* associates to the right */
  print_operand(out, e->args[0], right ? binds + 1 : binds);
  text_printf(out, " %s ", operator_spelling(e->op));
  /* a unary operator may stand to the right of any binary one */
  bool unary = e->args[1]->kind == E_UNARY;
  print_operand(out, e->args[1], unary ? 0 : right ? binds : binds + 1);
}

void expr_print(Text *out, const Expr *e) {
  switch (e->kind) {
  case E_INT: text_printf(out, "%lld", (long long)e->integer); break;
  case E_REAL:
    if (e->name)
      text_add(out, e->name);
    else
      text_add_double(out, e->real);
    break;
  case E_VARIABLE: text_add(out, e->name); break;
  case E_IMAGINARY: text_printf(out, "%si", e->name); break;
  case E_STRING: text_printf(out, "\"%s\"", e->name); break;
  case E_UNARY:
    text_add(out, operator_spelling(e->op));
    print_operand(out, e->args[0], BINDS_UNARY);
    break;
  case E_TRANSPOSE:
    print_operand(out, e->args[0], BINDS_POSTFIX);
    text_add(out, "'");
    break;
  case E_BINARY: print_binary(out, e); break;
  case E_TERNARY:
    print_operand(out, e->args[0], BINDS_TERNARY + 1);
    text_add(out, " ? ");
    expr_print(out, e->args[1]);
    text_add(out, " : ");
    expr_print(out, e->args[2]);
    break;
  case E_INDEX:
    print_operand(out, e->args[0], BINDS_PRIMARY);
    text_add(out, "[");
    for (int k = 0; k < e->index_count; k++) {
      if (k) text_add(out, ", ");
      print_index(out, &e->indices[k]);
    }
    text_add(out, "]");
    break;
  case E_PROJECT:
    print_operand(out, e->args[0], BINDS_PRIMARY);
    text_printf(out, ".%lld", (long long)e->integer);
    break;
  case E_CALL: print_call(out, e); break;
  case E_ARRAY:
  case E_ROW:
    text_add(out, e->kind == E_ARRAY ? "{" : "[");
    print_list(out, e->args, e->arg_count);
    text_add(out, e->kind == E_ARRAY ? "}" : "]");
    break;
  case E_TUPLE:
  case E_PAREN:
    text_add(out, "(");
    print_list(out, e->args, e->arg_count);
    text_add(out, e->kind == E_TUPLE && e->arg_count == 1 ? ",)" : ")");
    break;
  case E_TARGET: text_add(out, "target()"); break;
  }
}

/* ---- declared types ---- */

static const char *const constrained_names[] = {
    [C_ORDERED] = "ordered",
    [C_POSITIVE_ORDERED] = "positive_ordered",
    [C_SIMPLEX] = "simplex",
    [C_UNIT_VECTOR] = "unit_vector",
    [C_SUM_TO_ZERO_VECTOR] = "sum_to_zero_vector",
    [C_SUM_TO_ZERO_MATRIX] = "sum_to_zero_matrix",
    [C_CHOLESKY_FACTOR_CORR] = "cholesky_factor_corr",
    [C_CHOLESKY_FACTOR_COV] = "cholesky_factor_cov",
    [C_CORR_MATRIX] = "corr_matrix",
    [C_COV_MATRIX] = "cov_matrix",
    [C_COLUMN_STOCHASTIC_MATRIX] = "column_stochastic_matrix",
    [C_ROW_STOCHASTIC_MATRIX] = "row_stochastic_matrix",
};

static void print_bound(Text *out, int *count, const char *name, const Expr *e) {
  if (!e) return;
  text_printf(out, "%s%s=", (*count)++ ? ", " : "<", name);
  /* no comparison may stand in <...> but in parentheses */
  print_operand(out, e, binary_binding[OP_ADD]);
}

static void print_bounds(Text *out, const SizedType *t) {
  int count = 0;
  for (int k = 0; k < t->attribute_count; k++)
    text_printf(out, "%s%s", count++ ? ", " : "<", t->attributes[k]);
  print_bound(out, &count, "lower", t->lower);
  print_bound(out, &count, "upper", t->upper);
  print_bound(out, &count, "offset", t->offset);
  print_bound(out, &count, "multiplier", t->multiplier);
  if (count) text_add(out, ">");
}

static void print_array_sizes(Text *out, const SizedType *t) {
  text_add(out, "array[");
  for (int k = 0; k < t->array_dims; k++) {
    const Expr *size = t->array_sizes ? t->array_sizes[k] : NULL;
    if (k) text_add(out, size ? ", " : ",");
    if (size) expr_print(out, size);
  }
  text_add(out, "] ");
}

static void print_members(Text *out, const SizedType *t) {
  text_add(out, "tuple(");
  for (int k = 0; k < t->member_count; k++) {
    if (k) text_add(out, ", ");
    sized_type_print(out, t->members[k]);
  }
  text_add(out, t->member_count == 1 ? ",)" : ")");
}

static void print_base(Text *out, const SizedType *t) {
  if (t->constraint >= C_ORDERED)
    text_add(out, constrained_names[t->constraint]);
  else
    type_print(out, &(StanType){.base = t->base});
}

void sized_type_print(Text *out, const SizedType *t) {
  if (t->array_dims) print_array_sizes(out, t);
  if (t->base == T_TUPLE) {
    print_members(out, t);
    return;
  }
  print_base(out, t);
  print_bounds(out, t);
  if (!t->sizes[0]) return;
  text_add(out, "[");
  print_list(out, t->sizes, t->sizes[1] ? 2 : 1);
  text_add(out, "]");
}
