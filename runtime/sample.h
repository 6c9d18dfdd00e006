/* A run of stan2onnx-run sample: between what prepares it (sample.c) and what does it (worker.c).
 */
#ifndef STAN2ONNX_RUNTIME_SAMPLE_H
#define STAN2ONNX_RUNTIME_SAMPLE_H

#include "runtime/options.h"
#include "runtime/recorder.h"
#include "runtime/sampler.h"
#include "runtime/source.h"

#include <pthread.h>

/* What a model says of a chain that it cannot go on with. */
enum { CHAIN_FINE, CHAIN_NO_START, CHAIN_NO_STEP };

typedef struct {
  Recorder recorder;
  CsvFile file;
  int64_t trouble;   /* CHAIN_... */
  double seconds[2]; /* of warmup and after */
} Chain;

typedef struct SampleRun SampleRun;

typedef struct {
  SampleRun *run;
  ChainStates states;
  Chain *chains;
  Arena *arena, *slice; /* for the whole run; for a slice */
  jmp_buf *escape;      /* where they go when there is no memory */
  int64_t done;         /* iterations */
  const char *error;
  bool started;
  pthread_t thread;
} Worker;

struct SampleRun {
  Arena *arena;
  SampleOptions options;
  Source source;
  const char *metric;
  Ort *ort;
  OrtModel *model, *generator;
  json_t *data;
  Sampler sampler;
  Quantities quantities;
  bool generates, fixed; /* fixed: there are no parameters, quantities are generated only */
  ChainStates states;
  RowLayout layout;
  Draws draws;
  Chain *chains;
  Worker *workers;
  int worker_count;
  double seconds;
  pthread_mutex_t mutex; /* of what follows */
  pthread_cond_t changed;
  int running;
  int64_t iterations; /* over all chains */
  bool stop;
  bool cut; /* calls under way were ended, because they took too long to come to an end */
};

/* How many threads share the chains of an open sampler: as asked for, else what suits chains and
 * data. */
int64_t shared_threads(const SampleRun *r);
/* Draws. Workers are threads; each has some of the chains, which go through a slice of iterations
 * in one call of the model. Slices are short enough to show progress and to stop between. Returns
 * NULL or what went wrong; what was drawn until then is recorded. */
const char *run_workers(SampleRun *r);
/* The same where there are no parameters. */
const char *run_fixed(SampleRun *r);
/* Whether a signal ended the run. */
bool was_interrupted(void);

#endif
