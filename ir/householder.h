/* Triangular factors of tall matrices, by Householder reflections. */
#ifndef STAN2ONNX_IR_HOUSEHOLDER_H
#define STAN2ONNX_IR_HOUSEHOLDER_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows are taken one by one, and whenever there are many they are reduced to as many as there are
 * columns. In long double, so that a factor rounded to double is the same wherever that is longer.
 */
typedef struct {
  int columns;
  int64_t rows, room;
  long double *at; /* column by column, `room` apart */
} Triangle;

Triangle triangle_new(Arena *a, int columns);
/* Forgets all rows. */
void triangle_clear(Triangle *t);
void triangle_add(Triangle *t, const long double *row);
/* Makes it upper triangular: at most `columns` rows whose products with any vector have the same
 * sum of squares as those of all the rows added. */
void triangle_finish(Triangle *t);
/* Whether all of a row is zero. */
bool triangle_row_empty(const Triangle *t, int64_t row);

static inline long double triangle_get(const Triangle *t, int64_t row, int column) {
  return t->at[column * t->room + row];
}

#endif
