/* The loop of slices of stan2onnx-run sample. */
#include "runtime/command.h"
#include "runtime/progress.h"
#include "runtime/sample.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static const double SLICE_SECONDS = 0.2;
static const double PATIENCE = 2; /* seconds that a slice may go on when the run is to stop */
enum { FIRST_SLICE = 4, GROWTH = 8 };

/* Set by signals. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

/* The first signal ends the run after the slices, or, where a slice does not end (as in a program
 * that loops for ever), without them; a second one ends the program at once. */
static void catch_signals(void) {
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

bool was_interrupted(void) { return interrupted != 0; }

/* ---- a worker ---- */

static bool should_stop(Worker *w) {
  pthread_mutex_lock(&w->run->mutex);
  bool stop = w->run->stop || interrupted;
  pthread_mutex_unlock(&w->run->mutex);
  for (int64_t k = 0; k < w->states.chains; k++)
    if (w->chains[k].trouble == CHAIN_FINE && !w->chains[k].file.error) return stop;
  return true; /* none can go on, or be kept */
}

static bool was_cut(Worker *w) {
  pthread_mutex_lock(&w->run->mutex);
  bool cut = w->run->cut;
  pthread_mutex_unlock(&w->run->mutex);
  return cut;
}

static void report_progress(Worker *w, int64_t iterations) {
  pthread_mutex_lock(&w->run->mutex);
  w->run->iterations += iterations * w->states.chains;
  pthread_mutex_unlock(&w->run->mutex);
}

static bool is_kept(const SampleOptions *o, int64_t iteration) {
  if (iteration < o->warmup) return o->save_warmup && iteration % o->thin == 0;
  return (iteration - o->warmup) % o->thin == 0;
}

static const char *record(Worker *w, const SamplerSlice *slice, int64_t k) {
  const SampleOptions *o = &w->run->options;
  for (int64_t i = 0; i < slice->iterations; i++) {
    int64_t iteration = w->done + i;
    double *row;
    if (!is_kept(o, iteration)) continue;
    const char *error =
        recorder_next(&w->chains[k].recorder, w->slice, iteration >= o->warmup, &row);
    if (error) return error;
    sampler_row(slice, k, i, row);
  }
  return NULL;
}

/* Writes step sizes and metrics, once the warmup is over. */
static const char *write_adapted(Worker *w, const OrtCall *call) {
  const SampleRun *r = w->run;
  OrtTensor step, metric;
  if (!r->options.output) return NULL;
  const char *error = sampler_result(&r->sampler, call, w->slice, SAMPLER_STEPSIZE, &step);
  if (!error) error = sampler_result(&r->sampler, call, w->slice, SAMPLER_METRIC, &metric);
  if (error) return error;
  if (ort_count(&step) != w->states.chains || metric.rank < 2 ||
      metric.dims[0] != w->states.chains || metric.element != ORT_F64)
    return "the model returned no step sizes and metrics of its chains";
  int64_t size = draw_size(&metric, 1);
  for (int64_t k = 0; k < w->states.chains; k++) {
    Chain *c = &w->chains[k];
    error = recorder_flush(&c->recorder, w->slice);
    if (error) return error;
    csv_adapted(&c->file, ((const double *)step.data)[k], r->metric,
                (const double *)metric.data + k * size, (size_t)metric.dims[1]);
  }
  return NULL;
}

static const char *read_troubles(Worker *w, const OrtCall *call) {
  OrtTensor status;
  const char *error = sampler_result(&w->run->sampler, call, w->slice, SAMPLER_STATUS, &status);
  if (error) return error;
  if (status.element != ORT_I64 || ort_count(&status) != w->states.chains)
    return "the model returned no status of its chains";
  for (int64_t k = 0; k < w->states.chains; k++)
    w->chains[k].trouble = ((const int64_t *)status.data)[k];
  return NULL;
}

/* What has no generated quantities can go out after every slice. */
static const char *send_on(Worker *w) {
  for (int64_t k = 0; k < w->states.chains; k++) {
    Recorder *r = &w->chains[k].recorder;
    const char *error = r->quantities ? NULL : recorder_flush(r, w->slice);
    if (error) return error;
    if (r->file) csv_flush(r->file);
  }
  return NULL;
}

static const char *take_results(Worker *w, const OrtCall *call, int64_t iterations) {
  const SampleOptions *o = &w->run->options;
  SamplerSlice slice;
  const char *error =
      sampler_slice(&w->run->sampler, w->slice, call, w->states.chains, iterations, &slice);
  if (!error) error = read_troubles(w, call);
  if (!error && o->warmup == 0 && w->done == 0) error = write_adapted(w, call);
  for (int64_t k = 0; k < w->states.chains && !error; k++)
    if (w->chains[k].trouble == CHAIN_FINE) error = record(w, &slice, k);
  w->done += iterations;
  if (!error && o->warmup > 0 && w->done == o->warmup) error = write_adapted(w, call);
  return error ? error : send_on(w);
}

/* Goes through some iterations; *seconds is what the model took for them. */
static const char *run_slice(Worker *w, int64_t iterations, double *seconds) {
  OrtCall *call = NULL;
  int phase = w->done >= w->run->options.warmup;
  double start = seconds_now();
  const char *error = sampler_advance(&w->run->sampler, w->slice, &w->states, iterations, &call);
  *seconds = seconds_now() - start;
  if (error && was_cut(w)) return NULL;
  if (!error) error = take_results(w, call, iterations);
  if (call) ort_release(call);
  for (int64_t k = 0; k < w->states.chains; k++)
    w->chains[k].seconds[phase] += seconds_now() - start;
  return error ? arena_strdup(w->arena, error) : NULL;
}

/* How many iterations the next slice has: such that it takes SLICE_SECONDS, and ends where the
 * warmup does. */
static int64_t next_slice(const Worker *w, int64_t last, double seconds) {
  const SampleOptions *o = &w->run->options;
  int64_t total = o->warmup + o->samples;
  int64_t limit = (w->done < o->warmup ? o->warmup : total) - w->done;
  int64_t n = FIRST_SLICE;
  if (last) {
    double fit = (double)last * SLICE_SECONDS / (seconds > 1e-6 ? seconds : 1e-6);
    n = fit > (double)last * GROWTH ? last * GROWTH : (int64_t)fit;
  }
  n = n < 1 ? 1 : n;
  return n < limit ? n : limit;
}

static void run_slices(Worker *w) {
  const SampleOptions *o = &w->run->options;
  int64_t total = o->warmup + o->samples, n = 0;
  double seconds = 0;
  while (w->done < total && !w->error && !should_stop(w)) {
    n = next_slice(w, n, seconds);
    w->slice = arena_new();
    if (!w->slice) {
      w->error = "out of memory";
      return;
    }
    arena_on_exhaustion(w->slice, w->escape);
    w->error = run_slice(w, n, &seconds);
    arena_free(w->slice);
    w->slice = NULL;
    report_progress(w, n);
  }
  for (int64_t k = 0; k < w->states.chains && !w->error; k++)
    w->error = recorder_flush(&w->chains[k].recorder, w->arena);
}

static void *work(void *argument) {
  Worker *w = argument;
  jmp_buf escape;
  if (setjmp(escape)) {
    w->error = "out of memory";
  } else {
    w->escape = &escape;
    arena_on_exhaustion(w->arena, &escape);
    run_slices(w);
  }
  arena_free(w->slice);
  w->slice = NULL;
  pthread_mutex_lock(&w->run->mutex);
  w->run->running--;
  pthread_cond_signal(&w->run->changed);
  pthread_mutex_unlock(&w->run->mutex);
  return NULL;
}

/* Shares the chains out. */
static void make_workers(SampleRun *r) {
  const SampleOptions *o = &r->options;
  int64_t threads = shared_threads(r);
  r->worker_count = (int)threads;
  r->workers = ARENA_ARRAY(r->arena, Worker, (size_t)threads);
  for (int64_t k = 0; k < threads; k++) {
    int64_t first = o->chains * k / threads, end = o->chains * (k + 1) / threads;
    r->workers[k] = (Worker){.run = r,
                             .states = chain_states_part(&r->states, first, end - first),
                             .chains = r->chains + first};
  }
}

/* ---- the run ---- */

static bool start_workers(SampleRun *r) {
  pthread_mutex_init(&r->mutex, NULL);
  pthread_cond_init(&r->changed, NULL);
  r->running = r->worker_count;
  for (int k = 0; k < r->worker_count; k++) {
    Worker *w = &r->workers[k];
    w->arena = arena_new();
    w->started = w->arena && pthread_create(&w->thread, NULL, work, w) == 0;
    if (w->started) continue;
    pthread_mutex_lock(&r->mutex);
    r->running -= r->worker_count - k;
    r->stop = true;
    pthread_mutex_unlock(&r->mutex);
    return false;
  }
  return true;
}

/* Once the run is to stop: `since` is when that was first seen. */
static void hurry(SampleRun *r, double *since) {
  if (!interrupted || r->cut) return;
  if (*since == 0) *since = seconds_now();
  if (seconds_now() - *since < PATIENCE) return;
  r->cut = true;
  ort_stop(r->model);
}

static void watch(SampleRun *r) {
  const SampleOptions *o = &r->options;
  int64_t total = (o->warmup + o->samples) * o->chains;
  double since = 0;
  Progress progress;
  progress_start(&progress, o->quiet);
  pthread_mutex_lock(&r->mutex);
  while (r->running > 0) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&r->changed, &r->mutex, &until);
    hurry(r, &since);
    int64_t done = r->iterations;
    pthread_mutex_unlock(&r->mutex);
    progress_show(&progress, done, total,
                  interrupted                    ? "Stopping"
                  : done < o->warmup * o->chains ? "Warmup"
                                                 : "Sampling");
    pthread_mutex_lock(&r->mutex);
  }
  pthread_mutex_unlock(&r->mutex);
  progress_end(&progress);
}

const char *run_workers(SampleRun *r) {
  double start = seconds_now();
  make_workers(r);
  catch_signals();
  bool started = start_workers(r);
  watch(r);
  const char *error = started ? NULL : "cannot start a thread";
  for (int k = 0; k < r->worker_count; k++) {
    Worker *w = &r->workers[k];
    if (w->started) pthread_join(w->thread, NULL);
    if (!error && w->error) error = arena_strdup(r->arena, w->error);
    arena_free(w->arena);
  }
  r->seconds = seconds_now() - start;
  return error;
}

/* ---- no parameters ---- */

const char *run_fixed(SampleRun *r) {
  const SampleOptions *o = &r->options;
  const char *error = NULL;
  double start = seconds_now(), *row;
  Progress progress;
  catch_signals();
  progress_start(&progress, o->quiet);
  for (int64_t k = 0; k < o->chains && !error; k++) {
    Chain *c = &r->chains[k];
    double begun = seconds_now();
    for (int64_t i = 0; i < o->samples && !error && !interrupted; i += o->thin) {
      progress_show(&progress, k * o->samples + i, o->chains * o->samples, "Generating");
      error = recorder_next(&c->recorder, r->arena, true, &row);
      if (!error) memset(row, 0, c->recorder.own * sizeof *row);
    }
    if (!error) error = recorder_flush(&c->recorder, r->arena);
    c->seconds[1] = seconds_now() - begun;
  }
  progress_end(&progress);
  r->seconds = seconds_now() - start;
  return error;
}
