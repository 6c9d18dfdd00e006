/* Stan's types, without sizes and constraints. */
#include "frontend/types.h"

static const struct {
  const char *name;
  int rank;
} bases[] = {
    [T_VOID] = {"void", 0},
    [T_INT] = {"int", 0},
    [T_REAL] = {"real", 0},
    [T_COMPLEX] = {"complex", 0},
    [T_VECTOR] = {"vector", 1},
    [T_ROW_VECTOR] = {"row_vector", 1},
    [T_MATRIX] = {"matrix", 2},
    [T_COMPLEX_VECTOR] = {"complex_vector", 1},
    [T_COMPLEX_ROW_VECTOR] = {"complex_row_vector", 1},
    [T_COMPLEX_MATRIX] = {"complex_matrix", 2},
    [T_TUPLE] = {"tuple", 0},
    [T_FUNCTION] = {"function", 0},
    [T_STRING] = {"string", 0},
    [T_ERROR] = {"(erroneous)", 0},
};

const StanType *type_simple(Arena *a, BaseType base, int array_dims) {
  StanType *t = ARENA_NEW(a, StanType);
  t->base = base;
  t->array_dims = array_dims;
  return t;
}

const StanType *type_tuple(Arena *a, const StanType **members, int count, int array_dims) {
  StanType *t = ARENA_NEW(a, StanType);
  t->base = T_TUPLE;
  t->array_dims = array_dims;
  t->member_count = count;
  t->members = members;
  return t;
}

const StanType *type_array_of(Arena *a, const StanType *t, int dims) {
  if (dims == 0) return t;
  StanType *array = ARENA_NEW(a, StanType);
  *array = *t;
  array->array_dims += dims;
  return array;
}

static bool same_qualifier(const StanType *a, const StanType *b, int k) {
  return (a->data_only && a->data_only[k]) == (b->data_only && b->data_only[k]);
}

bool types_equal(const StanType *a, const StanType *b) {
  if (a == b) return true;
  if (a->base != b->base || a->array_dims != b->array_dims || a->member_count != b->member_count)
    return false;
  for (int k = 0; k < a->member_count; k++)
    if (!types_equal(a->members[k], b->members[k]) || !same_qualifier(a, b, k)) return false;
  return a->base != T_FUNCTION || types_equal(a->result, b->result);
}

int type_rank(const StanType *t) { return t->array_dims + bases[t->base].rank; }

static void members_print(Text *out, const StanType *t) {
  text_add(out, "(");
  for (int k = 0; k < t->member_count; k++) {
    if (k) text_add(out, ", ");
    if (t->data_only && t->data_only[k]) text_add(out, "data ");
    type_print(out, t->members[k]);
  }
  text_add(out, t->base == T_TUPLE && t->member_count == 1 ? ",)" : ")");
}

void type_print(Text *out, const StanType *t) {
  if (t->array_dims) {
    text_add(out, "array[");
    for (int k = 1; k < t->array_dims; k++) text_add(out, ",");
    text_add(out, "] ");
  }
  if (t->base != T_FUNCTION) text_add(out, bases[t->base].name);
  if (t->base == T_TUPLE || t->base == T_FUNCTION) members_print(out, t);
  if (t->base == T_FUNCTION) {
    text_add(out, " => ");
    type_print(out, t->result);
  }
}
