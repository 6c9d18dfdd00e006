#include "base/diagnostics.h"

#include <stdlib.h>

struct Diagnostics {
  Arena *arena;
  Diagnostic *items;
  size_t count, capacity, errors;
  jmp_buf *escape;
};

Diagnostics *diagnostics_new(Arena *arena) {
  Diagnostics *d = ARENA_NEW(arena, Diagnostics);
  d->arena = arena;
  return d;
}

static bool is_error(DiagKind kind) { return kind != DIAG_NOTE && kind != DIAG_WARNING; }

static void add(Diagnostics *d, Diagnostic item) {
  ARENA_PUSH(d->arena, d->items, d->count, d->capacity, item);
  d->errors += is_error(item.kind);
}

void diag(Diagnostics *d, DiagKind kind, Span span, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(d, (Diagnostic){kind, true, span, arena_vprintf(d->arena, format, args)});
  va_end(args);
}

void diag_nowhere(Diagnostics *d, DiagKind kind, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(d, (Diagnostic){kind, false, {0}, arena_vprintf(d->arena, format, args)});
  va_end(args);
}

void diag_fatal(Diagnostics *d, DiagKind kind, Span span, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(d, (Diagnostic){kind, true, span, arena_vprintf(d->arena, format, args)});
  va_end(args);
  if (!d->escape) abort();
  longjmp(*d->escape, 1);
}

jmp_buf *diag_on_fatal(Diagnostics *d, jmp_buf *escape) {
  jmp_buf *before = d->escape;
  d->escape = escape;
  return before;
}

const Diagnostic *diag_list(const Diagnostics *d, size_t *count) {
  *count = d->count;
  return d->items;
}

void diag_rewind(Diagnostics *d, size_t count) {
  while (d->count > count) d->errors -= is_error(d->items[--d->count].kind);
}

size_t diag_errors(const Diagnostics *d) { return d->errors; }
