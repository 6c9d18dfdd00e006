/* Random numbers. A generator is a key of 64 bits. The bits of element i of a draw are THREEFRY of
 * a key of the draw's own and the counter i. That key is the generator's plus a number that tells
 * the draw from all others: a hash of the calls that lead to it, and for each loop around it the
 * number of the iteration times an odd constant (of 64 random bits, so that two sums differ). So
 * there is nothing to pass from one draw to the next, and what is drawn does not depend on how
 * loops are run, on branches taken or on what else is drawn. */
#ifndef STAN2ONNX_LOWER_RANDOM_H
#define STAN2ONNX_LOWER_RANDOM_H

#include "lower/ports.h"
#include "lower/trace.h"

/* Numbers from [0, 1) of the given own dims, different in each iteration of the loops around. */
Tr draw_units(Tracer *t, int rank, const Tr *dims);
/* Enters a call of a function that draws; returns what t->path is to be set to afterwards. */
uint64_t enter_random_call(Tracer *t, const Expr *call);
/* Enters iteration k (i64) of a loop, or element k along an axis that a function is mapped over;
 * the caller keeps t->place and t->loops. */
void enter_iteration(Tracer *t, Tr k);
/* A loop that runs a known number of times, whatever happens in it: its draws can be made before
 * it, all at once. */
typedef struct Ahead Ahead;
struct Ahead {
  IrBuilder *b;   /* of the function that the loop is in */
  IrValue *count; /* of its iterations */
  Tr i;           /* the number of the one that is traced */
  Tr place;       /* t->place, */
  int loops;      /* t->loops, */
  Level *level;   /* and t->level outside the loop */
};

/* Whether a name is that of a function that draws. */
bool is_random_name(const char *name);
/* Whether a statement, expression or block holds a call that draws. */
bool stmt_draws(const Stmt *s);
bool block_draws(const Block *block);

/* ---- entry points ---- */

/* Starts a generator for what is traced next, with a key that is an input of the function: one for
 * each chain or draw, or one for all. Without, nothing can be drawn. */
void start_generator(Tracer *t, Ports *p, bool batched);
void end_generator(Tracer *t);
/* The batched function f with one input prng_state in the place of its keys; p changes accordingly.
 */
IrFunction *take_state(Tracer *t, IrFunction *f, Ports *p);

#endif
