/* Expressions. */
#include "lower/trace.h"

#include <string.h>

SVal sval(const StanType *type, Tr tr, bool autodiff) {
  return (SVal){.type = type, .tr = tr, .autodiff = autodiff};
}

Tr as_int(Tracer *t, Tr v) { return tr_cast(t, v, IR_I64); }
Tr as_real(Tracer *t, Tr v) { return tr_cast(t, v, IR_F64); }

Tr as_bool(Tracer *t, Tr v) {
  if (v.value->type.dtype == IR_BOOL) return v;
  Tr zero = v.value->type.dtype == IR_F64 ? tr_real(t, 0) : tr_int(t, 0);
  return tr_binary(t, IR_NE, v, zero);
}

static Tr trace_discrete(Tracer *t, const Expr *e) {
  bool discrete = t->discrete;
  t->discrete = true;
  Tr v = trace_expr(t, e).tr;
  t->discrete = discrete;
  return v;
}

Tr trace_int(Tracer *t, const Expr *e) { return as_int(t, trace_discrete(t, e)); }
Tr trace_condition(Tracer *t, const Expr *e) { return as_bool(t, trace_discrete(t, e)); }

SVal promote(Tracer *t, SVal v, const StanType *type) {
  if (type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)type->member_count);
    for (int k = 0; k < type->member_count; k++)
      members[k] = promote(t, v.members[k], type->members[k]);
    v.members = members;
  } else if (type->base >= T_COMPLEX && type->base <= T_COMPLEX_MATRIX && type->base != T_VECTOR &&
             type->base != T_ROW_VECTOR && type->base != T_MATRIX) {
    trace_unsupported(t, t->span, "complex numbers");
  } else if (v.tr.value) {
    v.tr = tr_cast(t, v.tr, type->base == T_INT ? IR_I64 : IR_F64);
  }
  v.type = type;
  return v;
}

/* ---- operators ---- */

static bool is_scalar(SVal v) { return tr_rank(v.tr) == 0; }

/* Two containers must have one shape; where they are known not to, Stan throws. Returns b made to
 * fit. */
static Tr conform(Tracer *t, Tr a, Tr b) {
  int rank = tr_rank(a);
  if (rank == 0 || rank != tr_rank(b)) return b;
  for (int k = 0; k < rank; k++) {
    int64_t m = tr_static_dim(a, k), n = tr_static_dim(b, k);
    if (m == n) continue;
    if (m != IR_DYNAMIC && n != IR_DYNAMIC) {
      trace_throw(t, tr_const(ir_bool(t->b, true)));
      Tr dims[IR_MAX_RANK];
      for (int j = 0; j < rank; j++) dims[j] = tr_dim_value(t, a, j);
      Tr filler = b.value->type.dtype == IR_F64 ? tr_real(t, 1) : tr_int(t, 1);
      return tr_broadcast(t, filler, rank, dims);
    }
  }
  return b;
}

static Tr elementwise(Tracer *t, IrOp op, Tr a, Tr b) {
  if (a.value->type.dtype != b.value->type.dtype || a.value->type.dtype == IR_BOOL) {
    bool real = a.value->type.dtype == IR_F64 || b.value->type.dtype == IR_F64;
    a = real ? as_real(t, a) : as_int(t, a);
    b = real ? as_real(t, b) : as_int(t, b);
  }
  return tr_binary(t, op, a, conform(t, a, b));
}

/* The inner extents of a product must agree; where they are known not to, Stan throws. */
static bool inner_mismatch(Tracer *t, Tr a, int ka, Tr b, int kb) {
  int64_t m = tr_static_dim(a, ka), n = tr_static_dim(b, kb);
  if (m == IR_DYNAMIC || n == IR_DYNAMIC || m == n) return false;
  trace_throw(t, tr_const(ir_bool(t->b, true)));
  return true;
}

static Tr squeeze_own(Tracer *t, Tr a, int axis) {
  int depth = a.level ? a.level->depth : 0;
  return (Tr){ir_squeeze(t->b, a.value, depth + axis), a.level, a.varying};
}

/* Products of row vectors, vectors and matrices. */
static Tr multiply(Tracer *t, SVal a, SVal b) {
  BaseType x = a.type->base, y = b.type->base;
  Tr u = as_real(t, a.tr), v = as_real(t, b.tr);
  if (x == T_ROW_VECTOR && y == T_VECTOR)
    return tr_reduce_all(t, IR_REDUCE_SUM, elementwise(t, IR_MUL, u, v));
  if (x == T_VECTOR && y == T_ROW_VECTOR)
    return tr_binary(t, IR_MUL, tr_unsqueeze(t, u, 1), tr_unsqueeze(t, v, 0));
  if (x == T_ROW_VECTOR) u = tr_unsqueeze(t, u, 0);
  if (y == T_VECTOR) v = tr_unsqueeze(t, v, 1);
  Tr r;
  if (inner_mismatch(t, u, 1, v, 0)) {
    Tr dims[2] = {tr_dim_value(t, u, 0), tr_dim_value(t, v, 1)};
    r = tr_broadcast(t, tr_real(t, 0), 2, dims);
  } else {
    r = tr_binary(t, IR_MATMUL, u, v);
  }
  if (x == T_ROW_VECTOR)
    r = squeeze_own(t, r, 0);
  else if (y == T_VECTOR)
    r = squeeze_own(t, r, 1);
  return r;
}

static Tr divide_int(Tracer *t, IrOp op, Tr a, Tr b) {
  a = as_int(t, a);
  b = as_int(t, b);
  Tr zero = tr_binary(t, IR_EQ, b, tr_int(t, 0));
  bool known;
  if (!tr_known_bool(zero, &known) || known) {
    trace_throw(t, zero);
    b = tr_select(t, zero, tr_int(t, 1), b);
  }
  return tr_binary(t, op, a, b);
}

static Tr power(Tracer *t, Tr a, Tr b) {
  return tr_binary(t, IR_POW, as_real(t, a), conform(t, a, as_real(t, b)));
}

static const IrOp comparison_op[] = {[OP_EQ] = IR_EQ, [OP_NE] = IR_NE, [OP_LT] = IR_LT,
                                     [OP_LE] = IR_LE, [OP_GT] = IR_GT, [OP_GE] = IR_GE};

SVal trace_operator(Tracer *t, const Expr *at, Operator op, SVal a, SVal b) {
  const StanType *type = at->type;
  bool autodiff = a.autodiff || b.autodiff;
  bool ints = a.type->base == T_INT && b.type->base == T_INT;
  Tr r;
  switch (op) {
  case OP_OR:
  case OP_AND:
    r = tr_binary(t, op == OP_OR ? IR_OR : IR_AND, as_bool(t, a.tr), as_bool(t, b.tr));
    break;
  case OP_EQ:
  case OP_NE:
  case OP_LT:
  case OP_LE:
  case OP_GT:
  case OP_GE: r = elementwise(t, comparison_op[op], a.tr, b.tr); break;
  case OP_ADD: r = elementwise(t, IR_ADD, a.tr, b.tr); break;
  case OP_SUB: r = elementwise(t, IR_SUB, a.tr, b.tr); break;
  case OP_MUL:
    r = is_scalar(a) || is_scalar(b) ? elementwise(t, IR_MUL, a.tr, b.tr) : multiply(t, a, b);
    break;
  case OP_ELT_MUL: r = elementwise(t, IR_MUL, a.tr, b.tr); break;
  case OP_MOD: r = divide_int(t, IR_MOD, a.tr, b.tr); break;
  case OP_INT_DIV: r = divide_int(t, IR_DIV, a.tr, b.tr); break;
  case OP_DIV:
    if (ints)
      r = divide_int(t, IR_DIV, a.tr, b.tr);
    else if (is_scalar(b))
      r = elementwise(t, IR_DIV, as_real(t, a.tr), as_real(t, b.tr));
    else
      return call_library(t, "mdivide_right", (SVal[]){a, b}, 2, type, at->span);
    break;
  case OP_ELT_DIV: r = elementwise(t, IR_DIV, as_real(t, a.tr), as_real(t, b.tr)); break;
  case OP_LEFT_DIV: return call_library(t, "mdivide_left", (SVal[]){a, b}, 2, type, at->span);
  case OP_POW:
  case OP_ELT_POW: r = power(t, a.tr, b.tr); break;
  default: trace_unsupported(t, at->span, "the operator '%s'", operator_spelling(op));
  }
  return sval(type, r, autodiff);
}

static void refuse_complex(Tracer *t, const Expr *e) {
  BaseType base = e->type->base;
  if (base == T_COMPLEX || base == T_COMPLEX_VECTOR || base == T_COMPLEX_ROW_VECTOR ||
      base == T_COMPLEX_MATRIX)
    trace_unsupported(t, e->span, "complex numbers");
}

static SVal trace_unary(Tracer *t, const Expr *e) {
  SVal a = trace_expr(t, e->args[0]);
  if (e->op == OP_PLUS) return a;
  if (e->op == OP_NOT) return sval(e->type, tr_not(t, as_bool(t, a.tr)), false);
  if (a.tr.value->type.dtype == IR_BOOL) a.tr = as_int(t, a.tr);
  return sval(e->type, tr_unary(t, IR_NEG, a.tr), a.autodiff);
}

/* && and || look at their right side only where it decides. */
static SVal trace_logical(Tracer *t, const Expr *e) {
  Tr a = trace_condition(t, e->args[0]);
  bool known;
  if (tr_known_bool(a, &known) && known == (e->op == OP_OR)) return sval(e->type, a, false);
  Tr mask = t->mask;
  if (!tr_known_bool(a, &known)) t->mask = tr_and(t, mask, e->op == OP_AND ? a : tr_not(t, a));
  Tr b = trace_condition(t, e->args[1]);
  t->mask = mask;
  return sval(e->type, tr_binary(t, e->op == OP_OR ? IR_OR : IR_AND, a, b), false);
}

/* ---- conditional expressions ---- */

SVal select_value(Tracer *t, Tr c, SVal a, SVal b) {
  if (a.type->base == T_TUPLE) {
    SVal r = a;
    r.members = ARENA_ARRAY(t->arena, SVal, (size_t)a.type->member_count);
    for (int k = 0; k < a.type->member_count; k++)
      r.members[k] = select_value(t, c, a.members[k], b.members[k]);
    return r;
  }
  if (a.tr.value->type.dtype != b.tr.value->type.dtype) {
    a.tr = as_int(t, a.tr);
    b.tr = as_int(t, b.tr);
  }
  for (int k = tr_rank(a.tr); k > 0 && c.level; k--) c = tr_unsqueeze(t, c, tr_rank(c));
  return sval(a.type, tr_select(t, c, a.tr, conform(t, a.tr, b.tr)), a.autodiff || b.autodiff);
}

static bool any_autodiff(const SVal *v) {
  bool any = v->autodiff;
  if (v->type->base == T_TUPLE)
    for (int k = 0; k < v->type->member_count; k++) any |= any_autodiff(&v->members[k]);
  return any;
}

/* Whether Stan's C++ would hold an expression, which is not computed, in autodiff variables. */
static bool would_be_autodiff(Tracer *t, const Expr *e) {
  if (e->data_only) return false;
  if (e->kind == E_TARGET) return true;
  if (e->kind == E_VARIABLE) return e->variable && any_autodiff(&lookup(t, e->variable)->value);
  for (int k = 0; k < e->arg_count; k++)
    if (would_be_autodiff(t, e->args[k])) return true;
  return false;
}

/* Both sides are of one type in Stan's C++, also where the condition is known. */
static SVal trace_ternary(Tracer *t, const Expr *e) {
  Tr c = trace_condition(t, e->args[0]);
  bool known;
  if (tr_known_bool(c, &known)) {
    SVal v = promote(t, trace_expr(t, e->args[known ? 1 : 2]), e->type);
    if (!t->frame->is_library) v.autodiff |= would_be_autodiff(t, e->args[known ? 2 : 1]);
    return v;
  }
  Tr mask = t->mask;
  t->mask = tr_and(t, mask, c);
  SVal a = promote(t, trace_expr(t, e->args[1]), e->type);
  t->mask = tr_and(t, mask, tr_not(t, c));
  SVal b = promote(t, trace_expr(t, e->args[2]), e->type);
  t->mask = mask;
  return select_value(t, c, a, b);
}

/* ---- literals of containers ---- */

/* The elements stacked along a new first axis. */
static SVal stack(Tracer *t, const StanType *type, const StanType *element, SVal *items,
                  int count) {
  SVal r = {.type = type};
  if (element->base == T_TUPLE) {
    r.members = ARENA_ARRAY(t->arena, SVal, (size_t)type->member_count);
    SVal *column = ARENA_ARRAY(t->arena, SVal, (size_t)count);
    for (int m = 0; m < type->member_count; m++) {
      for (int k = 0; k < count; k++) column[k] = items[k].members[m];
      const StanType *of = element->members[m];
      r.members[m] = stack(t, type_array_of(t->arena, of, 1), of, column, count);
    }
    return r;
  }
  Tr *parts = ARENA_ARRAY(t->arena, Tr, (size_t)count);
  for (int k = 0; k < count; k++) {
    SVal v = promote(t, items[k], element);
    parts[k] = tr_unsqueeze(t, k ? conform(t, items[0].tr, v.tr) : v.tr, 0);
    r.autodiff |= v.autodiff;
  }
  r.tr = tr_concat(t, count, parts, 0);
  return r;
}

static SVal trace_container(Tracer *t, const Expr *e) {
  SVal *items = ARENA_ARRAY(t->arena, SVal, (size_t)e->arg_count);
  for (int k = 0; k < e->arg_count; k++) items[k] = trace_expr(t, e->args[k]);
  if (e->kind == E_TUPLE) return (SVal){.type = e->type, .members = items};
  const StanType *element =
      e->kind == E_ARRAY
          ? type_array_of(t->arena, e->type, -1)
          : type_simple(t->arena, e->type->base == T_MATRIX ? T_ROW_VECTOR : T_REAL, 0);
  if (e->arg_count) return stack(t, e->type, element, items, e->arg_count);
  Tr zero = tr_int(t, 0), dims[2] = {zero, zero};
  return sval(e->type, tr_broadcast(t, tr_real(t, 0), e->type->base == T_MATRIX ? 2 : 1, dims),
              false);
}

/* Whether a selection of iterations lies between v's level and the current one. */
static bool is_narrowed(const Tracer *t, Tr v) {
  for (const Level *l = t->level; l && l != v.level; l = l->parent)
    if (l->flat) return v.level != NULL;
  return false;
}

/* Inside a selection of iterations nothing is computed for the others. */
static SVal narrowed(Tracer *t, SVal v) {
  if (v.type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)v.type->member_count);
    for (int k = 0; k < v.type->member_count; k++) members[k] = narrowed(t, v.members[k]);
    v.members = members;
  } else if (is_narrowed(t, v.tr)) {
    v.tr = tr_lift(t, v.tr, t->level);
  }
  return v;
}

/* v, read from a variable that was declared under `mask`, as a value of the branch. */
static SVal inside(Tracer *t, SVal v, Tr mask) {
  if (v.type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)v.type->member_count);
    for (int k = 0; k < v.type->member_count; k++) members[k] = inside(t, v.members[k], mask);
    v.members = members;
  } else if (!same_mask(mask, t->mask) || is_above(v.tr, t->mask.level)) {
    v.tr = tr_inside(t, v.tr);
  }
  return v;
}

/* The variable at the bottom of a place. */
static Binding *base_binding(Tracer *t, const Expr *e) {
  while (e->kind != E_VARIABLE) {
    if (e->kind != E_PAREN && e->kind != E_INDEX && e->kind != E_PROJECT) return NULL;
    e = e->args[0];
  }
  if (!e->variable) trace_unsupported(t, e->span, "a function passed to '%s'", e->name);
  return lookup(t, e->variable);
}

static SVal trace_index_expr(Tracer *t, const Expr *e) {
  SVal base = trace_place(t, e->args[0]);
  if (!e->index_count) return base;
  SVal *shape = &base;
  while (shape->type->base == T_TUPLE) shape = &shape->members[0];
  return index_value(t, base, trace_indices(t, e->indices, e->index_count, shape->tr),
                     e->index_count, e->type);
}

SVal trace_place(Tracer *t, const Expr *e) {
  switch (e->kind) {
  case E_VARIABLE: return narrowed(t, base_binding(t, e)->value);
  case E_PAREN: return trace_place(t, e->args[0]);
  case E_INDEX: return trace_index_expr(t, e);
  case E_PROJECT: return trace_place(t, e->args[0]).members[e->integer - 1];
  default: return trace_expr(t, e);
  }
}

/* What is read of a variable is little compared to the variable: that is taken inside. */
static SVal trace_read(Tracer *t, const Expr *e) {
  const Binding *b = base_binding(t, e);
  SVal v = trace_place(t, e);
  return b ? inside(t, v, b->mask) : v;
}

/* What an expression made of containers that tr_inside has left as they are: once it is inside,
 * there are `uncopied` of them. */
static SVal taken_inside(Tracer *t, SVal v, int uncopied) {
  if (v.type->base == T_TUPLE || !v.tr.value) return v;
  Tr x = tr_inside(t, v.tr);
  if (x.value != v.tr.value) t->uncopied = uncopied;
  v.tr = x;
  return v;
}

SVal trace_expr(Tracer *t, const Expr *e) {
  Span outer = t->span;
  int uncopied = t->uncopied;
  if (!t->in_library) t->span = e->span;
  refuse_complex(t, e);
  SVal v;
  switch (e->kind) {
  case E_INT: v = sval(e->type, tr_int(t, e->integer), false); break;
  case E_REAL: v = sval(e->type, tr_real(t, e->real), false); break;
  case E_VARIABLE:
  case E_INDEX:
  case E_PROJECT: v = trace_read(t, e); break;
  case E_UNARY: v = trace_unary(t, e); break;
  case E_TRANSPOSE: {
    SVal a = trace_expr(t, e->args[0]);
    v = sval(e->type, tr_rank(a.tr) > 1 ? tr_transpose(t, a.tr) : a.tr, a.autodiff);
    break;
  }
  case E_BINARY:
    if (e->op == OP_OR || e->op == OP_AND) {
      v = trace_logical(t, e);
    } else {
      SVal a = trace_expr(t, e->args[0]);
      v = trace_operator(t, e, e->op, a, trace_expr(t, e->args[1]));
    }
    break;
  case E_TERNARY: v = trace_ternary(t, e); break;
  case E_CALL: v = trace_call(t, e); break;
  case E_ARRAY:
  case E_ROW:
  case E_TUPLE: v = trace_container(t, e); break;
  case E_PAREN: v = trace_expr(t, e->args[0]); break;
  case E_TARGET: v = sval(e->type, tr_inside(t, t->accumulators[ACC_TARGET]), true); break;
  default: trace_unsupported(t, e->span, "this expression");
  }
  if (t->uncopied != uncopied) v = taken_inside(t, v, uncopied);
  t->span = outer;
  return v;
}
