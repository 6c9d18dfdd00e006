/* Stan's types, without sizes and constraints. */
#ifndef STAN2ONNX_FRONTEND_TYPES_H
#define STAN2ONNX_FRONTEND_TYPES_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>

typedef enum {
  T_VOID,
  T_INT,
  T_REAL,
  T_COMPLEX,
  T_VECTOR,
  T_ROW_VECTOR,
  T_MATRIX,
  T_COMPLEX_VECTOR,
  T_COMPLEX_ROW_VECTOR,
  T_COMPLEX_MATRIX,
  T_TUPLE,
  T_FUNCTION, /* a function's name as an argument of a higher-order function */
  T_STRING,   /* print, reject, fatal_error arguments */
  T_ERROR     /* an expression already reported; silences what follows from it */
} BaseType;

typedef struct StanType StanType;
struct StanType {
  BaseType base;
  int array_dims;   /* array[,] vector: base T_VECTOR, array_dims 2 */
  int member_count; /* T_TUPLE: members; T_FUNCTION: arguments */
  const StanType **members;
  const bool *data_only;  /* T_FUNCTION: which arguments are declared `data` */
  const StanType *result; /* T_FUNCTION */
};

/* Types are immutable; simple ones (member_count 0) may be compared with types_equal or by fields.
 */
const StanType *type_simple(Arena *a, BaseType base, int array_dims);
const StanType *type_tuple(Arena *a, const StanType **members, int count, int array_dims);
/* The type with `dims` more (or, negative, fewer) array dimensions. */
const StanType *type_array_of(Arena *a, const StanType *t, int dims);
bool types_equal(const StanType *a, const StanType *b);
/* Number of tensor dimensions: array dims plus 1 for (row) vectors, 2 for matrices. */
int type_rank(const StanType *t);
/* Appends the type as Stan's messages write it: "array[,] vector", "tuple(int, real)". */
void type_print(Text *out, const StanType *t);

#endif
