/* Recurrences of loops that are linear. */
#ifndef STAN2ONNX_IR_RECURRENCE_H
#define STAN2ONNX_IR_RECURRENCE_H

#include "ir/iterations.h"

enum { MOST_STATES = 3 /* elements of a state that is a vector */ };

/* Carried values for all iterations at once. */
typedef struct {
  uint64_t members; /* which, by bit */
  IrValue
      *stacks[MOST_STATES + 1]; /* as iterations end, [n, ...]: of each of them, then of `inner` */
  int members_count, count;     /* how many of these there are */
  const IrValue *inner; /* of the body: what is carried in place of the one member, or NULL */
  bool certain;         /* there are the states of the loop, whatever they are; */
  IrValue *condition;   /* else where they are finite and this, unless it is NULL, holds; */
  bool logarithms;      /* finite or those of zero, then */
} Recurrence;

/* The states of carried values that follow from themselves and what is known; false where they are
 * no linear recurrence, or too large. */
bool recurrence_solve(Iterations *t, uint64_t members, Recurrence *r);

#endif
