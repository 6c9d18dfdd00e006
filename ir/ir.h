/* The typed tensor IR: pure functions over f64, i64 and bool tensors. It knows nothing of Stan or
 * ONNX.
 *
 * A function is a list of nodes in order of definition. A node applies an op to values and has one
 * or more results. Ranks are static; a dimension is a constant or IR_DYNAMIC. Elementwise ops
 * broadcast as numpy does, right-aligned, but only along dimensions that are missing or statically
 * 1; two dynamic dimensions, or a dynamic and a constant other than 1, are taken to be equal.
 *
 * The ops, each with its shape rule, evaluator, derivative and batching rule, are the rows of
 * ops.def. */
#ifndef STAN2ONNX_IR_IR_H
#define STAN2ONNX_IR_IR_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { IR_F64, IR_I64, IR_BOOL } IrDtype;

enum { IR_MAX_RANK = 12, IR_DYNAMIC = -1 };

typedef struct {
  IrDtype dtype;
  int rank;
  int64_t dim[IR_MAX_RANK]; /* entries at and beyond rank are 0 */
} IrType;

/* A concrete tensor, row-major. */
typedef struct {
  IrType type; /* no dynamic dimension */
  int64_t count;
  union {
    double *f64;
    int64_t *i64;
    uint8_t *boolean;
    void *bytes;
  } data;
} IrTensor;

typedef enum {
#define OP(name, ...) IR_##name,
#include "ir/ops.def"
#undef OP
  IR_OP_COUNT
} IrOp;

typedef struct IrValue IrValue;
typedef struct IrNode IrNode;
typedef struct IrFunction IrFunction;
typedef struct IrModule IrModule;
typedef struct IrBuilder IrBuilder;

/* What is known of every element of a value; used to prove domain checks away. */
enum {
  IR_NONNEGATIVE = 1, /* >= 0 (not NaN) */
  IR_POSITIVE = 2,    /* > 0; implies IR_NONNEGATIVE */
  IR_AT_MOST_ONE = 4, /* <= 1 (not NaN) */
  IR_NOT_NAN = 8,
  IR_FINITE = 16 /* implies IR_NOT_NAN */
};

struct IrValue {
  IrType type;
  IrFunction *owner;
  IrNode *node; /* the node that defines it; NULL for a parameter */
  int index;    /* which result of the node, or which parameter */
  int id;       /* number within the function, in order of definition; used for printing */
  const IrTensor *constant; /* its value where that is known (IR_CONST nodes), else NULL */
  bool uniform;             /* a constant whose elements are all the same, and at least one */
  unsigned facts;
  int uses; /* while a function is rebuilt: how often what it is a copy of is read; else 0 */
};

/* Static attributes of a node; fields an op does not use are 0, so that attributes compare by
 * memcmp. */
typedef struct {
  int axis;                 /* SLICE REVERSE GATHER SCATTER_* CONCAT CUMSUM SHAPE */
  int batch;                /* GATHER SCATTER_*: leading axes that operand and index share */
  int axis_count;           /* REDUCE_*, TRANSPOSE */
  int8_t axes[IR_MAX_RANK]; /* REDUCE_*: axes removed, ascending; TRANSPOSE: permutation */
  bool reverse, exclusive;  /* CUMSUM; LOOP: reverse; ARGSORT: reverse = descending */
  bool nonempty;            /* REDUCE_ANY, SOME: of one element or more, whatever sizes say */
  bool has_condition;       /* LOOP */
  int carried, scanned;     /* LOOP: how many carried values and scanned inputs */
  IrDtype dtype;            /* CAST */
} IrAttr;

/* Where a node comes from, for readable names and for outlining calls in the emitted model: one
 * scope per call of a library function. Nodes that a pass derives from a node keep its scope. */
typedef struct IrScope IrScope;
struct IrScope {
  const char *name;      /* "normal_lpdf" */
  int instance;          /* number of the call */
  const IrScope *parent; /* the call it was inlined into, or NULL */
};

struct IrNode {
  IrOp op;
  IrAttr attr;
  int in_count, out_count;
  IrValue **in;
  IrValue **out;
  IrFunction *body[2];  /* CALL: callee; IF: then, else; LOOP: body */
  const IrScope *scope; /* may be NULL */
  bool adjoint;         /* made by differentiation */
  bool exact;           /* of a formula that is written for its rounding: sums keep their order */
  IrFunction *owner;
};

/* Whether CALLs of a function stay CALLs, and what they are in an emitted model. */
typedef enum {
  IR_INLINED,
  IR_ALGORITHM, /* a function of the prob domain, which is given others */
  IR_ARGUMENT /* what an algorithm is given: a graph that is an attribute of the algorithm's node */
} IrRole;

struct IrFunction {
  const char *name;
  IrModule *module;
  int param_count, result_count;
  IrValue **params;
  const char **param_names; /* may be NULL, as may entries */
  IrValue **results;
  const char **result_names;
  int node_count;
  IrNode **nodes;
  int value_count;

  /* For callees of CALL: */
  IrRole role;
  bool elementwise; /* all parameters and the one result are scalars; a CALL applies it elementwise
                       with broadcasting */
  unsigned facts;   /* facts of its results */
  /* A hand-written derivative, or NULL to differentiate the body (CALL is then inlined by ir_vjp).
   * elementwise: derivative(f, k) is the scalar function d f / d param k, of the same parameters.
   * otherwise: derivative(f, -1) is a function of (params..., results..., cotangents of results...)
   * whose results are cotangents of the f64 params, in order. Called lazily, at most once per k and
   * cached by the caller. NULL from it means "no hand-written one for this k": differentiate. */
  IrFunction *(*derivative)(IrFunction *f, int k, void *context);
  void *context;
  IrFunction **derivative_cache;     /* owned by the IR */
  struct BatchedForm *batched_forms; /* likewise: the function over batches (vmap.c) */
};

/* ---- modules and builders (build.c) ---- */

typedef struct {
  bool no_fold, no_cse, no_algebra, no_economy, no_scan, no_squares; /* --disable-pass=fold, ... */
} IrOptions;

/* A module holds what functions share: the arena, options, counters. */
IrModule *ir_module_new(Arena *arena, IrOptions options);
Arena *ir_module_arena(IrModule *m);
/* The first operation whose operands do not fit one another, as a program with sizes that disagree
 * gives it; NULL while there is none. A module with an error must not be evaluated or emitted. */
const char *ir_module_error(const IrModule *m);

/* Starts a function. With a parent, it becomes a region body of it: operands that belong to the
 * parent (or its parents) are captured: they become extra parameters at the end, and constants are
 * copied in. */
IrBuilder *ir_function_begin(IrModule *m, IrBuilder *parent, const char *name);
/* Adds a parameter; all must be added before anything is captured. `name` may be NULL. */
IrValue *ir_param(IrBuilder *b, IrType type, const char *name);
/* Ends the function. Dead nodes are dropped; what the builder emits afterwards, as to learn what a
 * size is, does not belong to it. With a parent, ir_captures then gives the parent's values that
 * the extra parameters stand for. Names may be NULL. */
IrFunction *ir_function_end(IrBuilder *b, IrValue *const *results, const char *const *names,
                            int count);
IrValue *const *ir_captures(const IrBuilder *b, int *count);
IrModule *ir_builder_module(const IrBuilder *b);
/* The scope given to nodes from here on; returns the one before. */
const IrScope *ir_set_scope(IrBuilder *b, const IrScope *scope);
bool ir_set_adjoint(IrBuilder *b, bool adjoint);
/* Whether nodes from here on are exact; returns what held before. */
bool ir_set_exact(IrBuilder *b, bool exact);

/* Appends op(in...) and returns its (first) result. Infers the type; where the operands do not fit,
 * the module remembers the error and the result has some type that it might have had. Unless
 * switched off, it first simplifies (algebraic identities, shape ops that do nothing, slice of
 * concat, gather of scatter, ...), evaluates at once when all operands are constants (unless
 * evaluation would fail, e.g. an index out of range: then the node is kept), and reuses an equal
 * earlier node. Operands of an enclosing function are captured. For ops without region bodies. */
IrValue *ir_emit(IrBuilder *b, IrOp op, IrAttr attr, IrValue *const *in, int in_count);

/* Regions. `args` beyond the explicit ones are appended from the body's captures when the body was
 * built with b as its parent (ended, not yet used). results: room for all results. */
void ir_call(IrBuilder *b, IrFunction *callee, IrValue *const *args, int arg_count,
             IrValue **results);
/* then and orelse: builders of ended functions with parent b and no explicit parameters; results
 * agree in dtype and rank. Where a dimension differs between the branches it becomes dynamic. A
 * constant condition just inlines that branch. */
void ir_if(IrBuilder *b, IrValue *condition, IrBuilder *then, IrBuilder *orelse, IrValue **results);
/* LOOP. body: ended builder with parent b; explicit parameters (i, carried..., scanned
 * elements...), results
 * ([condition,] carried..., outs...). operands: count (i64 scalar, or NULL for no limit), condition
 * (bool scalar; only where attr.has_condition), initial carried values, scanned inputs (sliced
 * along axis 0). results: final carried values, then outs stacked along a new axis 0 (length: the
 * number of iterations run). With attr.reverse, i runs from count-1 down to 0, and scanned inputs
 * and outs stay aligned with i. */
typedef struct {
  IrValue *count, *condition;
  int carried, scanned;
  IrValue *const *initial;
  IrValue *const *inputs;
  bool reverse;
} IrLoop;
void ir_loop(IrBuilder *b, IrLoop loop, IrBuilder *body, IrValue **results);
/* Whether a LOOP's scanned inputs are known to have as many rows as its count says. */
bool ir_scans_count(const IrNode *loop);
/* The same for a body that is a closed function: all its parameters beyond the explicit ones are
 * given as constants `extra`. */
void ir_loop_closed(IrBuilder *b, IrLoop loop, IrFunction *body, IrValue *const *extra,
                    int extra_count, IrValue **results);
void ir_if_closed(IrBuilder *b, IrValue *condition, IrFunction *then, IrFunction *orelse,
                  IrValue *const *args, int arg_count, IrValue **results);

/* Copies the body of f into b with its parameters replaced by args; results: room for its results.
 */
void ir_inline(IrBuilder *b, const IrFunction *f, IrValue *const *args, IrValue **results);

/* Adds facts to a value (the caller vouches for them). */
void ir_assume(IrValue *v, unsigned facts);

/* ---- shorthands (build.c) ---- */

IrValue *ir_f64(IrBuilder *b, double x); /* rank 0 constants */
IrValue *ir_i64(IrBuilder *b, int64_t x);
IrValue *ir_bool(IrBuilder *b, bool x);
IrValue *ir_constant(IrBuilder *b, const IrTensor *t); /* t is borrowed for the module's life */
IrValue *ir_unary(IrBuilder *b, IrOp op, IrValue *x);
IrValue *ir_binary(IrBuilder *b, IrOp op, IrValue *x, IrValue *y);
IrValue *ir_select(IrBuilder *b, IrValue *c, IrValue *x, IrValue *y);
IrValue *ir_cast(IrBuilder *b, IrValue *x, IrDtype dtype); /* x itself where it has that dtype */
/* dims are i64 scalars. broadcast follows numpy (right-aligned). */
IrValue *ir_broadcast(IrBuilder *b, IrValue *x, IrValue *const *dims, int rank);
/* x expanded to the shape that y has (its rank is at least x's) */
IrValue *ir_broadcast_like(IrBuilder *b, IrValue *x, IrValue *y);
IrValue *ir_reshape(IrBuilder *b, IrValue *x, IrValue *const *dims, int rank);
/* a new axis of size 1 before `axis` (0..rank); and an axis of size 1 dropped */
IrValue *ir_unsqueeze(IrBuilder *b, IrValue *x, int axis);
IrValue *ir_squeeze(IrBuilder *b, IrValue *x, int axis);
IrValue *ir_transpose(IrBuilder *b, IrValue *x, const int8_t *permutation);
/* zeros like x, but with one element only along an axis */
IrValue *ir_zero_row(IrBuilder *b, IrValue *x, int axis);
/* x with axis `from` as axis `to`, and the others in order */
IrValue *ir_move_axis(IrBuilder *b, IrValue *x, int from, int to);
IrValue *ir_reduce(IrBuilder *b, IrOp op, IrValue *x, const int8_t *axes, int axis_count);
IrValue *ir_reduce_all(IrBuilder *b, IrOp op, IrValue *x);
IrValue *ir_matmul(IrBuilder *b, IrValue *x, IrValue *y);
IrValue *ir_slice(IrBuilder *b, IrValue *x, int axis, IrValue *start, IrValue *length);
IrValue *ir_gather(IrBuilder *b, IrValue *x, IrValue *index, int axis, int batch);
IrValue *ir_scatter(IrBuilder *b, IrOp op, IrValue *x, IrValue *index, IrValue *updates, int axis,
                    int batch);
IrValue *ir_concat(IrBuilder *b, IrValue *const *parts, int count, int axis);
IrValue *ir_iota(IrBuilder *b, IrValue *count);
IrValue *ir_dim(IrBuilder *b, IrValue *x, int axis); /* i64 scalar; a constant where static */

IrType ir_type(IrDtype dtype, int rank, const int64_t *dims);
IrType ir_scalar(IrDtype dtype);
bool ir_types_equal(const IrType *a, const IrType *b);
/* That of a row: without axis 0, which there must be. */
IrType ir_row_type(const IrType *t);
/* Number of elements, or -1 when a dimension is dynamic. */
int64_t ir_type_count(const IrType *t);

/* ---- tensors (tensor.c) ---- */

/* Zero-filled; sizes are checked (arena exhaustion on overflow). */
IrTensor *ir_tensor_new(Arena *a, IrType type);
IrTensor *ir_tensor_f64(Arena *a, double x);
IrTensor *ir_tensor_i64(Arena *a, int64_t x);
bool ir_tensor_uniform(const IrTensor *t); /* all elements bitwise equal (and at least one) */
size_t ir_dtype_size(IrDtype dtype);

/* ---- ops table (ops.def, ops.c) ---- */

typedef struct IrOpInfo IrOpInfo;
const char *ir_op_name(IrOp op);
/* Whether an op maps elements to elements with broadcasting. */
bool ir_op_elementwise(IrOp op);
bool ir_op_reduction(IrOp op); /* REDUCE_* */
/* Whether a reduction of t with these attributes is known to be of one element or more. */
bool ir_reduces_something(const IrAttr *attr, const IrType *t);
/* The operand value at which an op is harmless (finite, with finite derivatives): used to guard the
 * arguments of a branch that is not taken. False when operand k of op needs no guard. (log: 1, exp:
 * 0, divisor: 1, ...) */
bool ir_op_guard(IrOp op, int operand, double *safe);

/* ---- checking and printing ---- */

/* NULL when f is well formed (definition before use, types as the shape rules give, bodies closed
 * and fitting), else what is wrong, in the module's arena. */
const char *ir_verify(const IrFunction *f);
/* Appends the function and the functions it uses as text. Large constants are abbreviated. */
void ir_print(Text *out, const IrFunction *f);
/* Nodes of f, bodies included. */
int ir_node_total(const IrFunction *f);

/* ---- evaluation (eval*.c) ---- */

typedef struct IrPlan IrPlan;
/* Plans the evaluation of f: order, buffers, in-place updates. Free with ir_plan_free. */
IrPlan *ir_plan_new(const IrFunction *f);
void ir_plan_free(IrPlan *p);
/* Runs it. args: one tensor per parameter; results: filled with tensors the plan owns until its
 * next run. After a first run with the same shapes it does not allocate. NULL, or what went wrong
 * (an index out of range, shapes that do not fit, more steps than ir_plan_limit_steps
 * allows). */
const char *ir_plan_run(IrPlan *p, const IrTensor *const *args, const IrTensor **results);

/* ---- batching (batch.c, vmap.c) ---- */

/* Applies op to operands of which those with batched[k] carry `levels` leading batch axes (each of
 * the full size or statically 1, broadcasting) while the others carry none; the result carries them
 * iff any operand does. op's attr (axes and so on) is that of the op on one element of the batch.
 * Not for region ops other than through ir_call_batched. NULL where a size of the result would
 * differ between the elements, or it would have too many axes. */
IrValue *ir_emit_batched(IrBuilder *b, IrOp op, IrAttr attr, IrValue *const *in, int in_count,
                         const bool *batched, int levels);
/* The same for a CALL. Its derivative, where hand-written, is that of the callee for each element.
 */
void ir_call_batched(IrBuilder *b, IrFunction *callee, IrValue *const *args, int arg_count,
                     const bool *batched, int levels, IrValue **results, bool *result_batched);
/* f over a batch: parameters with batched[k] get `levels` leading dynamic axes (or the sizes in
 * dims when not NULL). result_batched, when not NULL, receives which results are batched; with
 * all_batched every result is.
 *
 * Elements may take different branches and leave loops at different times. What a loop stacks then
 * has as many rows as the longest element needs; rows beyond an element's own are zero. Where a
 * size would differ between the elements, the module remembers an error. A function that is to be
 * differentiated is best differentiated before. */
IrFunction *ir_vmap(IrFunction *f, const bool *batched, int levels, const int64_t *dims,
                    bool all_batched, bool *result_batched);

/* ---- differentiation (grad.c) ---- */

/* Reverse mode. f's parameters with wrt[k] (f64) are differentiated. The function returned takes
 * f's parameters, then a cotangent for each f64 result (in order), and returns f's results, then
 * the cotangents of the wrt parameters, in order. */
IrFunction *ir_vjp(IrFunction *f, const bool *wrt);
/* For f whose result `which` is a f64 scalar: a function of f's parameters that returns f's
 * results, then the gradient of that result with respect to the wrt parameters. */
IrFunction *ir_grad(IrFunction *f, int which, const bool *wrt);

/* ---- passes ---- */

/* f rebuilt through a fresh builder: everything ir_emit does, plus dead code. */
IrFunction *ir_simplify(IrFunction *f);
/* f with loops that fill a tensor row by row carrying the rows that they read instead of all of it,
 * where it is known how many more rows than iterations there are. */
IrFunction *ir_unbuffer(IrFunction *f);
/* f with sums of squares of many linear forms, whose factors are constants, replaced by sums of
 * squares of few; before it is differentiated. Part of the economy, and an option of its own. */
IrFunction *ir_reduce_squares(IrFunction *f);
/* f with some of its nodes replaced by cheaper ones that differentiation would not like, as
 * logarithms of products for sums of logarithms. */
IrFunction *ir_economise(IrFunction *f);
/* f, which is not differentiated any more, with mathematical functions, sums and products made of
 * operations of which every runtime gives the same bits; the last pass, as others do not know that
 * their order matters. */
IrFunction *ir_make_reproducible(IrFunction *f);
/* f with loops that carry linear functions of what they carry, of a vector of few elements or
 * elementwise, computing what they carry for all iterations at once; simplified. */
IrFunction *ir_scan_recurrences(IrFunction *f);
/* f with every CALL replaced by its callee's body; but those of functions with a role stay, and
 * their callees are expanded and simplified. */
IrFunction *ir_expand_calls(IrFunction *f);

#endif
