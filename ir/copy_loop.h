/* Copying loops: the parts of a body and where they go. */
#ifndef STAN2ONNX_IR_COPY_LOOP_H
#define STAN2ONNX_IR_COPY_LOOP_H

#include "ir/copy.h"

/* Where a value of a body is computed. */
typedef enum {
  PLACE_INSIDE,  /* in the loop */
  PLACE_OUTSIDE, /* before it: the same for all iterations */
  PLACE_STACKED, /* before it, for all iterations at once: it does not depend on what is carried */
  PLACE_AFTER    /* after it, for all iterations at once: nothing carried depends on it */
} Place;

/* A loop on its way, with what of it is kept. */
typedef struct {
  Copier *c; /* of the function that has the loop */
  const IrNode *node;
  const IrFunction *body;
  IrValue *const *in;
  IrValue *count, *condition;
  int carried, outs;
  int first_carried, first_scanned, first_captured; /* among the operands */
  int first_result;                                 /* of the body, after the condition */
  bool *keep_carried, *keep_out;
  bool runs; /* there is at least one iteration */

  /* Splitting: for loops of at least two iterations, or of a number that is not known. */
  bool split, open;
  int64_t trips;
  Copier outside; /* by value id of the body: live values, their uses, and what is outside, stacked
                     along a new axis 0 where it differs between iterations */
  Place *place;   /* by value id */
  bool *accumulates; /* carried values that are sums of something over the iterations */
  unsigned *varies;  /* by carried: the axes whose extents may change */
  bool *core;        /* by value id: inside, and needed there */
  bool *given;       /* by value id: stacked values that the body reads */
  bool *stacks;      /* by value id: values that the loop stacks, inside ones and outs */
  IrValue **stacked; /* by value id: those stacks, of outs that are outside */
  bool *parts;       /* by value id: inside values that are taken from the stack of another one */
  bool *follows; /* carried values whose stack at the beginning of iterations follows from that at
                    their end */
} LoopCopy;

static inline const IrValue *carried_param(const LoopCopy *l, int k) {
  return l->body->params[1 + k];
}
static inline const IrValue *carried_result(const LoopCopy *l, int k) {
  return l->body->results[l->first_result + k];
}
static inline const IrValue *out_result(const LoopCopy *l, int k) {
  return l->body->results[l->first_result + l->carried + k];
}
static inline IrValue *initial_value(const LoopCopy *l, int k) {
  return l->in[l->first_carried + k];
}
static inline bool is_live(const LoopCopy *l, const IrValue *v) { return l->outside.live[v->id]; }
static inline Place place_of(const LoopCopy *l, const IrValue *v) { return l->place[v->id]; }
/* Whether a node of the body is copied into the body. */
bool loop_keeps_inside(const LoopCopy *l, const IrNode *n);

/* ---- regroup.c ---- */

/* The value of n, a node of c's function, as a regrouped sum or product; NULL where there is
 * nothing to be gained. */
IrValue *regroup(Copier *c, const IrNode *n);
/* A body with that many carried values, regrouped. */
IrFunction *regrouped_body(Session *s, const IrFunction *f, int carried);

/* ---- loop_split.c ---- */

/* Finds the place of every live value, and computes what is outside the loop and before it. */
void loop_place(LoopCopy *l);
/* Finds what the body needs to be given, and what it needs to stack. */
void loop_find_boundary(LoopCopy *l);
/* Computes what comes after the loop, with the stacks it made in l->outside.map. */
void loop_place_after(LoopCopy *l);
/* What was added up over the iterations, from its stack; and what was carried of a stacked value.
 */
IrValue *loop_accumulated(LoopCopy *l, int k);
IrValue *loop_last(LoopCopy *l, int k);
/* v of the body, stacked along an axis 0 of full extent. */
IrValue *loop_stacked(LoopCopy *l, const IrValue *v);
/* What the loop has stacked of v, which without iterations has forgotten its shape, in that shape.
 */
IrValue *loop_in_shape(LoopCopy *l, const IrValue *v, IrValue *stack);

#endif
