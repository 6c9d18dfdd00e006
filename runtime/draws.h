/* A table of draws in memory: columns of several chains. */
#ifndef STAN2ONNX_RUNTIME_DRAWS_H
#define STAN2ONNX_RUNTIME_DRAWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *const *names; /* of the columns, as in CSV files */
  size_t columns, chains, capacity;
  size_t rooms;   /* chains that there is room for */
  size_t *counts; /* draws in each room */
  size_t *order;  /* the room of a chain */
  double *values; /* [column][room][capacity] */
} Draws;

/* How many draws of each chain half of the machine's memory holds. */
size_t draws_room(size_t columns, size_t chains);
/* Room for `capacity` draws of each chain; false where there is no memory for it. The names are
 * borrowed. Freed with draws_free. */
bool draws_new(Draws *out, const char *const *names, size_t columns, size_t chains,
               size_t capacity);
void draws_free(Draws *d);
/* Appends draws to a chain: row i is the numbers from rows + i * stride. Several threads may do so
 * at once for different chains. What there is no room for is dropped. */
void draws_add(Draws *d, size_t chain, const double *rows, size_t stride, size_t count);
/* Leaves a chain out from now on; those after it move up. */
void draws_drop(Draws *d, size_t chain);
/* The numbers of a column in a chain. */
const double *draws_of(const Draws *d, size_t column, size_t chain);
/* The column of a name, or the number of columns. */
size_t draws_find(const Draws *d, const char *name);
/* How many draws the chain has that has the most. */
size_t draws_most(const Draws *d);
/* How many draws every chain has. */
size_t draws_common(const Draws *d);

#endif
