/* Sums of squares of linear forms with constant factors, by fewer forms. */
#ifndef STAN2ONNX_IR_ELIMINATION_H
#define STAN2ONNX_IR_ELIMINATION_H

#include "ir/design_form.h"

/* How elements are divided by a table's place: elements n with the same label[n] read one place.
 * Columns of one partition may be of several tables and places, but divide the elements alike. */
typedef struct {
  int64_t labels;
  int64_t *label; /* by element; in the order of the places of the partition's first column */
} Partition;

enum { COMMON = -1 };

/* A table's place, or one place for each label of a partition, and its factor in each element. */
typedef struct {
  IrValue *table;
  int partition; /* COMMON: `at` for all elements */
  int64_t at;
  int64_t *place; /* by label */
  double *factor; /* by element */
  int exponent;   /* of the power of two that is taken out of the factors */
} Column;

/* The columns that a form has, ordered by partition, with those that are common after them. The
 * last one is the number 1, whose table is NULL. */
typedef struct {
  Partition *partitions;
  int partition_count, column_count;
  Column *columns;
  int *first; /* by partition, and after them: its first column; then that of the number 1 */
} Columns;

/* Forms that are left: for each tuple of labels of partitions from `partition` on that occurs, and
 * for each of that partition's columns, one. With partition number partition_count, the forms of
 * common columns. */
typedef struct {
  int partition;
  int64_t tuples;
  int forms;             /* for each tuple */
  const int64_t **label; /* by partition: of each tuple */
  double **factor;       /* by column: form by form, for each tuple */
} Block;

/* The sum of squares is that of the blocks' forms, and a number. */
typedef struct {
  Block *blocks;
  int block_count;
  double rest;
} Elimination;

/* Divides a form's terms into columns. False where they are too many. */
bool form_columns(Arena *a, const DesignForm *f, Columns *out);
/* Replaces the `count` forms by at most `most` others. False where they would be more, or take too
 * long to find. */
bool eliminate(Arena *a, Columns *c, int64_t count, int64_t most, Elimination *out);

#endif
