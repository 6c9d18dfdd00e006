/* Maps from addresses to values. Only looked up, never iterated, so that addresses do not show in
 * what is built. */
#include "ir/builder.h"

static size_t slot_of(const PointerMap *m, const void *key) {
  uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
  size_t mask = m->capacity - 1, i = (size_t)(h >> 20) & mask;
  while (m->slots[i].key && m->slots[i].key != key) i = (i + 1) & mask;
  return i;
}

void *pointer_map_get(const PointerMap *m, const void *key) {
  return m->capacity ? m->slots[slot_of(m, key)].value : NULL;
}

static void grow(PointerMap *m, Arena *a) {
  PointerMap wider = {.capacity = m->capacity ? m->capacity * 2 : 16, .count = m->count};
  wider.slots = ARENA_ARRAY(a, PointerEntry, wider.capacity);
  for (size_t i = 0; i < m->capacity; i++)
    if (m->slots[i].key) wider.slots[slot_of(&wider, m->slots[i].key)] = m->slots[i];
  *m = wider;
}

void pointer_map_set(PointerMap *m, Arena *a, const void *key, void *value) {
  if (m->count * 4 >= m->capacity * 3) grow(m, a);
  PointerEntry *e = &m->slots[slot_of(m, key)];
  if (!e->key) m->count++;
  *e = (PointerEntry){key, value};
}
