#include "runtime/draws.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t draws_room(size_t columns, size_t chains) {
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages < 1 || size < 1 || columns == 0 || chains == 0) return SIZE_MAX / 2;
  double room = 0.5 * (double)pages * (double)size / sizeof(double);
  return (size_t)(room / (double)columns / (double)chains);
}

bool draws_new(Draws *out, const char *const *names, size_t columns, size_t chains,
               size_t capacity) {
  *out = (Draws){
      .names = names, .columns = columns, .chains = chains, .capacity = capacity, .rooms = chains};
  size_t most = SIZE_MAX / sizeof *out->values - 1;
  if (capacity && columns && (columns > most / capacity || chains > most / (capacity * columns)))
    return false;
  out->counts = calloc(chains + 1, sizeof *out->counts);
  out->order = calloc(chains + 1, sizeof *out->order);
  /* not cleared: it may be half of the machine's memory, of which a run may fill little */
  out->values = malloc((columns * chains * capacity + 1) * sizeof *out->values);
  for (size_t k = 0; out->order && k < chains; k++) out->order[k] = k;
  if (out->counts && out->order && out->values) return true;
  draws_free(out);
  return false;
}

void draws_free(Draws *d) {
  free(d->counts);
  free(d->order);
  free(d->values);
  *d = (Draws){0};
}

void draws_add(Draws *d, size_t chain, const double *rows, size_t stride, size_t count) {
  size_t room = d->order[chain], done = d->counts[room];
  if (count > d->capacity - done) count = d->capacity - done;
  for (size_t c = 0; c < d->columns; c++) {
    double *x = d->values + (c * d->rooms + room) * d->capacity + done;
    for (size_t i = 0; i < count; i++) x[i] = rows[i * stride + c];
  }
  d->counts[room] = done + count;
}

void draws_drop(Draws *d, size_t chain) {
  d->chains--;
  for (size_t k = chain; k < d->chains; k++) d->order[k] = d->order[k + 1];
}

const double *draws_of(const Draws *d, size_t column, size_t chain) {
  return d->values + (column * d->rooms + d->order[chain]) * d->capacity;
}

size_t draws_find(const Draws *d, const char *name) {
  size_t c = 0;
  while (c < d->columns && strcmp(d->names[c], name) != 0) c++;
  return c;
}

size_t draws_most(const Draws *d) {
  size_t n = 0;
  for (size_t k = 0; k < d->chains; k++)
    if (d->counts[d->order[k]] > n) n = d->counts[d->order[k]];
  return n;
}

size_t draws_common(const Draws *d) {
  size_t n = d->chains ? d->counts[d->order[0]] : 0;
  for (size_t k = 1; k < d->chains; k++)
    if (d->counts[d->order[k]] < n) n = d->counts[d->order[k]];
  return n;
}
