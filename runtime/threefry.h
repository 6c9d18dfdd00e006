/* The models' pseudo-random generator, for the keys that the runner makes itself. */
#ifndef STAN2ONNX_RUNTIME_THREEFRY_H
#define STAN2ONNX_RUNTIME_THREEFRY_H

#include <stdint.h>

/* A state: two words of 32 bits, as a model's `prng_state` takes them. */
typedef struct {
  int64_t words[2];
} RandomState;

/* The initial state of a seed. */
RandomState random_state(uint64_t seed);
/* Split i of a state: Threefry-2x32 with 20 rounds (Salmon et al. 2011) of i under its key. */
RandomState random_split(RandomState state, uint64_t i);

#endif
