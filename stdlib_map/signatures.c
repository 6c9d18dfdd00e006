/* The signature table, read on demand: a row is a pattern that stands for all signatures of a name,
 * and only those that fit a call are ever formed.
 *
 * A pattern is a list of forms, separated by ';'. A form is `arguments = result`, or `T:{types}^n |
 * arguments = result` for every T among the types and arrays of them with up to n more dimensions.
 *
 *   i r c        int, real, complex
 *   v w m        vector, row_vector, matrix
 *   cv cw cm     their complex kinds
 *   r2           array[,] real
 *   (m v)        tuple(matrix, vector)
 *   f(r v = v)   a function's name, of these arguments and result
 *   !r           data only
 *   {r,v}        any of these
 *   T T+1        the variable; an array of it
 *   re(T) cx(T)  T with int and complex made real; T made complex
 *   int(T)       an array of int in T's shape
 *   v(T)         a vector, in as many arrays as T has
 *   r/v          as a result: r where all arguments are of type int or real, v otherwise */
#include "stdlib_map/signatures.h"

#include <string.h>

#define ELEMENTWISE         "T:{i,r,v,w,m}^7 | T = re(T)"
#define ELEMENTWISE_COMPLEX ELEMENTWISE "; c = c"
#define COMPLEX_PART        "T:{c,cv,cw,cm}^7 | T = re(T)"
#define ELEMENTWISE2                                                                               \
  "{i,r} {i,r} = r; T:{i1,r1,v,w,m}^7 | T {T,i,r} = re(T); T:{i1,r1,v,w,m}^7 | {i,r} T = re(T)"
#define ELEMENTWISE2_REAL    "r r = r; T:{r1,v,w,m}^7 | T {T,r} = T; T:{r1,v,w,m}^7 | r T = T"
#define ELEMENTWISE_INT_REAL "T:{r1,v,w,m}^7 | {i,int(T)} T = T; T:{r}^7 | int(T) r = T"
#define ELEMENTWISE_REAL_INT "T:{r1,v,w,m}^7 | T {i,int(T)} = T; T:{r}^7 | r int(T) = T"
#define ELEMENTWISE_INT_INT  "T:{i}^7 | T i = T; T:{i1}^6 | {i,T} T = T"
#define BOUND1               "r r = r; T:{r1,v,w,m}^7 | T {T,r} = T"
#define BOUND2               "r r r = r; T:{r1,v,w,m}^7 | T {T,r} {T,r} = T"
#define OF_VECTORS           "T:{v}^7 | T = T"
#define OF_MATRICES          "T:{m}^7 | T = T"
#define OF_VECTORS_MATRICES  "T:{v,m}^7 | T = T"
#define MATRIX_TO_VECTOR     "T:{m}^7 | T = v(T)"
#define VECTOR_TO_MATRIX     "T:{v}^7 | T i = m(T)"
#define VECTOR_TO_MATRIX2    "T:{v}^7 | T i i = m(T)"
#define ARITHMETIC                                                                                 \
  "T:{i,r,c,v,w,m,cv,cw,cm} | T T = T; T:{v,w,m} | T r = T; T:{v,w,m} | r T = T; "                 \
  "T:{cv,cw,cm} | T c = T; T:{cv,cw,cm} | c T = T"

/* densities: outcomes and parameters that are vectorised */
#define REALS          "{r,r1,v,w}"
#define INTS           "{i,i1}"
#define VECTORS        "{v,w,v1,w1}"
#define REALS1         REALS " = r"
#define REALS2         REALS " " REALS1
#define REALS3         REALS " " REALS2
#define REALS4         REALS " " REALS3
#define REALS5         REALS " " REALS4
#define COUNTS_REALS1  INTS " " REALS1
#define COUNTS_REALS2  INTS " " REALS2
#define COUNTS_REALS3  INTS " " REALS3
#define COUNTS2_REALS1 INTS " " COUNTS_REALS1
#define COUNTS2_REALS2 INTS " " COUNTS_REALS2
#define COUNTS3        INTS " " INTS " " INTS " = r"
#define WIENER(PARAMS) PARAMS " = r; " PARAMS " !r = r"
#define WIENER_CDF     WIENER("r r r r r") "; " WIENER("v v v v v") "; " WIENER_FULL
#define WIENER_FULL    WIENER("r r r r r r r r") "; " WIENER("v v v v v v v v")

/* random numbers: one for each element of the longest argument */
#define NUMBERS    "{i,r,i1,r1,v,w}"
#define DRAW_REAL1 NUMBERS " = r/r1"
#define DRAW_REAL2 NUMBERS " " DRAW_REAL1
#define DRAW_REAL3 NUMBERS " " DRAW_REAL2
#define DRAW_INT1  NUMBERS " = i/i1"
#define DRAW_INT2  NUMBERS " " DRAW_INT1
#define DRAW_INT3  NUMBERS " " DRAW_INT2

/* user functions of the older solvers, and what is passed on to them as data */
#define SYSTEM      "f(v v !r1 !i1 = v)"
#define ODE         "f(r r1 r1 !r1 !i1 = r1) r1 r r1 r1 !r1 !i1"
#define INTEGRAND   "f(r r r1 !r1 !i1 = r) r r r1 !r1 !i1"
#define ODE_SOLVERS ODE " = r2; " ODE " !r !r !r = r2"
#define ROOT_SOLVER SYSTEM " v v !r1 !i1 = v; " SYSTEM " v v !r1 !i1 !r !r !r = v"

typedef struct {
  const char *name, *pattern;
} Row;

static const Row rows[] = {
#define FUNCTION(name, pattern) {#name, pattern},
#include "stdlib_map/signatures.def"
#undef FUNCTION
};

enum { ROW_COUNT = sizeof rows / sizeof *rows, MAX_PARAMS = 16, MAX_DIMS = 10 };

#define DIMS(b)                                                                                    \
  {                                                                                                \
    {.base = b, .array_dims = 0}, {.base = b, .array_dims = 1}, {.base = b, .array_dims = 2},      \
        {.base = b, .array_dims = 3}, {.base = b, .array_dims = 4}, {.base = b, .array_dims = 5},  \
        {.base = b, .array_dims = 6}, {.base = b, .array_dims = 7}, {.base = b, .array_dims = 8},  \
    {                                                                                              \
      .base = b, .array_dims = 9                                                                   \
    }                                                                                              \
  }

static const StanType simple_types[][MAX_DIMS] = {[T_INT] = DIMS(T_INT),
                                                  [T_REAL] = DIMS(T_REAL),
                                                  [T_COMPLEX] = DIMS(T_COMPLEX),
                                                  [T_VECTOR] = DIMS(T_VECTOR),
                                                  [T_ROW_VECTOR] = DIMS(T_ROW_VECTOR),
                                                  [T_MATRIX] = DIMS(T_MATRIX),
                                                  [T_COMPLEX_VECTOR] = DIMS(T_COMPLEX_VECTOR),
                                                  [T_COMPLEX_ROW_VECTOR] =
                                                      DIMS(T_COMPLEX_ROW_VECTOR),
                                                  [T_COMPLEX_MATRIX] = DIMS(T_COMPLEX_MATRIX)};

static const struct {
  const char *word;
  BaseType base;
} base_words[] = {{"i", T_INT},
                  {"r", T_REAL},
                  {"cv", T_COMPLEX_VECTOR},
                  {"cw", T_COMPLEX_ROW_VECTOR},
                  {"cm", T_COMPLEX_MATRIX},
                  {"c", T_COMPLEX},
                  {"v", T_VECTOR},
                  {"w", T_ROW_VECTOR},
                  {"m", T_MATRIX}};

/* ---- the names ---- */

int signatures_count(void) { return ROW_COUNT; }
const char *signatures_name(int k) { return rows[k].name; }

static const Row *find_row(const char *name) {
  int low = 0, high = ROW_COUNT;
  while (low < high) {
    int middle = low + (high - low) / 2, order = strcmp(rows[middle].name, name);
    if (order == 0) return &rows[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

bool signatures_know(const char *name) { return find_row(name) != NULL; }

/* ---- reading types ---- */

typedef struct {
  Arena *arena;
  const SignatureQuery *query;
  const StanType *variable; /* what T is at the moment */
  int count;
  const StanType *params[MAX_PARAMS];
  bool data_only[MAX_PARAMS];
} Reader;

static const StanType *simple(BaseType base, int dims) { return &simple_types[base][dims]; }

static BaseType read_base(const char **at) {
  for (size_t k = 0; k < sizeof base_words / sizeof *base_words; k++) {
    size_t n = strlen(base_words[k].word);
    if (strncmp(*at, base_words[k].word, n)) continue;
    *at += n;
    return base_words[k].base;
  }
  return T_ERROR;
}

static bool skip_word(const char **at, const char *word) {
  size_t n = strlen(word);
  if (strncmp(*at, word, n)) return false;
  *at += n;
  return true;
}

static BaseType real_base(BaseType b) {
  switch (b) {
  case T_INT:
  case T_COMPLEX: return T_REAL;
  case T_COMPLEX_VECTOR: return T_VECTOR;
  case T_COMPLEX_ROW_VECTOR: return T_ROW_VECTOR;
  case T_COMPLEX_MATRIX: return T_MATRIX;
  default: return b;
  }
}

static BaseType complex_base(BaseType b) {
  switch (b) {
  case T_INT:
  case T_REAL: return T_COMPLEX;
  case T_VECTOR: return T_COMPLEX_VECTOR;
  case T_ROW_VECTOR: return T_COMPLEX_ROW_VECTOR;
  case T_MATRIX: return T_COMPLEX_MATRIX;
  default: return b;
  }
}

static const StanType *read_type(Reader *r, const char **at);

/* The members of a tuple or the arguments of a function, up to a closing parenthesis or '='. */
static int read_list(Reader *r, const char **at, const StanType **types, bool *data) {
  int n = 0;
  while (**at != ')' && **at != '=') {
    data[n] = skip_word(at, "!");
    types[n++] = read_type(r, at);
    while (**at == ' ') ++*at;
  }
  return n;
}

static const StanType *read_compound(Reader *r, const char **at, BaseType base) {
  StanType *t = ARENA_NEW(r->arena, StanType);
  const StanType **members = ARENA_ARRAY(r->arena, const StanType *, MAX_PARAMS);
  bool *data = ARENA_ARRAY(r->arena, bool, MAX_PARAMS);
  *t = (StanType){.base = base, .members = members};
  t->member_count = read_list(r, at, members, data);
  if (base == T_FUNCTION) {
    t->data_only = data;
    skip_word(at, "= ");
    t->result = read_type(r, at);
  }
  skip_word(at, ")");
  return t;
}

static const StanType *read_type(Reader *r, const char **at) {
  const StanType *t = r->variable;
  if (skip_word(at, "re(T)")) return simple(real_base(t->base), t->array_dims);
  if (skip_word(at, "cx(T)")) return simple(complex_base(t->base), t->array_dims);
  if (skip_word(at, "int(T)")) return simple(T_INT, type_rank(t));
  if (skip_word(at, "T+")) return simple(t->base, t->array_dims + (*(*at)++ - '0'));
  if (skip_word(at, "T")) return t;
  if (skip_word(at, "(")) return read_compound(r, at, T_TUPLE);
  if (skip_word(at, "f(")) return read_compound(r, at, T_FUNCTION);
  BaseType base = read_base(at);
  if (skip_word(at, "(T)")) return simple(base, t->array_dims);
  return simple(base, **at >= '1' && **at <= '9' ? *(*at)++ - '0' : 0);
}

/* ---- forming signatures ---- */

static const char *skip_spaces(const char *at) {
  while (*at == ' ') at++;
  return at;
}

/* Where the form that starts at `at` ends. */
static const char *form_end(const char *at) {
  const char *end = strchr(at, ';');
  return end ? end : at + strlen(at);
}

static int count_args(const char *at) {
  int n = 0, depth = 0;
  for (bool inside = false; depth || *at != '='; at++) {
    depth += (*at == '(' || *at == '{') - (*at == ')' || *at == '}');
    if (!inside && *at != ' ') n++;
    inside = depth || *at != ' ';
  }
  return n;
}

static bool all_numbers(const Reader *r) {
  for (int k = 0; k < r->count; k++)
    if (r->params[k]->array_dims || r->params[k]->base > T_REAL) return false;
  return true;
}

static bool emit(Reader *r, const char *at) {
  const StanType *result = read_type(r, &at);
  if (*at == '/') {
    at++;
    const StanType *otherwise = read_type(r, &at);
    if (!all_numbers(r)) result = otherwise;
  }
  StanType signature = {.base = T_FUNCTION,
                        .member_count = r->count,
                        .members = r->params,
                        .data_only = r->data_only,
                        .result = result};
  return r->query->visit(r->query->context, &signature);
}

/* The remaining arguments of a form; false when the search is over. */
static bool fill(Reader *r, const char *at) {
  at = skip_spaces(at);
  if (*at == '=') return emit(r, skip_spaces(at + 1));
  bool data = skip_word(&at, "!"), set = skip_word(&at, "{");
  const char *rest = at;
  if (set) rest = strchr(at, '}') + 1;
  int k = r->count;
  do {
    const StanType *t = read_type(r, &at);
    if (!set) rest = at;
    if (r->query->fits && !r->query->fits(r->query->context, k, t, data)) continue;
    r->params[k] = t;
    r->data_only[k] = data;
    r->count = k + 1;
    bool go_on = fill(r, rest);
    r->count = k;
    if (!go_on) return false;
  } while (set && skip_word(&at, ","));
  return true;
}

/* All values of a form's variable in turn; `at` is behind its `T:{`. */
static bool fill_each(Reader *r, const char *at, int arg_count) {
  const char *end = strchr(at, '}') + 1, *form = strchr(end, '|') + 1;
  int more = *end == '^' ? end[1] - '0' : 0;
  form = skip_spaces(form);
  if (arg_count >= 0 && count_args(form) != arg_count) return true;
  do {
    const StanType *first = read_type(r, &at);
    for (int k = 0; k <= more; k++) {
      r->variable = simple(first->base, first->array_dims + k);
      if (!fill(r, form)) return false;
    }
  } while (skip_word(&at, ","));
  return true;
}

void signatures_each(Arena *arena, const char *name, int arg_count, const SignatureQuery *query) {
  const Row *row = find_row(name);
  Reader r = {.arena = arena, .query = query};
  if (!row) return;
  for (const char *at = row->pattern;; at++) {
    const char *end = form_end(at);
    at = skip_spaces(at);
    bool go_on = true;
    r.count = 0;
    if (skip_word(&at, "T:{"))
      go_on = fill_each(&r, at, arg_count);
    else if (arg_count < 0 || count_args(at) == arg_count)
      go_on = fill(&r, at);
    if (!go_on || !*end) return;
    at = end;
  }
}

/* ---- variadic functions ---- */

typedef struct {
  const char *name, *control, *required, *result;
} VariadicRow;

#define ODE_START    "v r r1"
#define DAE_START    "v v !r !r1"
#define TOLERANCES   " !r !r !i"
#define ADJOINT      " !r !v !r !v !r !r !i !i !i !i !i"
#define SYSTEM_RATES "r v = v"
#define SYSTEM_DAE   "r v v = v"

static const VariadicRow variadic_rows[] = {
    {"dae", DAE_START " =", SYSTEM_DAE, "v1"},
    {"dae_tol", DAE_START TOLERANCES " =", SYSTEM_DAE, "v1"},
    {"integrate_1d_double_exponential", "r r =", "r r = r", "r"},
    {"integrate_1d_double_exponential_tol", "r r" TOLERANCES " =", "r r = r", "r"},
    {"integrate_1d_gauss_kronrod", "r r =", "r r = r", "r"},
    {"integrate_1d_gauss_kronrod_tol", "r r" TOLERANCES " =", "r r = r", "r"},
    {"ode_adams", ODE_START " =", SYSTEM_RATES, "v1"},
    {"ode_adams_tol", ODE_START TOLERANCES " =", SYSTEM_RATES, "v1"},
    {"ode_adjoint_tol_ctl", ODE_START ADJOINT " =", SYSTEM_RATES, "v1"},
    {"ode_bdf", ODE_START " =", SYSTEM_RATES, "v1"},
    {"ode_bdf_tol", ODE_START TOLERANCES " =", SYSTEM_RATES, "v1"},
    {"ode_ckrk", ODE_START " =", SYSTEM_RATES, "v1"},
    {"ode_ckrk_tol", ODE_START TOLERANCES " =", SYSTEM_RATES, "v1"},
    {"ode_rk45", ODE_START " =", SYSTEM_RATES, "v1"},
    {"ode_rk45_tol", ODE_START TOLERANCES " =", SYSTEM_RATES, "v1"},
    {"solve_newton", "v =", "v = v", "v"},
    {"solve_newton_tol", "v" TOLERANCES " =", "v = v", "v"},
    {"solve_powell", "v =", "v = v", "v"},
    {"solve_powell_tol", "v" TOLERANCES " =", "v = v", "v"},
};

bool variadic_signature(const char *name, VariadicSignature *out) {
  Reader r = {0};
  for (size_t k = 0; k < sizeof variadic_rows / sizeof *variadic_rows; k++) {
    const VariadicRow *row = &variadic_rows[k];
    if (strcmp(row->name, name)) continue;
    bool required_data[VARIADIC_MAX];
    const char *at = row->control;
    *out = (VariadicSignature){.name = row->name};
    out->control_count = read_list(&r, &at, out->control, out->control_data);
    at = row->required;
    out->required_count = read_list(&r, &at, out->required, required_data);
    skip_word(&at, "= ");
    out->function_result = read_type(&r, &at);
    at = row->result;
    out->result = read_type(&r, &at);
    return true;
  }
  return false;
}
