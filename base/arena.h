/* One arena per compilation: everything allocated from it lives until arena_free. */
#ifndef STAN2ONNX_BASE_ARENA_H
#define STAN2ONNX_BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Arena Arena;

/* A new, empty arena, or NULL when there is no memory. Freed with arena_free. */
Arena *arena_new(void);
/* Frees the arena and everything allocated from it. NULL is ignored. */
void arena_free(Arena *a);
/* Where arena_alloc goes (longjmp with value 1) when memory runs out; with none set it aborts.
 * Returns the one set before, so that a nested user can restore it. */
jmp_buf *arena_on_exhaustion(Arena *a, jmp_buf *escape);

/* n zeroed bytes, aligned for any type. Never NULL. */
void *arena_alloc(Arena *a, size_t n);
/* count * size zeroed bytes; a product that overflows counts as running out of memory. */
void *arena_array(Arena *a, size_t count, size_t size);
/* Copies of a string, of n bytes (with a terminating NUL added), and of a printf result. */
char *arena_strdup(Arena *a, const char *s);
char *arena_strndup(Arena *a, const char *s, size_t n);
char *arena_printf(Arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *a, const char *format, va_list args);
/* Bytes handed out so far. */
size_t arena_used(const Arena *a);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

/* Appends `value` to the arena-held growing array `items` with its `count` and `capacity` lvalues.
 */
#define ARENA_PUSH(arena, items, count, capacity, value)                                           \
  do {                                                                                             \
    if ((count) == (capacity)) {                                                                   \
      size_t grown_ = (capacity) ? (size_t)(capacity)*2 : 8;                                       \
      (items) = arena_regrow((arena), (items), (size_t)(count), grown_, sizeof *(items));          \
      (capacity) = grown_;                                                                         \
    }                                                                                              \
    (items)[(count)++] = (value);                                                                  \
  } while (0)

/* A larger copy of an arena-held array: `count` items are kept, room for `capacity` of `size`
 * bytes. */
void *arena_regrow(Arena *a, const void *items, size_t count, size_t capacity, size_t size);

#endif
