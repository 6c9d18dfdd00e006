/* What the files that lower calls share. */
#ifndef STAN2ONNX_LOWER_CALL_H
#define STAN2ONNX_LOWER_CALL_H

#include "lower/trace.h"
#include "stdlib_map/prelude.h"

/* Whether a name has a density's suffix (_lpdf, _lpmf, _lcdf, _lccdf, _cdf, _lupdf, _lupmf). */
bool is_density_name(const char *name);
/* The library's definition of `name` that fits the arguments with the fewest mapped axes (*extra),
 * or NULL. */
const FunDef *choose_overload(Tracer *t, const char *name, const SVal *args, int count, int *extra);
/* The domain checks of f's arguments: of those bound in the current frame; of containers of a
 * scalar function's arguments; of an IR call's. */
void check_domains(Tracer *t, const FunDef *f);
void check_elementwise_domains(Tracer *t, const FunDef *f, const SVal *args, int count);
void check_call_domains(Tracer *t, Frame *frame, const SVal *args, int count);
/* A call of a density, the library's or a user's. */
SVal trace_density_call(Tracer *t, const Expr *call, bool drop_constants);
/* Where x is not what a constraint word ("simplex", "positive", ...) says: a bool for each element
 * or, for words about containers, one. */
Tr broken_word(Tracer *t, const char *word, Tr x);
/* Counts a call; unsupported when calls nest too deep. */
void enter_call(Tracer *t, Span span);
/* What is emitted from here on comes from a call of the library's `name`; returns the scope before.
 */
const IrScope *enter_library_scope(Tracer *t, const char *name);
bool enter_mapped(Tracer *t, const FunDef *f, SVal *args, int count, int extra);
SVal leave_mapped(Tracer *t, SVal v, Level *outer, const StanType *type);
struct CallCache *call_cache_new(Arena *a);

#endif
