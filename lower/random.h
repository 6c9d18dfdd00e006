/* Random numbers. A generator is a key of 64 bits and a count of the draws made with it; a draw of
 * n numbers takes 64 random bits for each, THREEFRY of the key and a counter whose high word is the
 * number of the draw and whose low word tells elements apart, those of all iterations of the level.
 * So no counter is used twice, and loops and branches need to carry the count alone. */
#ifndef STAN2ONNX_LOWER_RANDOM_H
#define STAN2ONNX_LOWER_RANDOM_H

#include "lower/ports.h"
#include "lower/trace.h"

/* Numbers from [0, 1) of the given own dims, different in each iteration of the level. */
Tr draw_units(Tracer *t, int rank, const Tr *dims);
/* 64 random bits likewise. */
Tr draw_bits(Tracer *t, int rank, const Tr *dims);
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
