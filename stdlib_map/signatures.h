/* The signatures of Stan's library: which names there are, and for which argument types. */
#ifndef STAN2ONNX_STDLIB_MAP_SIGNATURES_H
#define STAN2ONNX_STDLIB_MAP_SIGNATURES_H

#include "frontend/types.h"

/* ---- functions with a fixed number of arguments for each signature ---- */

/* What to do with the signatures that are found. */
typedef struct {
  void *context;
  /* Whether `parameter` may be the type of argument `position` (from 0). Signatures that fail at an
   * argument are not followed further. NULL: anything may. */
  bool (*fits)(void *context, int position, const StanType *parameter, bool data_only);
  /* One signature, as a T_FUNCTION type. It and the array of its members are valid during the call;
   * the types of its arguments and result for good. False ends the search. */
  bool (*visit)(void *context, const StanType *signature);
} SignatureQuery;

/* How many names the table has, and name number k, in the order of strcmp. */
int signatures_count(void);
const char *signatures_name(int k);
/* Whether the table has `name`. Names of densities are normalised ones: normal_lpdf, not
 * normal_lupdf. */
bool signatures_know(const char *name);
/* The signatures of `name` with arg_count arguments, or with any number where it is negative. */
void signatures_each(Arena *arena, const char *name, int arg_count, const SignatureQuery *query);

/* ---- functions that pass what arguments follow on to a function ---- */

enum { VARIADIC_MAX = 16 };

/* A call is NAME(f, control arguments, arguments forwarded to f); f takes `required` arguments
 * first and then the forwarded ones. */
typedef struct {
  const char *name;
  int control_count, required_count;
  const StanType *control[VARIADIC_MAX], *required[VARIADIC_MAX];
  bool control_data[VARIADIC_MAX]; /* which have to be data */
  const StanType *function_result, *result;
} VariadicSignature;

/* The signature of variadic function `name`; false where it is none. reduce_sum and the Laplace
 * approximations are more than that and not in the table. */
bool variadic_signature(const char *name, VariadicSignature *out);

#endif
