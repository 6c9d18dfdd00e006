/* The library's sources, found by function name and parsed when first needed. */
#ifndef STAN2ONNX_STDLIB_MAP_PRELUDE_H
#define STAN2ONNX_STDLIB_MAP_PRELUDE_H

#include "frontend/frontend.h"

typedef struct Prelude Prelude;

/* The library for one compilation. Nothing is parsed yet. */
Prelude *prelude_new(Arena *arena);
/* The definitions of `name` (one for each overload), checked; *count is 0 where the library has
 * none. Errors in the library's own sources are reported to the sink `d` as internal ones. */
FunDef *const *prelude_find(Prelude *p, const char *name, int *count, Diagnostics *d);
/* The annotation `name` of f, or NULL. */
const Annotation *prelude_annotation(const FunDef *f, const char *name);
/* The function that carries @derivative(f, parameter), or with parameter NULL @vjp(f), or NULL. It
 * is in the same file as f. */
const FunDef *prelude_derivative(Prelude *p, const FunDef *f, const char *parameter,
                                 Diagnostics *d);

#endif
