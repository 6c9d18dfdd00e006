/* Overload resolution: of the functions with a name, the one that takes the arguments with the
 * fewest promotions. */
#include "frontend/check.h"

#include "stdlib_map/signatures.h"

#include <string.h>

enum { SHOWN = 5 }; /* candidates that a message lists */

/* ---- one candidate ---- */

/* The name of a function f as an argument where `wanted` is expected: its arguments and result have
 * to be just those, and it may not ask for data where none is promised. */
static bool function_fits(const StanType *wanted, const Arg *a) {
  const StanType *f = a->type;
  if (f->base != T_FUNCTION || a->expr->kind != E_VARIABLE) return false;
  if (name_suffix(a->expr->name) != SUFFIX_NONE) return false;
  if (f->member_count != wanted->member_count || !types_equal(f->result, wanted->result))
    return false;
  for (int k = 0; k < f->member_count; k++) {
    if (!types_equal(f->members[k], wanted->members[k])) return false;
    if (f->data_only && f->data_only[k] && !(wanted->data_only && wanted->data_only[k]))
      return false;
  }
  return true;
}

/* The promotions that `a` needs, or -1. Whether it is data does not matter here. */
static int argument_cost(const StanType *parameter, const Arg *a) {
  if (parameter->base == T_FUNCTION) return function_fits(parameter, a) ? 0 : -1;
  return promotion_cost(parameter, a->type);
}

static const char *plural(int n) { return n == 1 ? "" : "s"; }

Fit fit_arguments(Checker *c, const StanType *signature, const Arg *args, int count, int before) {
  Fit fit = {.position = -1};
  if (signature->member_count != count) {
    int n = signature->member_count + before;
    fit.what =
        arena_printf(c->arena, "it takes %d argument%s, not %d", n, plural(n), count + before);
    return fit;
  }
  for (int k = 0; k < count; k++) {
    const StanType *p = signature->members[k];
    int cost = argument_cost(p, &args[k]);
    bool data = signature->data_only && signature->data_only[k];
    fit.position = k;
    fit.cost += cost;
    if (cost < 0) {
      fit.what = arena_printf(c->arena, "argument %d must be %s, not %s", k + 1 + before,
                              type_text(c, p), type_text(c, args[k].type));
      return fit;
    }
    if (data && !args[k].ad->data) {
      fit.what = arena_printf(c->arena,
                              "argument %d must be data, but may depend on parameters (local "
                              "variables and function arguments without 'data' count as such)",
                              k + 1 + before);
      return fit;
    }
  }
  fit.ok = true;
  return fit;
}

/* ---- the search ---- */

typedef struct {
  Checker *c;
  const Arg *args;
  int count;
  int best, ties; /* the least cost, and how many have it */
  const StanType *signature;
  FunDef *function;
  /* for messages: candidates that do not fit, the closest first; or those that tie */
  int shown, omitted, rank[SHOWN];
  uint64_t counts; /* numbers of arguments of those that fail by it: bit k for k arguments */
  const char *lines[SHOWN];
} Search;

const StanType *signature_copy(Arena *a, const StanType *s) {
  StanType *copy = ARENA_NEW(a, StanType);
  size_t n = (size_t)s->member_count;
  const StanType **members = ARENA_ARRAY(a, const StanType *, n);
  bool *data = ARENA_ARRAY(a, bool, n);
  for (size_t k = 0; k < n; k++) {
    members[k] = s->members[k];
    data[k] = s->data_only && s->data_only[k];
  }
  *copy = *s;
  copy->members = members;
  copy->data_only = data;
  return copy;
}

static void consider(Search *s, const StanType *signature, FunDef *function, int cost) {
  if (s->ties && cost > s->best) return;
  if (s->ties && cost == s->best) {
    s->ties++;
    return;
  }
  s->best = cost;
  s->ties = 1;
  s->signature = function ? signature : signature_copy(s->c->arena, signature);
  s->function = function;
}

static bool table_fits(void *context, int position, const StanType *parameter, bool data_only) {
  const Search *s = context;
  const Arg *a = &s->args[position];
  return argument_cost(parameter, a) >= 0 && (!data_only || a->ad->data);
}

static bool table_visit(void *context, const StanType *signature) {
  Search *s = context;
  int cost = 0;
  for (int k = 0; k < signature->member_count; k++)
    cost += argument_cost(signature->members[k], &s->args[k]);
  consider(s, signature, NULL, cost);
  return true;
}

/* ---- matches ---- */

static void search_table(Search *s, const char *name) {
  SignatureQuery query = {.context = s, .fits = table_fits, .visit = table_visit};
  signatures_each(s->c->arena, name, s->count, &query);
}

static Match match_of(const Search *s) {
  Match m = {.kind = s->ties == 0 ? MATCH_NONE : s->ties == 1 ? MATCH_ONE : MATCH_AMBIGUOUS};
  m.signature = s->signature;
  m.function = s->function;
  return m;
}

Match find_library_match(Checker *c, const char *name, const Arg *args, int count) {
  Search s = {.c = c, .args = args, .count = count};
  search_table(&s, name);
  Match m = match_of(&s);
  m.known = signatures_know(name);
  return m;
}

/* The program's functions and the library's. */
static void search(Search *s, const char *name) {
  const Symbol *y = scope_find(s->c->scope, name);
  for (size_t k = 0; y && k < y->function_count; k++) {
    FunDef *f = y->functions[k];
    if (f->arg_count != s->count) continue;
    Fit fit = fit_arguments(s->c, f->type, s->args, s->count, 0);
    if (fit.ok) consider(s, f->type, f, fit.cost);
  }
  search_table(s, name);
}

Match find_match(Checker *c, const char *name, const Arg *args, int count) {
  Search s = {.c = c, .args = args, .count = count};
  const Symbol *y = scope_find(c->scope, name);
  search(&s, name);
  Match m = match_of(&s);
  m.known = (y && y->function_count) || signatures_know(name);
  return m;
}

/* ---- explanations ---- */

/* Lists a candidate among those shown, if it is close enough. */
static void show(Search *s, int rank, const char *line) {
  int k = s->shown;
  if (s->shown < SHOWN) {
    s->shown++;
  } else {
    s->omitted++;
    if (rank <= s->rank[--k]) return;
  }
  for (; k > 0 && s->rank[k - 1] < rank; k--) {
    s->rank[k] = s->rank[k - 1];
    s->lines[k] = s->lines[k - 1];
  }
  s->rank[k] = rank;
  s->lines[k] = line;
}

static bool explain(void *context, const StanType *signature) {
  Search *s = context;
  Fit fit = fit_arguments(s->c, signature, s->args, s->count, 0);
  if (fit.ok && s->ties) {
    if (fit.cost == s->best) show(s, 0, type_text(s->c, signature));
    return true;
  }
  if (fit.position < 0) { /* one candidate for each number of arguments tells it all */
    uint64_t bit = UINT64_C(1) << (signature->member_count & 63);
    if (s->counts & bit) {
      s->omitted++;
      return true;
    }
    s->counts |= bit;
  }
  bool close = s->shown < SHOWN || fit.position > s->rank[SHOWN - 1];
  const char *line =
      close ? arena_printf(s->c->arena, "%s: %s", type_text(s->c, signature), fit.what) : NULL;
  show(s, fit.position, line);
  return true;
}

static const char *candidates(Search *s, const char *name) {
  const Symbol *y = scope_find(s->c->scope, name);
  for (size_t k = 0; y && k < y->function_count; k++) explain(s, y->functions[k]->type);
  SignatureQuery query = {.context = s, .visit = explain};
  signatures_each(s->c->arena, name, -1, &query);
  Text text = text_new(s->c->arena);
  for (int k = 0; k < s->shown; k++) text_printf(&text, "\n  %s", s->lines[k]);
  if (s->omitted) text_printf(&text, "\n  (%d more)", s->omitted);
  return text.data ? text.data : "";
}

void report_mismatch(Checker *c, Span span, const char *name, const Arg *args, int count,
                     MatchKind kind) {
  if (enough_errors(c)) {
    check_error(c, span, "%s", name);
    return;
  }
  const char *own = name_normalised(c->arena, name);
  Search s = {.c = c, .args = args, .count = count};
  if (kind == MATCH_AMBIGUOUS) search(&s, own);
  const char *types = types_text(c, args, count), *list = candidates(&s, own);
  if (kind == MATCH_AMBIGUOUS)
    check_error(c, span,
                "The call of '%s' with arguments of types %s is ambiguous: several of its "
                "signatures need the fewest promotions:%s",
                name, types, list);
  else
    check_error(c, span, "The function '%s' does not take arguments of types %s:%s", name, types,
                list);
}

/* ---- the library's own sources ---- */

static bool is_number(BaseType b) { return b == T_INT || b == T_REAL; }
static bool is_vector(BaseType b) { return b == T_VECTOR || b == T_ROW_VECTOR; }

/* Whether elements of a can be what p asks for: vectors, row vectors and arrays of numbers stand
 * for one another. */
static bool kinds_fit(const StanType *p, const StanType *a) {
  if (p->base == T_TUPLE || a->base == T_TUPLE || p->base == T_FUNCTION || a->base == T_FUNCTION)
    return p->base == a->base;
  if (is_complex(p) || is_complex(a)) return promotion_cost(p, a) >= 0 || p->base == T_COMPLEX;
  if (p->base == T_INT && a->base != T_INT) return false;
  if (p->base == T_MATRIX) return a->base == T_MATRIX;
  if (is_vector(p->base))
    return is_vector(a->base) || (is_number(a->base) && a->array_dims > p->array_dims);
  return p->array_dims == 0 || is_number(a->base) || (p->array_dims == 1 && is_vector(a->base));
}

static int rank_of(const StanType *t) {
  return t->base == T_TUPLE || t->base == T_FUNCTION ? t->array_dims : type_rank(t);
}

/* How many axes a function is mapped over, or -1 where it does not fit. */
static int mapped_axes(const StanType *signature, const Arg *args, int count) {
  int extra = 0;
  if (signature->member_count != count) return -1;
  for (int k = 0; k < count; k++) {
    int more = rank_of(args[k].type) - rank_of(signature->members[k]);
    if (!kinds_fit(signature->members[k], args[k].type) || more < 0) return -1;
    if (more > extra) extra = more;
  }
  for (int k = 0; k < count; k++) {
    int more = rank_of(args[k].type) - rank_of(signature->members[k]);
    if (more != 0 && more != extra) return -1;
    if (extra && signature->members[k]->array_dims) return -1; /* it is called as it stands */
  }
  return extra;
}

static int kind_distance(const StanType *signature, const Arg *args, int count) {
  int n = 0;
  for (int k = 0; k < count; k++) n += !types_equal(signature->members[k], args[k].type);
  return n;
}

/* The result of a function mapped over `extra` axes of its arguments: in a container like the first
 * argument that has them. */
static const StanType *mapped_result(Arena *a, const StanType *signature, const Arg *args,
                                     int extra) {
  const StanType *result = signature->result;
  int k = 0;
  if (!extra) return result;
  while (rank_of(args[k].type) == rank_of(signature->members[k])) k++;
  const StanType *p = signature->members[k], *like = args[k].type;
  bool scalar = rank_of(p) == 0 && rank_of(result) == 0 && result->base != T_TUPLE;
  if (scalar && result->base == T_REAL && !is_number(like->base))
    return type_simple(a, like->base, like->array_dims);
  return type_array_of(a, result, extra);
}

typedef struct {
  Search search;
  int axes;
} RelaxedSearch;

static void consider_relaxed(RelaxedSearch *r, const StanType *signature, FunDef *function) {
  Search *s = &r->search;
  int axes = mapped_axes(signature, s->args, s->count);
  if (axes < 0) return;
  int distance = kind_distance(signature, s->args, s->count);
  if (s->ties && (axes > r->axes || (axes == r->axes && distance >= s->best))) return;
  r->axes = axes;
  s->best = distance;
  s->ties = 1;
  s->signature = function ? signature : signature_copy(s->c->arena, signature);
  s->function = function;
}

static bool relaxed_visit(void *context, const StanType *signature) {
  consider_relaxed(context, signature, NULL);
  return true;
}

Match find_relaxed_match(Checker *c, const char *name, const Arg *args, int count,
                         const StanType **result) {
  Match m = find_library_match(c, name, args, count);
  if (m.kind == MATCH_ONE) {
    *result = m.signature->result;
    return m;
  }
  RelaxedSearch r = {.search = {.c = c, .args = args, .count = count}};
  const Symbol *y = scope_find(c->scope, name);
  for (size_t k = 0; y && k < y->function_count; k++)
    consider_relaxed(&r, y->functions[k]->type, y->functions[k]);
  int found = 0;
  FunDef *const *others = c->options.library.find
                              ? c->options.library.find(c->options.library.context, name, &found)
                              : NULL;
  for (int k = 0; k < found; k++)
    if (others[k]->type) consider_relaxed(&r, others[k]->type, others[k]);
  SignatureQuery query = {.context = &r, .visit = relaxed_visit};
  if (!r.search.ties) signatures_each(c->arena, name, count, &query);
  bool known = m.known || found || (y && y->function_count);
  m = match_of(&r.search);
  m.known = known;
  if (m.kind == MATCH_ONE)
    *result =
        name_is_conditioned(name) ? &type_real : mapped_result(c->arena, m.signature, args, r.axes);
  return m;
}
