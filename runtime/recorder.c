#include "runtime/recorder.h"

/* A chain's quantities have a split of the seed's state that no chain of the sampler has: those are
 * below 2^32. Blocks of the warmup are numbered apart, so that draws after it do not depend on
 * whether it is kept. */
static const uint64_t GENERATED = (uint64_t)1 << 32, OF_WARMUP = (uint64_t)1 << 32;

Recorder recorder_new(Arena *a, uint64_t seed, size_t chain, size_t own, size_t skip,
                      const Quantities *quantities) {
  Recorder r = {.quantities = quantities, .chain = chain, .own = own, .skip = skip};
  r.width = own + (quantities ? quantities->columns.count : 0);
  r.rows = ARENA_ARRAY(a, double, BLOCK_DRAWS *r.width + 1);
  r.state = random_split(random_state(seed), GENERATED + chain);
  return r;
}

const char *recorder_next(Recorder *r, Arena *a, bool sampling, double **row) {
  const char *error = NULL;
  if (r->pending == BLOCK_DRAWS || (r->pending && r->sampling != sampling))
    error = recorder_flush(r, a);
  r->sampling = sampling;
  *row = r->rows + r->pending++ * r->width;
  return error;
}

const char *recorder_flush(Recorder *r, Arena *a) {
  size_t count = r->pending;
  if (!count) return NULL;
  r->pending = 0;
  uint64_t block = r->blocks[r->sampling]++ + (r->sampling ? 0 : OF_WARMUP);
  const char *error = NULL;
  if (r->quantities)
    error = quantities_run(r->quantities, a, r->rows, r->rows + r->own, r->width, (int64_t)count,
                           random_split(r->state, block));
  if (error) return error;
  if (r->file) csv_rows(r->file, r->rows + r->skip, r->width, count);
  if (!r->sampling) return NULL;
  r->kept += count;
  if (r->draws) draws_add(r->draws, r->chain, r->rows + r->skip, r->width, count);
  return NULL;
}
