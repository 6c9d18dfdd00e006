#include "runtime/threefry.h"

RandomState random_state(uint64_t seed) {
  return (RandomState){{(int64_t)(seed >> 32), (int64_t)(seed & 0xffffffffu)}};
}

RandomState random_split(RandomState state, uint64_t i) {
  static const int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  uint32_t key[3] = {(uint32_t)state.words[0], (uint32_t)state.words[1], 0x1BD11BDAu};
  key[2] ^= key[0] ^ key[1];
  uint32_t x = (uint32_t)(i >> 32) + key[0], y = (uint32_t)i + key[1];
  for (uint32_t group = 1; group <= 5; group++) {
    for (int r = 0; r < 4; r++) {
      int by = rotations[(group - 1) % 2][r];
      x += y;
      y = (y << by | y >> (32 - by)) ^ x;
    }
    x += key[group % 3];
    y += key[(group + 1) % 3] + group;
  }
  return (RandomState){{x, y}};
}
