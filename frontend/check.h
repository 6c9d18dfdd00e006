/* What the files of the checker share. Private to them. */
#ifndef STAN2ONNX_FRONTEND_CHECK_H
#define STAN2ONNX_FRONTEND_CHECK_H

#include "frontend/frontend.h"
#include "frontend/scope.h"
#include "frontend/suffix.h"

/* Whether a value may depend on parameters, as Stan sees it. A tuple has one for each member, and
 * is data when all of them are. */
typedef struct AdLevel AdLevel;
struct AdLevel {
  bool data;
  int count; /* of a tuple; 0 otherwise */
  const AdLevel *const *members;
};

/* An argument of a call, checked. */
typedef struct {
  const Expr *expr;
  const StanType *type;
  const AdLevel *ad;
} Arg;

typedef struct {
  const char *function; /* a likelihood of a Laplace approximation */
  Span span;
} Use;

typedef struct {
  Arena *arena;
  Diagnostics *diagnostics;
  Program *program;
  CheckOptions options;
  Scope *scope;
  BlockKind block;        /* being checked */
  const FunDef *function; /* whose body is being checked, or NULL */
  Suffix suffix;          /* of it */
  int loop_depth;
  bool in_size;                /* in a size of a declaration at the top level of a block */
  const SizedType *last_sized; /* the type of the last declaration: `T a, b` share one */
  int error_count;
  size_t use_count, use_capacity;
  Use *uses; /* functions that have to have second derivatives */
} Checker;

/* ---- check.c: messages, names ---- */

/* Whether there have been so many errors that no more are reported. */
bool enough_errors(const Checker *c);
void check_error(Checker *c, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The type as messages write it. */
const char *type_text(Checker *c, const StanType *t);
/* The types of arguments as a list in parentheses. */
const char *types_text(Checker *c, const Arg *args, int count);
/* False (reported) where `name` is a word that Stan keeps for itself. */
bool check_identifier(Checker *c, Span span, const char *name);
/* "transformed data" */
const char *block_name(BlockKind block);
/* " Did you mean 'x'?" for a name that nothing has, or "". */
const char *did_you_mean(Checker *c, const char *name);
/* False (reported) where a variable of this name is in scope. */
bool check_fresh(Checker *c, const VarDecl *v);
/* Whether a call may change the target here, add Jacobian terms, or draw random numbers. */
bool target_allowed(const Checker *c);
bool jacobian_allowed(const Checker *c);
bool rng_allowed(const Checker *c);

/* ---- promotion.c: types that stand for others ---- */

extern const AdLevel ad_data, ad_autodiff;
extern const StanType type_error, type_void, type_int, type_real, type_library_function;

/* How many promotions (int to real to complex, in arrays and tuples too) turn `from` into `to`; -1
 * where they cannot. */
int promotion_cost(const StanType *to, const StanType *from);
/* Whether a value of type `from` may be assigned to a variable, or returned as a result, of type
 * `to`. In the library's own sources row vectors may be vectors. */
bool type_accepts(const Checker *c, const StanType *to, const StanType *from);
/* The least type that both can be promoted to, or NULL. */
const StanType *common_type(Arena *a, const StanType *x, const StanType *y);
bool is_complex(const StanType *t);
/* int, array of int, tuple of these */
bool is_discrete(const StanType *t);
bool has_int(const StanType *t);
const StanType *sized_type(Arena *a, const SizedType *s);

/* The level of a value that is computed from values of two levels. */
const AdLevel *ad_join(Arena *a, const AdLevel *x, const AdLevel *y);
/* `ad` in the shape of a value of type t. */
const AdLevel *ad_of_type(Arena *a, const AdLevel *ad, const StanType *t);
/* The level of a variable, declared in `block`, in the block that is being checked. */
const AdLevel *ad_of_variable(Checker *c, const VarDecl *v);

/* ---- overload.c: which function a call means ---- */

typedef enum { MATCH_NONE, MATCH_ONE, MATCH_AMBIGUOUS } MatchKind;

typedef struct {
  MatchKind kind;
  bool known;                /* something has this name */
  const StanType *signature; /* MATCH_ONE: T_FUNCTION */
  FunDef *function;          /* and its declaration; NULL for the library's */
} Match;

/* Why arguments do not fit a function. */
typedef struct {
  int position; /* of the first argument that does not, from 0; -1 where their number is wrong */
  int cost;     /* promotions, where all fit */
  bool ok;
  const char *what; /* in words */
} Fit;

/* A signature that outlives the visit of it. */
const StanType *signature_copy(Arena *a, const StanType *signature);
/* Whether arguments of these types and levels fit the parameters. Messages count them with the
 * `before` arguments that are not among them. */
Fit fit_arguments(Checker *c, const StanType *signature, const Arg *args, int count, int before);
/* The one candidate of fewest promotions among the functions of normalised name `name`. */
Match find_match(Checker *c, const char *name, const Arg *args, int count);
/* The same among the library's functions alone. */
Match find_library_match(Checker *c, const char *name, const Arg *args, int count);
/* In the library's own sources: as find_match, with functions applied elementwise, *result the type
 * of the result. */
Match find_relaxed_match(Checker *c, const char *name, const Arg *args, int count,
                         const StanType **result);
/* Reports that the call at `span` has no match or several, and lists the candidates. */
void report_mismatch(Checker *c, Span span, const char *name, const Arg *args, int count,
                     MatchKind kind);

/* ---- operators.c ---- */

/* The result of an operator (b NULL for those of one operand), or NULL where it has none for these
 * types. */
const StanType *operator_result(Checker *c, Operator op, const Arg *a, const Arg *b);
const StanType *transpose_result(Checker *c, const Arg *a);
/* Whether `a op= b` is allowed. */
bool compound_assignment_fits(Checker *c, Operator op, const Arg *a, const Arg *b);

/* ---- check_expr.c ---- */

/* Each fills e->type, ..., and returns the level. e->type is type_error after an error. */
const AdLevel *check_expr(Checker *c, Expr *e);
/* An expression that has to be an int; `what` begins the message. */
bool check_int(Checker *c, Expr *e, const char *what);
const AdLevel *check_index(Checker *c, Index *i);
/* The type of `base` indexed; NULL (reported at `span`) where it has fewer dimensions. */
const StanType *indexed_type(Checker *c, Span span, const StanType *base, const Index *indices,
                             int count);
const AdLevel *indexed_level(Checker *c, const AdLevel *base, const AdLevel *const *indices,
                             int count, const StanType *type);
/* The member of a tuple; NULL (reported) where there is none. */
const StanType *projected_type(Checker *c, const Expr *e);
bool is_error(const Expr *e);

/* ---- check_call.c ---- */

const AdLevel *check_call(Checker *c, Expr *e);
/* The call of a void function. */
void check_call_statement(Checker *c, const Stmt *s);
void check_tilde(Checker *c, Stmt *s);

/* ---- check_forward.c: functions that call functions ---- */

/* Whether `name` is one whose arguments no signature describes: variadic solvers, reduce_sum, the
 * Laplace approximations. */
bool is_forwarding(const char *name);
bool is_laplace(const char *normalised_name);
/* Checks such a call, whose arguments are checked. False when there was an error. */
bool check_forwarding_call(Checker *c, Expr *e, const Arg *args);
/* Checks that the likelihoods of Laplace approximations do not call what has no second derivatives.
 */
void check_second_order(Checker *c);

/* ---- check_stmt.c ---- */

/* How a statement ends: it may run on, it always returns (or rejects), or it may leave a loop. */
typedef enum { FLOW_RUNS_ON, FLOW_RETURNS, FLOW_BREAKS } Flow;

Flow check_stmt(Checker *c, Stmt *s);
Flow check_stmts(Checker *c, Stmt *const *stmts, int count);

/* ---- check_decl.c ---- */

void check_declaration(Checker *c, Stmt *s);
/* The functions block. */
void declare_functions(Checker *c);
void check_functions(Checker *c);

#endif
