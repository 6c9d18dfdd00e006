/* Models made with --emit sample: their inputs and outputs (docs/sampling.md), and calls of them.
 */
#ifndef STAN2ONNX_RUNTIME_SAMPLER_H
#define STAN2ONNX_RUNTIME_SAMPLER_H

#include "runtime/columns.h"

enum { SAMPLER_MAX_STATISTICS = 8 };

typedef struct {
  const char *name;
  bool integer;
} SamplerStatistic;

typedef enum {
  SAMPLER_PRNG_STATE,
  SAMPLER_CHAINS,
  SAMPLER_INIT,
  SAMPLER_WARMUP,
  SAMPLER_SAMPLES,
  SAMPLER_ITERATIONS,
  SAMPLER_SETTINGS,
  SAMPLER_STATE,
  SAMPLER_KEYS,
  SAMPLER_INPUTS
} SamplerInput;

/* Outputs beside the parameters and the statistics. */
typedef enum {
  SAMPLER_NEXT_STATE,
  SAMPLER_NEXT_KEYS,
  SAMPLER_STEPSIZE,
  SAMPLER_METRIC,
  SAMPLER_STATUS,
  SAMPLER_OUTPUTS
} SamplerOutput;

/* What decides how long trajectories are, and which statistics the model tells of iterations: they
 * are outputs, too, and named as in a CSV file. */
typedef struct {
  const char *name; /* "nuts" or "static" */
  bool has_time;    /* trajectories have an integration time, not a depth */
  const SamplerStatistic *statistics;
  size_t statistic_count;
} SamplerEngine;

/* What holds for a whole run. */
typedef struct {
  double delta, max_depth, int_time, step_size, radius;
  int64_t warmup, samples;
} SamplerSettings;

typedef struct {
  OrtModel *model;
  SamplerSettings settings;
  const SamplerEngine *engine;
  OrtTensor *inputs; /* data; the others are set for each call */
  size_t in[SAMPLER_INPUTS], out[SAMPLER_OUTPUTS], statistics[SAMPLER_MAX_STATISTICS];
  /* from sampler_start: */
  Columns columns;  /* of parameters and transformed parameters */
  RowLayout layout; /* of rows: the statistics, then these columns */
} Sampler;

/* Chains somewhere on their way. */
typedef struct {
  int64_t chains, size; /* numbers of a chain's state */
  double *state;        /* [chains][size] */
  int64_t *keys;        /* [chains][2] */
} ChainStates;

/* A model whose data inputs get their values from `data` (NULL: none). The caller sets its
 * settings. Returns NULL or, in `a`, what is wrong; so do the others. */
const char *sampler_open(Arena *a, OrtModel *m, json_t *data, Sampler *out);
/* "diag", "dense" or "unit". */
const char *sampler_metric(const Sampler *s);
/* How many unconstrained parameters there are, or -1 where the data decide. */
int64_t sampler_dimension(const Sampler *s);
/* Chains at their start: at the points `init` [chains, D], or, where it is NULL, at random. */
const char *sampler_start(Sampler *s, Arena *a, uint64_t seed, int64_t chains,
                          const OrtTensor *init, ChainStates *out);
/* Some of them, which share their memory: those of a worker. */
ChainStates chain_states_part(const ChainStates *all, int64_t first, int64_t count);
/* Takes chains through iterations. The results are those of *call, to be released. Several threads
 * may do so at once, each with an arena and chains of its own. */
const char *sampler_advance(const Sampler *s, Arena *a, ChainStates *chains, int64_t iterations,
                            OrtCall **call);
const char *sampler_result(const Sampler *s, const OrtCall *call, Arena *a, SamplerOutput which,
                           OrtTensor *out);

/* Results of a call that went through some iterations. */
typedef struct {
  const Sampler *sampler;
  OrtTensor *tensors; /* all outputs */
  int64_t chains, iterations;
} SamplerSlice;

const char *sampler_slice(const Sampler *s, Arena *a, const OrtCall *call, int64_t chains,
                          int64_t iterations, SamplerSlice *out);
/* The row of an iteration of a chain, which count from 0. */
void sampler_row(const SamplerSlice *slice, int64_t chain, int64_t iteration, double *row);

#endif
