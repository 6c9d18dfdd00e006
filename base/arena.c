#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Block {
  struct Block *next;
  size_t size, used;
  max_align_t data[];
} Block;

struct Arena {
  Block *blocks;
  size_t used;
  jmp_buf *escape;
};

enum { BLOCK_BYTES = 64 * 1024, ALIGNMENT = sizeof(max_align_t) };

Arena *arena_new(void) { return calloc(1, sizeof(Arena)); }

void arena_free(Arena *a) {
  if (!a) return;
  for (Block *b = a->blocks, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  free(a);
}

jmp_buf *arena_on_exhaustion(Arena *a, jmp_buf *escape) {
  jmp_buf *before = a->escape;
  a->escape = escape;
  return before;
}

static void exhausted(Arena *a) {
  if (a->escape) longjmp(*a->escape, 1);
  abort();
}

static Block *add_block(Arena *a, size_t n) {
  size_t size = n > BLOCK_BYTES / 4 ? n : BLOCK_BYTES;
  Block *b = size > SIZE_MAX - sizeof(Block) ? NULL : malloc(sizeof(Block) + size);
  if (!b) exhausted(a);
  b->size = size;
  b->used = 0;
  if (size == n && a->blocks) { /* a large block of its own: keep filling the current one */
    b->next = a->blocks->next;
    a->blocks->next = b;
  } else {
    b->next = a->blocks;
    a->blocks = b;
  }
  return b;
}

void *arena_alloc(Arena *a, size_t n) {
  if (n > SIZE_MAX - ALIGNMENT) exhausted(a);
  n = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  Block *b = a->blocks;
  if (!b || b->size - b->used < n) b = add_block(a, n);
  void *p = (char *)b->data + b->used;
  b->used += n;
  a->used += n;
  return memset(p, 0, n);
}

void *arena_array(Arena *a, size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) exhausted(a);
  return arena_alloc(a, count * size);
}

void *arena_regrow(Arena *a, const void *items, size_t count, size_t capacity, size_t size) {
  void *p = arena_array(a, capacity, size);
  if (count) memcpy(p, items, count * size);
  return p;
}

char *arena_strndup(Arena *a, const char *s, size_t n) {
  char *p = arena_alloc(a, n + 1);
  memcpy(p, s, n);
  return p;
}

char *arena_strdup(Arena *a, const char *s) { return arena_strndup(a, s, strlen(s)); }

char *arena_vprintf(Arena *a, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  char *p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
  if (n > 0) vsnprintf(p, (size_t)n + 1, format, again);
  va_end(again);
  return p;
}

char *arena_printf(Arena *a, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *p = arena_vprintf(a, format, args);
  va_end(args);
  return p;
}

size_t arena_used(const Arena *a) { return a->used; }
