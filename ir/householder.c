/* Householder's reduction, a few rows at a time: the memory does not grow with the rows. */
#include "ir/householder.h"

#include <math.h>

enum { MORE_ROWS = 96 }; /* that are collected before they are reduced */

Triangle triangle_new(Arena *a, int columns) {
  int64_t room = columns + MORE_ROWS;
  return (Triangle){
      .columns = columns,
      .room = room,
      .at = ARENA_ARRAY(a, long double, (size_t)room *(size_t)columns + 1),
  };
}

void triangle_clear(Triangle *t) { t->rows = 0; }

/* Columns j + 1, ... reflected so that of column j only the diagonal remains. The sign of the
 * diagonal is chosen so that nothing cancels. */
static void reflect(Triangle *t, int j) {
  long double *v = t->at + j * t->room, square = 0, below = 0;
  for (int64_t i = j + 1; i < t->rows; i++) below += v[i] * v[i];
  if (below == 0) return;
  square = below + v[j] * v[j];
  long double diagonal = v[j] > 0 ? -sqrtl(square) : sqrtl(square);
  v[j] -= diagonal;
  long double half = (below + v[j] * v[j]) / 2;
  for (int k = j + 1; k < t->columns; k++) {
    long double *x = t->at + k * t->room, along = 0;
    for (int64_t i = j; i < t->rows; i++) along += v[i] * x[i];
    along /= half;
    for (int64_t i = j; i < t->rows; i++) x[i] -= along * v[i];
  }
  v[j] = diagonal;
  for (int64_t i = j + 1; i < t->rows; i++) v[i] = 0;
}

void triangle_finish(Triangle *t) {
  for (int j = 0; j < t->columns && j < t->rows; j++) reflect(t, j);
  if (t->rows > t->columns) t->rows = t->columns;
}

void triangle_add(Triangle *t, const long double *row) {
  if (t->rows == t->room) triangle_finish(t);
  for (int k = 0; k < t->columns; k++) t->at[k * t->room + t->rows] = row[k];
  t->rows++;
}

bool triangle_row_empty(const Triangle *t, int64_t row) {
  for (int k = 0; k < t->columns; k++)
    if (triangle_get(t, row, k) != 0) return false;
  return true;
}
