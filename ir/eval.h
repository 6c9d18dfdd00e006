/* The evaluator: what its files share, and the evaluation of constants.
 *
 * A plan gives every value of a function, and of the functions it uses, a place that lasts as long
 * as the plan. When a step runs, its results take memory from a pool of counted blocks; after the
 * last use of a value its block goes back. So a value can share the memory of another (a reshape, a
 * row of a matrix), and an op whose operand is not used again can write over it. */
#ifndef STAN2ONNX_IR_EVAL_H
#define STAN2ONNX_IR_EVAL_H

#include "ir/builder.h"

/* ---- constants ---- */

/* Evaluates op, which has no bodies, on operands that are known. NULL and *out, allocated in the
 * arena (its data may be an operand's), or why it has no value: an index out of range, the division
 * of an integer by zero, sizes that do not fit or are too large. */
const char *ir_eval_op(Arena *a, IrOp op, const IrAttr *attr, const IrTensor *const *in, int count,
                       IrTensor **out);
/* Evaluates f at known arguments, one for each parameter. results: room for all, allocated in the
 * arena. NULL, or why they have no value; `step_limit` as for ir_plan_limit_steps. */
const char *ir_eval_function(Arena *a, const IrFunction *f, const IrTensor *const *args,
                             IrTensor **results, int64_t step_limit);

/* ---- plans (eval.c) ---- */

/* How many steps a run may take; a large number unless set. An iteration of a loop is a step, and
 * so are some thousand elements that are computed. */
void ir_plan_limit_steps(IrPlan *p, int64_t limit);
/* How often a plan's runs have asked the system for memory. */
int64_t ir_plan_allocations(const IrPlan *p);

/* ---- memory (eval_memory.c) ---- */

enum {
  EVAL_BLOCK_CLASSES = 136,
  EVAL_TEXT_BYTES = 256,
};
#define EVAL_MAX_ELEMENTS ((int64_t)1 << 31)

typedef struct EvalBlock EvalBlock;

/* Blocks that no value holds, by size. A block only ever serves sizes of its class, so that the
 * same requests in the same order find what they need the second time. */
typedef struct {
  EvalBlock *free[EVAL_BLOCK_CLASSES];
  int64_t allocations;
  size_t bytes, most_bytes; /* taken from the system; and how many may be, 0 for no limit */
} EvalPool;

/* A block of n bytes, held once, or NULL when there is no memory. */
EvalBlock *eval_block_take(EvalPool *pool, size_t n);
void eval_block_hold(EvalBlock *b); /* NULL is ignored, here and below */
void eval_block_drop(EvalPool *pool, EvalBlock *b);
bool eval_block_shared(const EvalBlock *b);
void *eval_block_data(EvalBlock *b);
void eval_pool_free(EvalPool *pool);

/* The place of a value. */
typedef struct {
  IrTensor tensor;
  EvalBlock *block;       /* what keeps its data; NULL: an argument, a constant, or nothing yet */
  const IrType *declared; /* its type in the function: says where it broadcasts */
} EvalValue;

/* `to`, which holds nothing, becomes another holder of what `from` holds. */
void eval_value_share(EvalValue *to, const EvalValue *from);
/* The same; where `last`, `from` gives up its hold. */
void eval_value_pass(EvalValue *to, EvalValue *from, bool last);
void eval_value_drop(EvalPool *pool, EvalValue *v);

/* ---- kernels ---- */

typedef struct EvalStep EvalStep;

/* One application of an op. */
typedef struct {
  IrOp op;
  const IrAttr *attr;
  int count;
  EvalValue *const *in;
  const bool *dies; /* in[k] is not used after this, nor as a later operand; NULL: all are used */
  EvalValue *const *out;
  EvalPool *pool;
  Arena *arena; /* not NULL: the result is allocated here and not in the pool */
  char *text;   /* for messages: EVAL_TEXT_BYTES */
  EvalBlock *scratch;
  const EvalStep *step; /* of a plan; NULL: none */
  IrPlan *plan;
} Eval;

/* Computes the result. NULL, or what went wrong. */
typedef const char *(*EvalKernel)(Eval *e);

#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx)                         \
  const char *eval_##evaluate(Eval *e);
#include "ir/ops.def"
#undef OP

/* A message, with the name of the op before it. */
const char *eval_error(Eval *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether the result can be written over operand k: nothing else will read it. */
bool eval_reusable(const Eval *e, int k);
/* Gives the result its type and memory, which is not cleared: that of operand `over`, which must be
 * reusable and have as many bytes, or where that is negative its own. Charges for its elements,
 * unless they are there already. */
const char *eval_result(Eval *e, const IrType *type, int over);
/* Makes the result a view of operand k, from its element `first` on. */
const char *eval_view(Eval *e, const IrType *type, int k, int64_t first);
/* Memory until the kernel returns; at most once per kernel, and after eval_result. NULL when there
 * is none. */
void *eval_scratch(Eval *e, size_t count, size_t size);
/* The type of what broadcasting the operands gives. */
const char *eval_broadcast_type(Eval *e, IrDtype dtype, IrType *out);
/* Its number of elements, unless that or a size is out of range. */
const char *eval_count(Eval *e, const IrType *type, int64_t *count);
/* Multiplies sizes [first, last). */
int64_t eval_extent(const IrType *t, int first, int last);

/* ---- elementwise loops (eval_elementwise.c) ---- */

enum { EVAL_ELEMENTWISE_OPERANDS = 3 };

/* out[i] = op(in[0][i * step[0]], ...) for i < n, n > 0. out may be an operand whose step is 0
 * or 1. NULL, or what is wrong with an element. */
typedef const char *(*EvalLoop)(int64_t n, void *out, const void *const *in, const int64_t *step);
/* The loop of an elementwise op whose last operand has that dtype; NULL where it is not for it. */
EvalLoop eval_loop_of(IrOp op, const IrAttr *attr, IrDtype operand);

/* The loops of THREEFRY and UNIFORM (eval_random.c). */
const char *eval_threefry_loop(int64_t n, void *out, const void *const *in, const int64_t *step);
const char *eval_uniform_loop(int64_t n, void *out, const void *const *in, const int64_t *step);

/* Walks the elements of a type in order and finds those of an operand that broadcasts to it. */
typedef struct {
  int rank;
  int64_t dim[IR_MAX_RANK], at[IR_MAX_RANK], step[IR_MAX_RANK];
  int64_t offset;
} EvalWalk;
EvalWalk eval_walk(const IrType *over, const EvalValue *operand);
void eval_walk_on(EvalWalk *w);
/* Copies the next n elements, each of `size` bytes. */
void eval_walk_copy(EvalWalk *w, const void *from, size_t size, int64_t n, void *to);

/* ---- functions (eval.c) ---- */

typedef struct EvalBody EvalBody;
typedef struct EvalLanes EvalLanes;

struct EvalStep {
  const IrNode *node;
  EvalKernel kernel;
  EvalValue **in, **out;
  bool *dies;
  EvalValue **last; /* values to drop afterwards */
  int last_count;
  EvalBody *body[2];
  EvalLanes *lanes; /* CALL of an elementwise function, where all of it can run so */
  EvalValue *state; /* LOOP: carried values and outs between iterations */
};

struct EvalBody {
  const IrFunction *function;
  EvalStep *steps;
  int step_count;
  EvalValue *values; /* by id */
  EvalValue **kept;  /* what still holds something after the last step */
  int kept_count;
};

EvalValue *eval_param(EvalBody *b, int k);
EvalValue *eval_body_result(EvalBody *b, int k);
/* Checks that v is as parameter k says and makes it that, giving up v's hold where `last`. */
const char *eval_bind(Eval *e, EvalBody *b, int k, EvalValue *v, bool last);
/* Runs a body whose parameters are bound. On success its results hold their values until
 * eval_body_clear; on failure nothing does. */
const char *eval_body_run(Eval *e, EvalBody *b);
void eval_body_clear(EvalPool *pool, EvalBody *b);
/* Counts iterations, or elements computed, against the plan's limit. */
const char *eval_charge(Eval *e, int64_t steps);
const char *eval_charge_elements(Eval *e, double elements);

/* ---- elementwise functions on many elements (eval_lanes.c) ---- */

/* How many elements a function is applied to at once. */
enum { EVAL_LANES = 512 };

/* Plans f, whose values are all scalars, for many elements at once; NULL where it does something
 * that must be done one by one. `plans` holds the plans of functions made before. */
EvalLanes *eval_lanes_plan(Arena *a, PointerMap *plans, const IrFunction *f);
/* Applies it to operands that broadcast to the elements [first, first + n) of the result. */
typedef struct {
  const void *data;
  bool uniform; /* one element for all */
} EvalLane;
const char *eval_lanes_run(Eval *e, EvalLanes *l, const EvalLane *args, int64_t n,
                           EvalLane *result);
/* Room for EVAL_LANES elements of argument k. */
void *eval_lanes_room(EvalLanes *l, int k);

#endif
