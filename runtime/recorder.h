/* What becomes of a chain's draws: in blocks of rows they get their generated quantities, then they
 * go into the chain's file and into the table for the summary. */
#ifndef STAN2ONNX_RUNTIME_RECORDER_H
#define STAN2ONNX_RUNTIME_RECORDER_H

#include "runtime/quantities.h"
#include "runtime/stan_csv.h"

/* Draws of a chain whose quantities are generated in one call, from one random state: so the
 * numbers do not depend on how a run is cut into slices. */
enum { BLOCK_DRAWS = 100 };

typedef struct {
  const Quantities *quantities; /* or NULL */
  Draws *draws;                 /* or NULL */
  CsvFile *file;                /* or NULL */
  size_t chain;                 /* from 0; the one of `draws` */
  RandomState state;            /* of the chain's generated quantities */
  size_t own, width;            /* columns without and with them */
  size_t skip;                  /* how many of the first ones are not recorded */
  double *rows;                 /* [BLOCK_DRAWS][width], */
  size_t pending;               /* of which these are filled */
  uint64_t blocks[2];           /* done so far, of the warmup and after it */
  bool sampling;                /* whether the pending rows are from after the warmup */
  size_t kept;                  /* draws from after the warmup that went through */
} Recorder;

/* A recorder for chain `chain`, from 0, of rows with `own` columns before the generated ones, of
 * which the first `skip` are not recorded. */
Recorder recorder_new(Arena *a, uint64_t seed, size_t chain, size_t own, size_t skip,
                      const Quantities *quantities);
/* The next row, for its own columns to be filled in. Returns NULL or what failed. */
const char *recorder_next(Recorder *r, Arena *a, bool sampling, double **row);
/* Sends on what is pending. */
const char *recorder_flush(Recorder *r, Arena *a);

#endif
