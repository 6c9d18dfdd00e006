/* Tracing a checked Stan program into IR: the state that the files of lower/ share.
 *
 * Statements run symbolically, once. A loop whose iterations are independent is entered as a Level:
 * its variable becomes a vector, and everything computed from it carries the level's leading axes.
 * So loops become tensor ops while they are traced, and nothing grows with the data. */
#ifndef STAN2ONNX_LOWER_TRACE_H
#define STAN2ONNX_LOWER_TRACE_H

#include "frontend/frontend.h"
#include "ir/ir.h"
#include "lower/lower.h"

/* An iteration space, nested in its parent's. */
typedef struct Level Level;
struct Level {
  Level *parent;
  int depth;     /* leading axes that a value of this level carries */
  IrValue *size; /* extent of the last of them (i64 scalar) */
  /* A product level adds one axis to its parent's. A flat level has a single axis, a selection of
   * the parent's iterations: flat_index[a] (i64 [size]) is their position along the parent's axis
   * a. */
  bool flat;
  bool selection; /* flat: each of the parent's iterations at most once */
  IrValue *flat_index[IR_MAX_RANK];
};

/* A tensor per iteration of a level: `value` has level->depth leading axes, each of full extent or
 * statically 1 where it does not vary. level NULL: the same for all iterations. */
typedef struct {
  IrValue *value;
  Level *level;
  bool varying; /* depends on the parameters, so it will differ between chains */
} Tr;

/* A Stan value: one tensor, or a tuple of values. Arrays of tuples are tuples of arrays. */
typedef struct SVal SVal;
struct SVal {
  const StanType *type;
  Tr tr;         /* int: i64 or bool; real and containers of it: f64 */
  bool autodiff; /* Stan's C++ would hold it in autodiff variables: decides which constants are
                    dropped */
  SVal *members; /* tuple: type->member_count of them */
};

/* A variable in scope. */
typedef struct {
  const VarDecl *decl;
  Level *home; /* the level it was declared at: values assigned later are reduced to it */
  Tr mask;     /* in force at the declaration: where it is false the value does not matter */
  SVal value;
  const Diagnostic *missing; /* why it has no value: what it is computed from is not supported */
} Binding;

/* An activation: the program's own, or a function's. */
typedef struct Frame Frame;
struct Frame {
  Frame *caller;
  const FunDef *function;
  size_t count, capacity;
  Binding **bindings;
  bool autodiff;       /* some argument is */
  bool drop_constants; /* _lupdf calls inside drop constants */
  bool is_density;     /* a density of the library: its return expression is summed term by term */
  bool is_library;
  SVal result; /* meaningful once has_result */
  bool has_result;
  bool done;      /* everything has returned */
  int term_count; /* is_density: the terms of its only, unconditional return */
  Tr *terms;
  Tr thrown;   /* a function that draws: where Stan would throw; value NULL: nowhere */
  Tr entry;    /* the mask at entry */
  Tr returned; /* bool: which iterations have returned; value NULL: none so far */
};

/* Pseudo-variables that statements update beside the program's own. */
typedef enum { ACC_TARGET, ACC_VALID, ACC_COUNT } Accumulator;

/* Where tracing goes on after a size turned out to differ between the iterations of a level. */
typedef struct {
  jmp_buf escape;
  Tr size; /* where it is known which size that was, else value NULL */
} Ragged;

typedef struct Tracer Tracer;
struct Tracer {
  Arena *arena;
  Diagnostics *diagnostics;
  const LowerOptions *options;
  const Program *program;
  struct Prelude *prelude;
  IrModule *module;
  IrBuilder *b;
  Frame *frame;
  Level *level;
  Tr mask;                    /* bool: the iterations and chains that run; value NULL: all */
  Tr accumulators[ACC_COUNT]; /* target (f64) and "nothing thrown yet" (bool), both of level NULL */
  Tr key;                     /* of the generator (i64); value NULL: nothing can be drawn */
  struct Draws *draws;        /* those to be made together (draws.h); may be NULL */
  uint64_t path;              /* tells the calls around what is traced from all others */
  Tr place;                   /* tells iterations of the loops around apart (i64); value NULL: 0 */
  int loops;                  /* how many of them there are */
  const struct Target *target;    /* what log_density_gradient stands for; may be NULL */
  const struct OdeSystem *system; /* what ode_system stands for; may be NULL */
  struct Ahead *ahead; /* the loop that is being traced, where its draws can be made before it */
  Tr *thrown; /* where not NULL, trace_throw records here for which iterations (bool) instead */
  Tr broken, continued; /* bool: iterations that left or skipped the rest of the loop's body */
  int escapes;          /* counts changes of returned, broken and continued */
  bool parting;         /* in a loop that chains may leave at different times: what is kept of its
                           iterations differs between them, so that no size may depend on it */
  BlockKind block;
  bool in_library; /* tracing a function of the library */
  bool unchecked;  /* inside the callee of an IR call: the caller has checked the domain */
  bool jacobian;   /* `jacobian +=` counts */
  bool gradients;  /* what is traced will be differentiated */
  bool discrete;   /* tracing a condition or an integer: no gradient flows through it */
  int uncopied;    /* counts containers that tr_inside has left as they are */
  bool evident;    /* a check was left to show itself: where it fails the density is NaN or -inf */
  int call_depth, call_count, scope_count;
  Span span;      /* what is being traced, for messages */
  Ragged *ragged; /* where to go on when a size differs between the iterations of a level; NULL:
                     nowhere */
  struct CallCache *calls; /* traced callees of IR calls */
};

/* ---- trace.c: functions by themselves ---- */

/* Goes over to a function of the IR that is traced by itself, in a frame of its own: of what is
 * around it, no level, mask, loop or key holds there. Returns the tracer as it was. */
Tracer trace_apart(Tracer *t, IrBuilder *b, Frame *frame);
/* Ends that function, and goes back. */
IrFunction *trace_apart_end(Tracer *t, Tracer before, IrValue *const *results, int count);

/* ---- trace.c: levels and batched emission ---- */

Tr tr_const(IrValue *v); /* level NULL, not varying */
Tr tr_real(Tracer *t, double x);
Tr tr_int(Tracer *t, int64_t x);
/* What stands for a number that is none: NaN, and of integers the least of Stan's. */
Tr tr_nothing(Tracer *t, bool integer);
Level *level_product(Tracer *t, Level *parent, IrValue *size);
/* Says which iterations of its parent a flat level is of: their numbers, with all axes counted
 * through. */
void level_set_places(Tracer *t, Level *l, IrValue *at);
/* The iterations of `parent` at which mask (a bool of that level) is true. */
Level *level_where(Tracer *t, Level *parent, Tr mask);
/* v as a value of `level`, which must be v's level or below it. Values of level NULL stay as they
 * are. */
Tr tr_lift(Tracer *t, Tr v, Level *level);
/* v with its level's axes present and of full extent at `level`. */
Tr tr_spread(Tracer *t, Tr v, Level *level);
/* The deeper of two levels on one path. */
Level *level_deeper(Level *a, Level *b);
/* own rank: without the level's axes */
int tr_rank(Tr v);
/* i64 scalar: extent of own axis k */
IrValue *tr_dim(Tracer *t, Tr v, int k);
int64_t tr_static_dim(Tr v, int k); /* IR_DYNAMIC where unknown */
/* op on values of any levels on one path; guards dangerous operands where a mask is set */
Tr tr_emit(Tracer *t, IrOp op, IrAttr attr, int count, const Tr *in);
/* v, where a mask is set with `safe` in the place of what depends on parameters and is masked out
 */
Tr tr_guard(Tracer *t, Tr v, double safe);
/* v, from outside of a branch, inside of it: where the branch is not taken nothing flows back, so
 * that what is not finite there (a local variable without value, a logarithm of data, an overflow)
 * does not reach a gradient times zero. Containers that are the same for all iterations of the
 * mask's level stay as they are, to be not copied for each: trace_expr takes inside what comes of
 * them. */
Tr tr_inside(Tracer *t, Tr v);
/* Whether one of the masks is the other, perhaps at an inner level. */
bool same_mask(Tr a, Tr b);
/* Whether v is of a level above, so that it is not of one branch only. */
bool is_above(Tr v, Level *level);
Tr tr_unary(Tracer *t, IrOp op, Tr a);
Tr tr_binary(Tracer *t, IrOp op, Tr a, Tr b);
Tr tr_select(Tracer *t, Tr c, Tr a, Tr b);
Tr tr_cast(Tracer *t, Tr a, IrDtype dtype);
Tr tr_reduce(Tracer *t, IrOp op, Tr a, int axis); /* over one own axis */
Tr tr_reduce_all(Tracer *t, IrOp op, Tr a);       /* over all own axes */
Tr tr_reshape(Tracer *t, Tr a, int rank, const Tr *dims);
Tr tr_broadcast(Tracer *t, Tr a, int rank, const Tr *dims);
Tr tr_gather(Tracer *t, Tr x, Tr index, int axis);
Tr tr_slice(Tracer *t, Tr x, int axis, Tr start, Tr length);
Tr tr_concat(Tracer *t, int count, const Tr *parts, int axis);
Tr tr_transpose(Tracer *t, Tr x); /* swaps the last two own axes */
Tr tr_unsqueeze(Tracer *t, Tr x, int axis);
Tr tr_dim_value(Tracer *t, Tr v, int k);
/* The first own axis of v becomes the axis of `level`, a product level whose parent is at or below
 * v's. */
Tr tr_enter(Tracer *t, Tr v, Level *level);
/* The axes of the product levels between `home` and v's level become leading own axes at `home`.
 * With `full` they get their full extent. NULL value where a flat level lies between. */
Tr tr_leave(Tracer *t, Tr v, Level *level, Level *home, int *axes);
/* Sum (or product, any, all) over the iterations of `level` beyond `home`, of a value at or above
 * `level`. */
Tr tr_fold(Tracer *t, IrOp reduce, Tr v, Level *level, Level *home);
/* bool: mask of the running iterations and v; and the mask narrowed by c */
Tr tr_and(Tracer *t, Tr a, Tr b);
Tr tr_not(Tracer *t, Tr a);
/* An integer that is the same for all iterations, as it turned out, as one for all of them, since
 * it may be a size; any other v as it is. */
Tr tr_settled(Tracer *t, Tr v);
bool tr_known(Tr v);                   /* a compile-time constant */
bool tr_known_bool(Tr v, bool *value); /* uniform constant */
bool tr_known_int(Tr v, int64_t *value);

/* Something Stan throws on: where `bad` (bool) holds in a running iteration, the density is -inf.
 */
void trace_throw(Tracer *t, Tr bad);
/* A size that differs between the iterations of a level, which a tensor cannot have: gives the
 * level up, so that its loop is traced as a loop. Unsupported where there is none. */
_Noreturn void trace_ragged(Tracer *t, Span span, const char *what);
/* The same, of a size that may be known. */
_Noreturn void trace_ragged_size(Tracer *t, Span span, const char *what, Tr size);
_Noreturn void trace_unsupported(Tracer *t, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- expressions ---- */

SVal trace_expr(Tracer *t, const Expr *e);
/* What a place holds, taken as it is, for what is linear in it and stored there again. */
SVal trace_place(Tracer *t, const Expr *e);
Tr trace_int(Tracer *t, const Expr *e);       /* i64 */
Tr trace_condition(Tracer *t, const Expr *e); /* bool */
SVal sval(const StanType *type, Tr tr, bool autodiff);
Tr as_int(Tracer *t, Tr v);
Tr as_real(Tracer *t, Tr v);
Tr as_bool(Tracer *t, Tr v);
/* v with the representation of `type` (int to real, in tuples too) */
SVal promote(Tracer *t, SVal v, const StanType *type);
SVal trace_operator(Tracer *t, const Expr *at, Operator op, SVal a, SVal b);
SVal select_value(Tracer *t, Tr c, SVal a, SVal b);

/* ---- indexing (index.c) ---- */

/* One index, evaluated. */
typedef struct {
  IndexKind kind; /* INDEX_ALL, INDEX_SINGLE, INDEX_RANGE */
  bool multi;     /* INDEX_SINGLE by an array of int */
  Tr value;       /* INDEX_SINGLE: from 0; INDEX_RANGE: start from 0 */
  Tr length;      /* INDEX_RANGE */
} TracedIndex;

TracedIndex *trace_indices(Tracer *t, const Index *indices, int count, Tr base);
SVal index_value(Tracer *t, SVal base, const TracedIndex *indices, int count, const StanType *type);
/* base with the elements at `indices` replaced by (or, with `add`, increased by) v; runs at
 * t->level while base is of level `home`. */
Tr index_update(Tracer *t, Tr base, Level *home, const TracedIndex *indices, int count, Tr v,
                bool add);

/* ---- calls ---- */

SVal trace_call(Tracer *t, const Expr *call);
/* Calls the library by name. */
SVal call_library(Tracer *t, const char *name, SVal *args, int count, const StanType *result,
                  Span span);
SVal call_user(Tracer *t, const FunDef *f, SVal *args, int count, bool drop_constants);
/* An intrinsic by name: false where there is none for these arguments. */
bool call_intrinsic(Tracer *t, const char *name, SVal *args, int count, const StanType *type,
                    SVal *result);
/* A density (name with its _lpdf, _lpmf, _lcdf, ... suffix) over possibly vectorised arguments. */
Tr trace_density(Tracer *t, const char *name, SVal *args, int count, bool drop_constants,
                 Span span);

/* ---- statements ---- */

void trace_stmt(Tracer *t, const Stmt *s);
void trace_block(Tracer *t, Stmt *const *stmts, int count);
void trace_tilde(Tracer *t, const Stmt *s);
void trace_for(Tracer *t, const Stmt *s);
void trace_foreach(Tracer *t, const Stmt *s);
void trace_while(Tracer *t, const Stmt *s);
void trace_if(Tracer *t, const Stmt *s);
void trace_assign(Tracer *t, const Stmt *s);
/* Stores v in the variable, under the mask, reduced to the variable's home. */
void assign_variable(Tracer *t, Binding *binding, SVal v);
void accumulate_target(Tracer *t, Tr v);
Binding *lookup(Tracer *t, const VarDecl *decl);
Binding *bind(Tracer *t, const VarDecl *decl, SVal v);
/* v at `level`, a selection of home's iterations, back into all of them: the others keep what `old`
 * has. */
Tr merge_selection(Tracer *t, Tr old, Tr v, Level *level, Level *home);
/* Runs `stmt` with the mask narrowed to `condition`. */
void trace_masked(Tracer *t, Tr condition, const Stmt *stmt);
/* The tensors that `stmt` may change, as places to read and write: variables it assigns, the
 * accumulators, and with escapes what records them. Before a region is traced their values are
 * brought to the type they keep: spread over their homes. */
typedef struct {
  int count, capacity;
  Tr **slots;
} Slots;
Slots changed_slots(Tracer *t, const Stmt *stmt);
/* Whether anything `stmt` reads or changes depends on the parameters. */
bool stmt_varies(Tracer *t, const Stmt *stmt);

/* ---- declarations (decl.c) ---- */

typedef struct {
  int rank;
  Tr dims[IR_MAX_RANK]; /* i64 scalars */
} Shape;

Shape trace_shape(Tracer *t, const SizedType *s, const StanType *type);
/* Throws where v breaks the constraint that s declares (transformed parameters, transformed data).
 */
void check_declared(Tracer *t, const SizedType *s, SVal v);
/* The elements (bool, of v's array dims or all its dims) that break the constraint of s; value
 * NULL: none can. */
Tr broken_constraint(Tracer *t, const SizedType *s, SVal v);
/* Facts that a declared constraint vouches for. */
void assume_constraint(Tracer *t, const SizedType *s, SVal v);

/* ---- parameters (params.c) ---- */

/* Reads a parameter from the unconstrained vector at *offset (advanced), adding its log Jacobian to
 * the target. */
SVal constrain_parameter(Tracer *t, const VarDecl *d, Tr unconstrained, Tr *offset);
/* How many of the parameters d[0], d[1], ... can be constrained together, at least 1; and those
 * together, the values that out has room for. */
int parameters_alike(Tracer *t, VarDecl *const *d, int count);
void constrain_alike(Tracer *t, VarDecl *const *d, int count, Tr unconstrained, Tr *offset,
                     SVal *out);
/* The inverse: the parameter's part of the unconstrained vector, rank 1. */
Tr unconstrain_parameter(Tracer *t, const VarDecl *d, SVal v);
/* How many unconstrained values it has (i64). */
Tr free_size(Tracer *t, const SizedType *s);
/* A variable before its first assignment: NaN, or the smallest int. */
SVal uninitialised(Tracer *t, const SizedType *s, const StanType *type);
void trace_declaration(Tracer *t, const Stmt *s);

/* ---- dependence.c: what a loop's iterations share ---- */

typedef struct {
  const VarDecl **items;
  size_t count, capacity;
} VarSet;

bool varset_has(const VarSet *set, const VarDecl *v);
/* Variables declared outside `s` that it assigns (calls of functions do not assign). */
VarSet assigned_variables(Arena *a, const Stmt *s);
/* Variables it reads, declared outside. */
VarSet read_variables(Arena *a, const Stmt *s);
/* Whether s holds a `return`, or a `break` or `continue` of a loop around s. */
typedef struct {
  bool returns, breaks, continues;
} Escapes;
Escapes find_escapes(const Stmt *s);
/* s as `x += e` or `x -= e` (also written x = x + e): its e, or NULL. */
const Expr *as_increment(const Stmt *s, bool *negative);
/* The variable an lvalue writes to. */
const VarDecl *lvalue_variable(const Expr *lvalue);
/* What each variable that the body of a loop over `variable` assigns is to the loop. */
typedef enum {
  DEP_NONE,      /* every iteration writes elements of its own and reads no other's */
  DEP_REDUCTION, /* only += , and not read */
  DEP_PRIVATE,   /* written before it is read in each iteration: the last iteration's value lives on
                  */
  DEP_SEQUENTIAL
} Dependence;
Dependence loop_dependence(Arena *a, const VarDecl *loop_variable, const Stmt *body,
                           const VarDecl *v);

#endif
