/* Random bits: the block function Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", 2011), and numbers made of them. */
#include "ir/eval.h"

/* The two words of a number, the first the high one. */
typedef struct {
  uint32_t first, second;
} Words;

static Words words_of(int64_t x) {
  uint64_t u = (uint64_t)x;
  return (Words){(uint32_t)(u >> 32), (uint32_t)u};
}

static uint32_t rotated(uint32_t x, int by) { return x << by | x >> (32 - by); }

static Words threefry(Words key, Words x) {
  static const int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const uint32_t schedule[3] = {key.first, key.second, key.first ^ key.second ^ 0x1bd11bda};
  x.first += schedule[0];
  x.second += schedule[1];
  for (uint32_t group = 0; group < 5; group++) {
    for (int k = 0; k < 4; k++) {
      x.first += x.second;
      x.second = x.first ^ rotated(x.second, rotations[group % 2][k]);
    }
    x.first += schedule[(group + 1) % 3];
    x.second += schedule[(group + 2) % 3] + group + 1;
  }
  return x;
}

const char *eval_threefry_loop(int64_t n, void *out, const void *const *in, const int64_t *step) {
  const int64_t *key = in[0], *counter = in[1];
  int64_t *o = out;
  /* a repeated operand is read before the result may be written over it */
  Words first_key = words_of(key[0]), first_counter = words_of(counter[0]);
  for (int64_t i = 0; i < n; i++) {
    Words k = step[0] ? words_of(key[i * step[0]]) : first_key;
    Words c = step[1] ? words_of(counter[i * step[1]]) : first_counter;
    Words w = threefry(k, c);
    o[i] = (int64_t)((uint64_t)w.first << 32 | w.second);
  }
  return NULL;
}

const char *eval_uniform_loop(int64_t n, void *out, const void *const *in, const int64_t *step) {
  const int64_t *bits = in[0];
  double *o = out;
  int64_t first = bits[0];
  for (int64_t i = 0; i < n; i++) {
    uint64_t x = (uint64_t)(step[0] ? bits[i * step[0]] : first);
    o[i] = (double)(x >> 12) * 0x1p-52;
  }
  return NULL;
}
