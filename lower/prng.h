/* The pseudo-random number generator on values of the IR: Threefry-2x32 with 20 rounds. A state is
 * an i64[2] of two 32-bit words. Nothing changes a state: whoever needs more than one splits it.
 * All numbers are those that JAX's partitionable Threefry gives (keys, splits, bits, uniforms in
 * double precision). In the prob dialect each is a function of that name: InitPRNG, SplitPRNG, ...
 */
#ifndef STAN2ONNX_LOWER_PRNG_H
#define STAN2ONNX_LOWER_PRNG_H

#include "ir/ir.h"

/* The state of a seed (i64): its high and its low word. */
IrValue *prng_init(IrBuilder *b, IrValue *seed);
/* States 0 ... count - 1 of those that a state splits into: i64[count, 2]. */
IrValue *prng_split(IrBuilder *b, IrValue *state, IrValue *count);
/* One of them, of any number from 0 to 2^64 - 1, as i64. */
IrValue *prng_split_at(IrBuilder *b, IrValue *state, IrValue *number);
/* count numbers from [0, 1), and standard normal ones. */
IrValue *prng_uniform(IrBuilder *b, IrValue *state, IrValue *count);
IrValue *prng_normal(IrBuilder *b, IrValue *state, IrValue *count);

/* Numbers from [0, 1) of the state's key plus offsets (i64) and of counters, element by element. */
IrValue *prng_uniform_at(IrBuilder *b, IrValue *state, IrValue *offsets, IrValue *counters);

/* A state as THREEFRY's key, one number with the first word as its high one; and back. */
IrValue *prng_key(IrBuilder *b, IrValue *state);
IrValue *prng_state(IrBuilder *b, IrValue *key);
/* The number of a split that is not one of a chain or draw: for what all of them share, and for
 * the state that a run leaves behind. */
enum { PRNG_SHARED = -1, PRNG_NEXT = -2 };

#endif
