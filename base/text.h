/* A growing byte string, held in an arena. */
#ifndef STAN2ONNX_BASE_TEXT_H
#define STAN2ONNX_BASE_TEXT_H

#include "base/arena.h"

typedef struct {
  Arena *arena;
  char *data; /* NUL-terminated once anything was added; NULL before */
  size_t length, capacity;
} Text;

/* An empty text in `arena`. */
Text text_new(Arena *arena);
/* Append a string, n bytes, or a printf result. */
void text_add(Text *t, const char *s);
void text_add_bytes(Text *t, const void *bytes, size_t n);
void text_printf(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Append the shortest decimal form that reads back as the same double ("inf", "-inf", "nan" too).
 */
void text_add_double(Text *t, double x);
/* Append s as a JSON string literal, with its quotes; bytes that are not UTF-8 become U+FFFD. */
void text_add_json_string(Text *t, const char *s);

#endif
