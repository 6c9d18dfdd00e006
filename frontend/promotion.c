/* Promotion: int to real to complex, elementwise; and what is known of values being data. */
#include "frontend/check.h"

const AdLevel ad_data = {.data = true}, ad_autodiff = {.data = false};

const StanType type_error = {.base = T_ERROR}, type_void = {.base = T_VOID},
               type_int = {.base = T_INT}, type_real = {.base = T_REAL},
               type_library_function = {.base = T_FUNCTION, .result = &type_void};

/* ---- types ---- */

static int base_cost(BaseType to, BaseType from) {
  static const struct {
    BaseType to, from;
    int cost;
  } promotions[] = {{T_REAL, T_INT, 1},
                    {T_COMPLEX, T_INT, 2},
                    {T_COMPLEX, T_REAL, 1},
                    {T_COMPLEX_VECTOR, T_VECTOR, 1},
                    {T_COMPLEX_ROW_VECTOR, T_ROW_VECTOR, 1},
                    {T_COMPLEX_MATRIX, T_MATRIX, 1}};
  if (to == from) return 0;
  for (size_t k = 0; k < sizeof promotions / sizeof *promotions; k++)
    if (promotions[k].to == to && promotions[k].from == from) return promotions[k].cost;
  return -1;
}

int promotion_cost(const StanType *to, const StanType *from) {
  if (to->array_dims != from->array_dims) return -1;
  if (to->base == T_FUNCTION) return types_equal(to, from) ? 0 : -1;
  if (to->base != T_TUPLE) return base_cost(to->base, from->base);
  if (from->base != T_TUPLE || to->member_count != from->member_count) return -1;
  int total = 0;
  for (int k = 0; k < to->member_count; k++) {
    int cost = promotion_cost(to->members[k], from->members[k]);
    if (cost < 0) return -1;
    total += cost;
  }
  return total;
}

bool type_accepts(const Checker *c, const StanType *to, const StanType *from) {
  if (promotion_cost(to, from) >= 0) return true;
  return c->options.is_library && to->base == T_VECTOR && from->base == T_ROW_VECTOR &&
         to->array_dims == from->array_dims;
}

const StanType *common_type(Arena *a, const StanType *x, const StanType *y) {
  if (x->base != T_TUPLE || y->base != T_TUPLE) {
    if (promotion_cost(x, y) >= 0) return x;
    return promotion_cost(y, x) >= 0 ? y : NULL;
  }
  if (x->array_dims != y->array_dims || x->member_count != y->member_count) return NULL;
  const StanType **members = ARENA_ARRAY(a, const StanType *, (size_t)x->member_count);
  for (int k = 0; k < x->member_count; k++) {
    members[k] = common_type(a, x->members[k], y->members[k]);
    if (!members[k]) return NULL;
  }
  return type_tuple(a, members, x->member_count, x->array_dims);
}

bool is_complex(const StanType *t) {
  return t->base == T_COMPLEX || (t->base >= T_COMPLEX_VECTOR && t->base <= T_COMPLEX_MATRIX);
}

bool is_discrete(const StanType *t) {
  if (t->base != T_TUPLE) return t->base == T_INT;
  for (int k = 0; k < t->member_count; k++)
    if (!is_discrete(t->members[k])) return false;
  return true;
}

bool has_int(const StanType *t) {
  if (t->base != T_TUPLE) return t->base == T_INT;
  for (int k = 0; k < t->member_count; k++)
    if (has_int(t->members[k])) return true;
  return false;
}

const StanType *sized_type(Arena *a, const SizedType *s) {
  if (s->base != T_TUPLE) return type_simple(a, s->base, s->array_dims);
  const StanType **members = ARENA_ARRAY(a, const StanType *, (size_t)s->member_count);
  for (int k = 0; k < s->member_count; k++) members[k] = sized_type(a, s->members[k]);
  return type_tuple(a, members, s->member_count, s->array_dims);
}

/* ---- levels ---- */

static const AdLevel *tuple_level(Arena *a, const AdLevel *const *members, int count) {
  AdLevel *ad = ARENA_NEW(a, AdLevel);
  *ad = (AdLevel){.data = true, .count = count, .members = members};
  for (int k = 0; k < count; k++) ad->data &= members[k]->data;
  return ad;
}

const AdLevel *ad_join(Arena *a, const AdLevel *x, const AdLevel *y) {
  if (!x->count && !y->count) return x->data ? y : x;
  if (x->count && y->count && x->count != y->count) return &ad_autodiff;
  int count = x->count ? x->count : y->count;
  const AdLevel **members = ARENA_ARRAY(a, const AdLevel *, (size_t)count);
  for (int k = 0; k < count; k++)
    members[k] = ad_join(a, x->count ? x->members[k] : x, y->count ? y->members[k] : y);
  return tuple_level(a, members, count);
}

const AdLevel *ad_of_type(Arena *a, const AdLevel *ad, const StanType *t) {
  if (t->base != T_TUPLE) return ad->data ? &ad_data : &ad_autodiff;
  const AdLevel **members = ARENA_ARRAY(a, const AdLevel *, (size_t)t->member_count);
  for (int k = 0; k < t->member_count; k++) {
    bool own = ad->count == t->member_count;
    members[k] = ad_of_type(a, own ? ad->members[k] : ad, t->members[k]);
  }
  return tuple_level(a, members, t->member_count);
}

/* Values that hold no int are autodiff where `autodiff` is. */
static const AdLevel *declared_level(Arena *a, bool autodiff, const StanType *t) {
  if (t->base != T_TUPLE) return autodiff && !is_discrete(t) ? &ad_autodiff : &ad_data;
  const AdLevel **members = ARENA_ARRAY(a, const AdLevel *, (size_t)t->member_count);
  for (int k = 0; k < t->member_count; k++) members[k] = declared_level(a, autodiff, t->members[k]);
  return tuple_level(a, members, t->member_count);
}

const AdLevel *ad_of_variable(Checker *c, const VarDecl *v) {
  bool autodiff = v->block != BLOCK_DATA && v->block != BLOCK_TRANSFORMED_DATA &&
                  v->block != BLOCK_GENERATED_QUANTITIES && c->block != BLOCK_GENERATED_QUANTITIES;
  if (v->is_argument && v->data_qualified) autodiff = false;
  return declared_level(c->arena, autodiff, v->type);
}
