/* Differentiation: what its files share.
 *
 * A function is differentiated inside a builder: its nodes are copied there, then walked backwards
 * while cotangents are gathered. A cotangent is kept as a list of contributions, each in the
 * smallest shape that broadcasts to that of its value and with a constant factor of its own, so
 * that neither broadcasts nor multiplications by constants become nodes before something needs
 * them. */
#ifndef STAN2ONNX_IR_GRAD_H
#define STAN2ONNX_IR_GRAD_H

#include "ir/ir.h"

typedef struct Contribution Contribution;
struct Contribution {
  Contribution *next;
  enum {
    PART_WHOLE,  /* scale * value, broadcast to the whole shape */
    PART_SLICE,  /* scale * value at [at, at + length) along axis, zero elsewhere */
    PART_SCATTER /* scale * value added at indices `at`, as SCATTER_ADD does */
  } kind;
  double scale;
  IrValue *value;
  IrValue *at, *length;
  int axis, batch;
};

/* A function being differentiated in b. Arrays are by value id or node number of f. */
typedef struct {
  IrBuilder *b;
  Arena *arena;
  const IrFunction *f;
  IrValue **primal;             /* f's values, in b */
  bool *varied;                 /* depends on what is differentiated */
  bool *useful;                 /* has an influence on a result whose cotangent is given */
  Contribution **contributions; /* to the cotangent of each value */
  void **records;               /* by node: what its forward part keeps for its backward part */
} Reverse;

/* ---- grad.c ---- */

/* A reversal of f with these parameters differentiated and cotangents given for these results. */
Reverse reverse_new(IrBuilder *b, const IrFunction *f, const bool *wrt, const bool *seed);
/* Copies f's nodes into b; args stand for its parameters. */
void reverse_forward(Reverse *r, IrValue *const *args);
/* Walks back, once contributions to the results' cotangents are there. */
void reverse_backward(Reverse *r);
bool reverse_active(const Reverse *r, const IrValue *v);
void reverse_add(Reverse *r, const IrValue *v, Contribution part);
void reverse_add_whole(Reverse *r, const IrValue *v, double scale, IrValue *value);
/* The sum of the contributions, as one whole; NULL where it is zero. The cotangent is *scale times
 * the result, which broadcasts to v's shape. */
IrValue *reverse_cotangent(Reverse *r, const IrValue *v, double *scale);
/* The cotangent in v's own shape; with `zeros`, never NULL. */
IrValue *reverse_full(Reverse *r, const IrValue *v, bool zeros);
/* scale * value */
IrValue *scaled(IrBuilder *b, double scale, IrValue *value);
/* *scale * x + y_scale * y, as what is to be multiplied by a new *scale; x may be NULL. */
IrValue *add_scaled(IrBuilder *b, IrValue *x, double *scale, IrValue *y, double y_scale);
/* Parameters of b like those of f. */
IrValue **copy_params(IrBuilder *b, const IrFunction *f);
/* f with the callees' bodies in place of calls of chosen functions, which if elementwise must map
 * over tensors as they are. */
IrFunction *inline_calls(IrFunction *f, bool (*chosen)(IrFunction *callee));
/* Zeros, or x, in the shape of `like`. */
IrValue *zeros_like(IrBuilder *b, IrValue *like);
IrValue *full_like(IrBuilder *b, IrValue *x, IrValue *like);

/* ---- grad_slices.c ---- */

/* *scale * sum (NULL: nothing yet) with contributions to slices of v, as add_scaled gives it. */
IrValue *add_slices(Reverse *r, Contribution *slices, IrValue *v, IrValue *sum, double *scale);

/* ---- grad_activity.c ---- */

/* Adds to varied (by value id) the values of f that depend, in a differentiable way, on parameters
 * with wrt[k]. */
void mark_varied(const IrFunction *f, const bool *wrt, bool *varied);
/* Adds to useful the values that have such an influence on results with seed[k]. */
void mark_useful(const IrFunction *f, const bool *seed, bool *useful);
/* What the body of a loop is differentiated for: with the recurrence followed to its end, which of
 * its parameters (wrt) and for which of its results (seed). varied and useful are those of the
 * loop's function. */
void loop_activity(const IrNode *loop, const bool *varied, const bool *useful, bool *wrt,
                   bool *seed);

/* Where things are among a loop's operands, its body's parameters and its body's results. */
typedef struct {
  int initial, scanned, captures; /* first operands */
  int element, captured;          /* first parameters; carried values start at 1 */
  int results; /* first carried result of the body: 0, or 1 after the condition */
  int outs;    /* first stacked out among the body's results */
  int out_count;
} LoopLayout;
LoopLayout loop_layout(const IrNode *loop);

/* ---- grad_region.c, grad_loop.c ---- */

/* Forward parts: emit the node, bind its results in r->primal, and keep a record. */
void forward_call(Reverse *r, int node);
void forward_if(Reverse *r, int node);
void forward_loop(Reverse *r, int node);
void backward_call(Reverse *r, int node);
void backward_if(Reverse *r, int node);
void backward_loop(Reverse *r, int node);
/* Whether a call can only be differentiated by putting the callee's body in its place. */
bool call_needs_body(IrFunction *callee);
/* Copies n into b; map gives b's values for those of n's function, and receives n's results. */
void repeat_node(IrBuilder *b, const IrNode *n, IrValue **map);

/* ---- grad_tape.c ---- */

/* What is known of a value of a function whose forward part ran earlier, and of which the rest is
 * to run now. */
typedef enum {
  AT_HAND,  /* there at no cost */
  HOISTED,  /* can be computed at hand once, outside */
  EARLIER,  /* was computed by the forward part */
  UNSTORED, /* the same, but cannot be stored */
  LATER     /* belongs to the rest */
} Availability;

/* Chooses what the forward part stores and what is computed again: the cheapest of all ways, a
 * minimum cut. needed: values that are read later. On return stored (by value id) and again (by
 * node number) say what was chosen. storing: the cost of storing any value, in units of 10 ns. */
void plan_tape(Arena *a, const IrFunction *f, const Availability *where, const bool *needed,
               int storing, bool *stored, bool *again);
/* A node's cost in those units. */
int64_t node_cost(const IrNode *n);

/* ---- grad_joint.c ---- */

/* One result of a joint function: part of the cotangent of a parameter. */
typedef struct {
  int param;
  int kind; /* PART_WHOLE: broadcasts to the parameter's shape; or the others */
  int axis, batch;
  int value, at, length; /* results of the joint function; at, length: -1 where there is none */
} JointPart;

/* A body and its backward part as one function, so that what the second reads of the first can be
 * chosen: of the body's parameters, and of the cotangents of its results with seed[k]; it returns
 * the body's results, then the parts of the cotangents of parameters with wrt[k]. */
typedef struct {
  IrFunction *joint;
  int params, results; /* of the body */
  bool *wrt, *seed;
  int *cotangent; /* by result of the body: the parameter of joint, or -1 */
  JointPart *parts;
  size_t part_count, part_capacity;
  Availability *where; /* by value id */
  bool *stored;        /* by value id */
  bool *again;         /* by node number */
} Joint;

/* How the parameters of a body stand to the run of its backward part. */
typedef struct {
  int first_capture;  /* those from here on are the same for all runs of the body */
  bool repeats;       /* the body runs many times: a loop's */
  bool index_at_hand; /* parameter 0 is there in the backward part too */
  int storing;        /* cost of storing a value, as for plan_tape */
} JointSetting;

/* The parts of captures may be slices, scatters and smaller than their parameters where the body
 * repeats; others are wholes of full shape. */
Joint joint_new(IrFunction *body, const bool *wrt, const bool *seed, JointSetting setting);
/* Copies into b what the body's results and the stored values need; map has joint's parameters. */
void joint_forward(const Joint *j, IrBuilder *b, IrValue **map);
/* Whether n is the size of a parameter of the body. */
bool is_size_of_param(const Joint *j, const IrNode *n);
/* Copies into b the backward part; map has the stored values, parameters at hand, cotangents, and,
 * where the body repeats, the sizes of its parameters. What does not change between runs goes to
 * `outside`. */
void joint_backward(const Joint *j, IrBuilder *b, IrBuilder *outside, IrValue **map);
IrValue *joint_result(const Joint *j, IrValue *const *map, int result);

/* ---- vjp.c ---- */

/* The application of a derivative rule to one node. */
typedef struct {
  Reverse *r;
  IrBuilder *b;
  const IrNode *node;
  IrValue **in; /* operands and result, in b */
  IrValue *out;
  IrValue *g; /* the cotangent of the result is scale * g; g broadcasts to the result's shape */
  double scale;
} Adjoint;

typedef void Vjp(Adjoint *a);
extern Vjp *const ir_vjp_rules[IR_OP_COUNT]; /* NULL: nothing flows, or a region */
/* Whether anything flows through an op to its f64 operands. */
bool ir_op_differentiable(IrOp op);

/* Whether operand k is differentiated. */
bool wanted(const Adjoint *a, int k);
/* Adds scale * v, or scale * u * v, which broadcast to the result's shape, to the cotangent of
 * operand k: summed over the axes along which the operand was broadcast. */
void flow(Adjoint *a, int k, double scale, IrValue *v);
void flow_product(Adjoint *a, int k, double scale, IrValue *u, IrValue *v);

#endif
