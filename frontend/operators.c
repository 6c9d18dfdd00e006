/* Operators are functions of the library with another spelling. */
#include "frontend/check.h"

#include <stddef.h>

/* The functions that an operator may stand for, in order; NULL for none. */
static const char *const functions[][2] = {[OP_OR] = {"logical_or"},
                                           [OP_AND] = {"logical_and"},
                                           [OP_EQ] = {"logical_eq"},
                                           [OP_NE] = {"logical_neq"},
                                           [OP_LT] = {"logical_lt"},
                                           [OP_LE] = {"logical_lte"},
                                           [OP_GT] = {"logical_gt"},
                                           [OP_GE] = {"logical_gte"},
                                           [OP_ADD] = {"add"},
                                           [OP_SUB] = {"subtract"},
                                           [OP_MUL] = {"multiply"},
                                           [OP_DIV] = {"mdivide_right", "divide"},
                                           [OP_MOD] = {"modulus"},
                                           [OP_ELT_MUL] = {"elt_multiply"},
                                           [OP_ELT_DIV] = {"elt_divide"},
                                           [OP_INT_DIV] = {NULL},
                                           [OP_LEFT_DIV] = {"mdivide_left"},
                                           [OP_POW] = {"pow"},
                                           [OP_ELT_POW] = {"pow"},
                                           [OP_NEG] = {"minus"},
                                           [OP_PLUS] = {"plus"},
                                           [OP_NOT] = {"logical_negation"}};

static bool is_scalar(const StanType *t, BaseType base) {
  return t->base == base && t->array_dims == 0;
}

const StanType *operator_result(Checker *c, Operator op, const Arg *a, const Arg *b) {
  Arg args[2] = {*a, b ? *b : *a};
  if (op == OP_INT_DIV) /* of ints only: nothing is promoted to it, and it has no function */
    return is_scalar(a->type, T_INT) && is_scalar(b->type, T_INT) ? &type_int : NULL;
  for (int k = 0; k < 2 && functions[op][k]; k++) {
    Match m = find_library_match(c, functions[op][k], args, b ? 2 : 1);
    if (m.kind == MATCH_ONE) return m.signature->result;
  }
  return NULL;
}

const StanType *transpose_result(Checker *c, const Arg *a) {
  Match m = find_library_match(c, "transpose", a, 1);
  return m.kind == MATCH_ONE ? m.signature->result : NULL;
}

bool compound_assignment_fits(Checker *c, Operator op, const Arg *a, const Arg *b) {
  Arg args[2] = {*a, *b};
  const StanType *result = NULL;
  if (op == OP_DIV) { /* division by a matrix from the right has no compound form */
    Match m = find_library_match(c, "divide", args, 2);
    if (m.kind == MATCH_ONE) result = m.signature->result;
  } else if (op == OP_ADD || op == OP_SUB || op == OP_MUL || op == OP_ELT_MUL || op == OP_ELT_DIV) {
    result = operator_result(c, op, a, b);
  }
  if (!result || !types_equal(result, a->type)) return false;
  bool elementwise = op == OP_ELT_MUL || op == OP_ELT_DIV;
  return !(elementwise && (is_scalar(result, T_INT) || is_scalar(result, T_REAL)));
}
