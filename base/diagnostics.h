/* The one sink of errors, warnings and notes of a compilation. */
#ifndef STAN2ONNX_BASE_DIAGNOSTICS_H
#define STAN2ONNX_BASE_DIAGNOSTICS_H

#include "base/arena.h"

#include <stdbool.h>

/* A stretch of source text: bytes [begin, end) of file number `file` in the sink's Sources. */
typedef struct {
  uint32_t file, begin, end;
} Span;

typedef enum {
  DIAG_NOTE,
  DIAG_WARNING,
  DIAG_SYNTAX,      /* the program is not Stan: "Syntax error in 'FILE', line L, column C" */
  DIAG_SEMANTIC,    /* the program is ill-typed: "Semantic error in ..." */
  DIAG_DATA,        /* the data do not fit the program */
  DIAG_UNSUPPORTED, /* valid Stan that is not supported yet: exit status 3 */
  DIAG_INTERNAL     /* a failure of ours or of the machine (files, memory) */
} DiagKind;

typedef struct {
  DiagKind kind;
  bool located; /* whether span says where */
  Span span;
  const char *message; /* what was found, what was expected, what to do instead */
} Diagnostic;

typedef struct Diagnostics Diagnostics;

/* A new, empty sink in `arena`. */
Diagnostics *diagnostics_new(Arena *arena);
/* Adds one diagnostic; the message is formatted into the arena. */
void diag(Diagnostics *d, DiagKind kind, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_nowhere(Diagnostics *d, DiagKind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds one diagnostic and leaves the compilation by longjmp to the escape set with diag_on_fatal.
 */
_Noreturn void diag_fatal(Diagnostics *d, DiagKind kind, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Sets where diag_fatal goes; returns the escape set before, so that nested attempts (as: "is this
 * quantity supported?") can restore it. */
jmp_buf *diag_on_fatal(Diagnostics *d, jmp_buf *escape);

/* The diagnostics so far, in order of arrival; *count of them. */
const Diagnostic *diag_list(const Diagnostics *d, size_t *count);
/* Forgets those after the first `count` (for attempts that were given up). */
void diag_rewind(Diagnostics *d, size_t count);
/* Number of errors so far (notes and warnings do not count). */
size_t diag_errors(const Diagnostics *d);

#endif
