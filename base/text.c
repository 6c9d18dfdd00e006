#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Text text_new(Arena *arena) { return (Text){.arena = arena}; }

void text_add_bytes(Text *t, const void *bytes, size_t n) {
  if (t->capacity - t->length < n + 1) {
    size_t capacity = t->capacity ? t->capacity * 2 : 64;
    while (capacity - t->length < n + 1) capacity *= 2;
    t->data = arena_regrow(t->arena, t->data, t->length, capacity, 1);
    t->capacity = capacity;
  }
  memcpy(t->data + t->length, bytes, n);
  t->length += n;
  t->data[t->length] = 0;
}

void text_add(Text *t, const char *s) { text_add_bytes(t, s, strlen(s)); }

void text_printf(Text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  text_add(t, arena_vprintf(t->arena, format, args));
  va_end(args);
}

void text_add_double(Text *t, double x) {
  char s[40];
  if (isnan(x)) {
    text_add(t, "nan");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(s, sizeof s, "%.*g", digits, x);
    if (strtod(s, NULL) == x) break;
  }
  text_add(t, s);
}

/* Length of the valid UTF-8 sequence at s, or 0. */
static int utf8_length(const unsigned char *s) {
  int n = s[0] < 0x80                   ? 1
          : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
          : (s[0] & 0xF0) == 0xE0       ? 3
          : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                        : 0;
  for (int i = 1; i < n; i++)
    if ((s[i] & 0xC0) != 0x80) return 0;
  if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))) return 0;
  if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))) return 0;
  return n;
}

void text_add_json_string(Text *t, const char *string) {
  text_add(t, "\"");
  for (const unsigned char *s = (const unsigned char *)string; *s;) {
    int n = utf8_length(s);
    if (*s == '"' || *s == '\\')
      text_printf(t, "\\%c", *s);
    else if (*s == '\n')
      text_add(t, "\\n");
    else if (*s == '\t')
      text_add(t, "\\t");
    else if (*s < 0x20)
      text_printf(t, "\\u%04x", *s);
    else if (n)
      text_add_bytes(t, s, (size_t)n);
    else
      text_add(t, "\\ufffd");
    s += n ? n : 1;
  }
  text_add(t, "\"");
}
