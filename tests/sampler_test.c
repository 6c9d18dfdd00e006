/* Models that sample: moments of known distributions, step sizes, metrics and trajectories against
 * Stan's (testdata/sampling), the same draws whatever the slices, the chains beside them, the
 * dialect and the runtime, and what happens where sampling goes wrong. Seeds are fixed. */
#include "lower/lower.h"
#include "runtime/ort.h"
#include "stan2onnx.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

static Ort *ort;
static Arena *arena;

static void begin(void) { arena = arena_new(); }
static void finish(void) { arena_free(arena); }

/* ---- models ---- */

typedef struct {
  const char *source, *data; /* data: JSON to bake in; NULL: data are inputs */
  Stan2onnxMetric metric;
  Stan2onnxEngine engine;
  bool prob;
} Model;

static Stan2onnxResult *compiled(const Model *m) {
  Stan2onnxOptions o = {.struct_size = sizeof o,
                        .name = "model.stan",
                        .source = m->source,
                        .source_length = strlen(m->source),
                        .entry = STAN2ONNX_SAMPLE,
                        .metric = m->metric,
                        .engine = m->engine,
                        .prob_dialect = m->prob};
  if (m->data) o.data = m->data, o.data_length = strlen(m->data);
  Stan2onnxResult *r = stan2onnx_compile(&o);
  ck_assert_msg(stan2onnx_status(r) == STAN2ONNX_OK, "%s\n%s", m->source, stan2onnx_diagnostics(r));
  return r;
}

/* ---- runs ---- */

typedef struct {
  const char *name;
  OrtTensor tensor;
} Named;

typedef struct {
  int64_t seed, chains, warmup, samples, iterations; /* iterations 0: all, -1: none */
  double delta, step, radius;                        /* 0: the default */
  Stan2onnxEngine engine;                            /* of the two that follow, which one it has */
  double max_depth, int_time;
  const Named *inputs; /* others; they end with a NULL name */
} Run;

typedef struct {
  size_t count;
  Named *outputs;
} Draws;

static OrtTensor tensor(OrtElement element, int rank, int64_t rows, int64_t columns,
                        const void *values) {
  OrtTensor t = {.element = element, .rank = rank, .dims = {rows, columns}};
  size_t n = (size_t)ort_count(&t) * ort_element_size(element);
  t.data = arena_alloc(arena, n + 1);
  if (n) memcpy(t.data, values, n);
  return t;
}

static OrtTensor no_rows(OrtElement element, int64_t columns) {
  return tensor(element, 2, 0, columns, "");
}

static OrtTensor number(int64_t x) { return tensor(ORT_I64, 0, 0, 0, &x); }

static double otherwise(double x, double usual) { return x != 0 ? x : usual; }

static OrtTensor input(const Run *r, const OrtPort *port) {
  for (const Named *n = r->inputs; n && n->name; n++)
    if (!strcmp(n->name, port->name)) return n->tensor;
  double length = r->engine ? r->int_time : otherwise(r->max_depth, 10);
  double settings[] = {otherwise(r->delta, 0.8), length, otherwise(r->step, 1),
                       otherwise(r->radius, 2)};
  int64_t state[] = {r->seed >> 32, r->seed & INT64_C(0xffffffff)};
  int64_t all = r->warmup + r->samples;
  if (!strcmp(port->name, "prng_state")) return tensor(ORT_I64, 1, 2, 0, state);
  if (!strcmp(port->name, "settings")) return tensor(ORT_F64, 1, 4, 0, settings);
  if (!strcmp(port->name, "chains")) return number(r->chains);
  if (!strcmp(port->name, "warmup")) return number(r->warmup);
  if (!strcmp(port->name, "samples")) return number(r->samples);
  if (!strcmp(port->name, "iterations"))
    return number(r->iterations ? (r->iterations > 0 ? r->iterations : 0) : all);
  if (!strcmp(port->name, "init")) return no_rows(ORT_F64, port->dims[1] > 0 ? port->dims[1] : 0);
  if (!strcmp(port->name, "sampler_state")) return no_rows(ORT_F64, 1);
  if (!strcmp(port->name, "sampler_keys")) return no_rows(ORT_I64, 2);
  ck_abort_msg("no value for the input %s", port->name);
}

static Draws run_session(OrtModel *session, const Run *r) {
  size_t count;
  OrtCall *call;
  const OrtPort *ports = ort_inputs(session, &count);
  OrtTensor *bound = ARENA_ARRAY(arena, OrtTensor, count);
  for (size_t k = 0; k < count; k++) bound[k] = input(r, &ports[k]);
  const char *error = ort_bind(session, arena, bound, &call);
  if (!error) error = ort_call(call, arena);
  ck_assert_msg(!error, "%s", error);
  Draws d;
  ports = ort_outputs(session, &d.count);
  d.outputs = ARENA_ARRAY(arena, Named, d.count);
  for (size_t k = 0; k < d.count; k++) {
    OrtTensor t;
    error = ort_result(call, arena, k, &t);
    ck_assert_msg(!error, "%s", error);
    size_t n = (size_t)ort_count(&t) * ort_element_size(t.element);
    void *data = arena_alloc(arena, n + 1);
    if (n) memcpy(data, t.data, n);
    t.data = data;
    d.outputs[k] = (Named){arena_strdup(arena, ports[k].name), t};
  }
  ort_release(call);
  return d;
}

static OrtModel *session_of(const Model *m) {
  size_t size;
  OrtModel *session;
  Stan2onnxResult *r = compiled(m);
  const void *bytes = stan2onnx_output(r, &size);
  const char *error = ort_load_bytes(ort, arena, bytes, size, 1, &session);
  ck_assert_msg(!error, "%s\n%s", m->source, error);
  stan2onnx_free(r);
  return session;
}

static Draws run(const Model *m, const Run *r) {
  OrtModel *session = session_of(m);
  Draws d = run_session(session, r);
  ort_unload(session);
  return d;
}

static const OrtTensor *drawn(const Draws *d, const char *name) {
  for (size_t k = 0; k < d->count; k++)
    if (!strcmp(d->outputs[k].name, name)) return &d->outputs[k].tensor;
  ck_abort_msg("no output %s", name);
}

static const double *reals(const Draws *d, const char *name) { return drawn(d, name)->data; }
static const int64_t *integers(const Draws *d, const char *name) { return drawn(d, name)->data; }

static void check_same(const OrtTensor *x, const OrtTensor *y, const char *name) {
  ck_assert_int_eq(x->rank, y->rank);
  for (int k = 0; k < x->rank; k++) ck_assert_int_eq(x->dims[k], y->dims[k]);
  size_t n = (size_t)ort_count(x) * ort_element_size(x->element);
  ck_assert_msg(!memcmp(x->data, y->data, n), "%s differs", name);
}

/* ---- statistics of chains ---- */

typedef struct {
  double mean, sd; /* between chains */
  int64_t chains;
} Estimate;

static Estimate estimate(const double *values, int64_t chains) {
  Estimate e = {0, 0, chains};
  for (int64_t c = 0; c < chains; c++) e.mean += values[c] / (double)chains;
  for (int64_t c = 0; c < chains; c++) e.sd += pow(values[c] - e.mean, 2) / (double)(chains - 1);
  e.sd = sqrt(e.sd);
  return e;
}

/* Of values [chain, iteration, width]: statistics of element k of iterations from `first`, of each
 * chain. */
typedef double (*Statistic)(double mean, double variance);

static double mean_of(double mean, double variance) { return (void)variance, mean; }
static double log_mean(double mean, double variance) { return (void)variance, log(mean); }
static double log_spread(double mean, double variance) { return (void)mean, log(variance) / 2; }

static Estimate of_chains(const OrtTensor *t, int64_t first, int64_t k, Statistic f) {
  int64_t chains = t->dims[0], n = t->dims[1], width = t->rank > 2 ? t->dims[2] : 1;
  double *each = ARENA_ARRAY(arena, double, (size_t)chains);
  for (int64_t c = 0; c < chains; c++) {
    const double *x = (const double *)t->data + c * n * width + k;
    double mean = 0, square = 0;
    for (int64_t i = first; i < n; i++) mean += x[i * width] / (double)(n - first);
    for (int64_t i = first; i < n; i++) square += pow(x[i * width] - mean, 2) / (double)(n - first);
    each[c] = f(mean, square);
  }
  return estimate(each, chains);
}

/* How many standard errors two estimates are apart. */
static double distance(Estimate a, Estimate b) {
  double variance = a.sd * a.sd / (double)a.chains + b.sd * b.sd / (double)b.chains;
  return fabs(a.mean - b.mean) / sqrt(variance + 1e-12);
}

static void check_close(const char *what, Estimate ours, Estimate theirs) {
  double z = distance(ours, theirs);
  ck_assert_msg(z < 5, "%s: %g, but %g is right (%.1f standard errors)", what, ours.mean,
                theirs.mean, z);
}

static Estimate exactly(double x) { return (Estimate){x, 0, 1}; }

/* ---- moments ---- */

static const char *const pair =
    "parameters { vector[2] x; }\n"
    "transformed parameters { real product = (x[1] - 1) * (x[2] + 2); }\n"
    "model { x ~ multi_normal([1, -2]', [[4, 1.5], [1.5, 1]]); }";

/* Loops over engines, and over metrics within them. */
enum { METRICS = 3 };
static Stan2onnxMetric metric_of(int i) { return (Stan2onnxMetric)(i % METRICS); }
static Stan2onnxEngine engine_of(int i) { return (Stan2onnxEngine)(i / METRICS); }

START_TEST(correlated_normal) {
  Model m = {.source = pair, .data = "{}", .metric = metric_of(_i), .engine = engine_of(_i)};
  Run r = {
      .seed = 11, .chains = 24, .warmup = 300, .samples = 600, .engine = m.engine, .int_time = 1.5};
  Draws d = run(&m, &r);
  const OrtTensor *x = drawn(&d, "x"), *product = drawn(&d, "product");
  check_close("mean of x[1]", of_chains(x, 300, 0, mean_of), exactly(1));
  check_close("mean of x[2]", of_chains(x, 300, 1, mean_of), exactly(-2));
  check_close("covariance", of_chains(product, 300, 0, mean_of), exactly(1.5));
  for (int64_t k = 0; k < 2; k++) {
    Estimate spread = of_chains(x, 300, k, log_spread);
    ck_assert_double_le(fabs(spread.mean - log(k ? 1 : 2)), 0.06);
  }
  const OrtTensor *metric = drawn(&d, "inverse_metric");
  ck_assert_int_eq(metric->rank, m.metric == STAN2ONNX_METRIC_DENSE ? 3 : 2);
  const double *v = metric->data;
  if (m.metric == STAN2ONNX_METRIC_DENSE) {
    Estimate covariance = estimate((double[]){v[1], v[5], v[9], v[13], v[17], v[21]}, 6);
    ck_assert_double_le(fabs(covariance.mean - 1.5), 0.5);
    ck_assert(v[1] == v[2]);
  } else if (m.metric == STAN2ONNX_METRIC_UNIT) {
    for (int64_t k = 0; k < ort_count(metric); k++) ck_assert(v[k] == 1);
  } else {
    ck_assert_double_le(fabs(log(v[0] / 4)), 0.8);
  }
}
END_TEST

/* ---- the same draws ---- */

static const char *const schools = "data { int J; vector[J] y; vector<lower=0>[J] sigma; }\n"
                                   "parameters { real mu; real<lower=0> tau; vector[J] eta; }\n"
                                   "transformed parameters { vector[J] theta = mu + tau * eta; }\n"
                                   "model { mu ~ normal(0, 5); tau ~ cauchy(0, 5); eta ~ "
                                   "std_normal(); y ~ normal(theta, sigma); }";
static const char *const schools_data =
    "{\"J\": 8, \"y\": [28, 8, -3, 7, -1, 1, 18, 12], \"sigma\": [15, 10, 16, 11, 9, 11, 10, 18]}";

START_TEST(slices_make_one_run) {
  Model m = {
      .source = schools, .data = schools_data, .metric = metric_of(_i), .engine = engine_of(_i)};
  /* the first five to the last bit; what is computed of them may round otherwise among others */
  const char *const stacked[] = {"unconstrained_draws",
                                 "lp__",
                                 "stepsize__",
                                 m.engine ? "accept_stat__" : "n_leapfrog__",
                                 "energy__",
                                 "theta"};
  enum { STACKED = sizeof stacked / sizeof *stacked };
  static const int64_t lengths[] = {1, 74, 75, -1, 50, 100};
  OrtModel *session = session_of(&m);
  Run whole = {
      .seed = 5, .chains = 3, .warmup = 200, .samples = 100, .engine = m.engine, .int_time = 1.5};
  Draws all = run_session(session, &whole);
  Named state[] = {
      {"sampler_state", no_rows(ORT_F64, 1)}, {"sampler_keys", no_rows(ORT_I64, 2)}, {0}};
  int64_t done = 0;
  for (size_t s = 0; s < sizeof lengths / sizeof *lengths; s++) {
    Run slice = whole;
    slice.iterations = lengths[s];
    slice.inputs = state;
    slice.chains = s ? 99 : 3; /* later, the state tells */
    Draws part = run_session(session, &slice);
    int64_t n = lengths[s] > 0 ? lengths[s] : 0;
    for (int k = 0; k < STACKED; k++) {
      const OrtTensor *x = drawn(&all, stacked[k]), *y = drawn(&part, stacked[k]);
      int64_t width = x->rank > 2 ? x->dims[2] : 1;
      ck_assert_int_eq(y->dims[0], 3);
      ck_assert_int_eq(y->dims[1], n);
      for (int64_t i = 0; i < 3 * n * width; i++) {
        int64_t c = i / (n * width);
        double p = ((const double *)
                        x->data)[c * x->dims[1] * width + done * width + i % (n * width)],
               q = ((const double *)y->data)[i];
        ck_assert_msg(k < 5 ? p == q : fabs(p - q) <= 1e-12 * fabs(p),
                      "%s differs in the slice from iteration %d", stacked[k], (int)done);
      }
    }
    done += n;
    state[0].tensor = *drawn(&part, "next_sampler_state");
    state[1].tensor = *drawn(&part, "next_sampler_keys");
  }
  ck_assert_int_eq(done, 300);
  check_same(drawn(&all, "next_sampler_state"), &state[0].tensor, "the state");
  check_same(drawn(&all, "next_sampler_keys"), &state[1].tensor, "the keys");
  ort_unload(session);
}
END_TEST

START_TEST(chains_do_not_know_each_other) {
  Model m = {.source = schools, .data = schools_data, .engine = (Stan2onnxEngine)_i};
  Run r = {
      .seed = 6, .chains = 6, .warmup = 60, .samples = 40, .engine = m.engine, .int_time = 0.7};
  Draws many = run(&m, &r);
  const double *x = reals(&many, "unconstrained_draws");
  ck_assert(x[0] != x[100 * 10]);
  for (r.chains = 1; r.chains < 4; r.chains++) {
    Draws few = run(&m, &r);
    const double *y = reals(&few, "unconstrained_draws");
    /* kernels may round an element otherwise among others: that much is allowed */
    for (int64_t i = 0; i < 10 * 10; i++) ck_assert_double_le(fabs(x[i] - y[i]), 1e-9);
  }
}
END_TEST

START_TEST(forms_of_a_model_agree) {
  static const double y[] = {28, 8, -3, 7, -1, 1, 18, 12},
                      sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
  Named data[] = {{"J", number(8)},
                  {"y", tensor(ORT_F64, 1, 8, 0, y)},
                  {"sigma", tensor(ORT_F64, 1, 8, 0, sigma)},
                  {"init", no_rows(ORT_F64, 10)},
                  {0}};
  Model baked = {.source = schools, .data = schools_data, .engine = (Stan2onnxEngine)_i},
        forms[] = {baked, baked};
  Run r = {.seed = 7,
           .chains = 2,
           .warmup = 30,
           .samples = 20,
           .inputs = data,
           .engine = baked.engine,
           .int_time = 0.7};
  forms[0].data = NULL;
  forms[1].prob = true;
  Draws a = run(&baked, &r);
  const double *x = reals(&a, "unconstrained_draws");
  for (int f = 0; f < 2; f++) {
    Draws b = run(&forms[f], &r);
    const double *z = reals(&b, "unconstrained_draws");
    for (int64_t i = 0; i < 15 * 10; i++) ck_assert_double_le(fabs(x[i] - z[i]), 1e-8);
  }
}
END_TEST

/* ---- where it starts ---- */

START_TEST(starts_where_it_is_told) {
  Model m = {.source = pair, .data = "{}", .engine = (Stan2onnxEngine)_i};
  static const double points[] = {1, 2, 30, -40};
  Named inputs[] = {{"init", tensor(ORT_F64, 2, 2, 2, points)}, {0}};
  Run r = {.seed = 1,
           .chains = 9,
           .warmup = 0,
           .samples = 1,
           .step = 1e-3,
           .max_depth = 1,
           .engine = m.engine,
           .int_time = 1e-3,
           .inputs = inputs};
  Draws d = run(&m, &r);
  ck_assert_int_eq(drawn(&d, "x")->dims[0], 2);
  for (int k = 0; k < 4; k++) ck_assert_double_le(fabs(reals(&d, "x")[k] - points[k]), 0.1);
  for (int k = 0; k < 2; k++) {
    ck_assert(reals(&d, "stepsize")[k] == 1e-3);
    if (m.engine) ck_assert(reals(&d, "int_time__")[k] == 1e-3);
    if (!m.engine) ck_assert(reals(&d, "n_leapfrog__")[k] == 1);
  }
}
END_TEST

START_TEST(nowhere_to_start) {
  Model m = {.source =
                 "parameters { real x; } model { x ~ normal(0, 1); if (x < 100) reject(\"\"); }",
             .data = "{}",
             .engine = (Stan2onnxEngine)_i};
  Run r = {
      .seed = 1, .chains = 2, .warmup = 170, .samples = 10, .engine = m.engine, .int_time = 1e-2};
  Draws d = run(&m, &r);
  for (int c = 0; c < 2; c++) ck_assert_int_eq(integers(&d, "status")[c], 1);
  for (int i = 0; i < 2 * 180; i++) ck_assert(isnan(reals(&d, "x")[i]));
  /* a point that is given is tried once; that of another chain is good */
  static const double points[] = {0, 101};
  Named inputs[] = {{"init", tensor(ORT_F64, 2, 2, 1, points)}, {0}};
  r.inputs = inputs;
  d = run(&m, &r);
  ck_assert_int_eq(integers(&d, "status")[0], 1);
  ck_assert_int_eq(integers(&d, "status")[1], 0);
  for (int i = 0; i < 180; i++) {
    ck_assert(isnan(reals(&d, "x")[i]));
    ck_assert(reals(&d, "x")[180 + i] >= 100);
  }
}
END_TEST

/* One of eight points is good: with a hundred attempts every chain finds one. */
START_TEST(tries_until_it_can_start) {
  Model m = {.source = "parameters { vector[3] x; } model { x ~ normal(1, 1); "
                       "for (k in 1:3) if (x[k] < 0) reject(\"\"); }",
             .data = "{}",
             .engine = (Stan2onnxEngine)_i};
  Run r = {
      .seed = 2, .chains = 20, .warmup = 10, .samples = 10, .engine = m.engine, .int_time = 1e-9};
  Draws d = run(&m, &r);
  for (int c = 0; c < 20; c++) ck_assert_int_eq(integers(&d, "status")[c], 0);
  for (int i = 0; i < 20 * 20 * 3; i++) ck_assert(reals(&d, "x")[i] >= 0);
}
END_TEST

/* A flat density has no scale. */
START_TEST(no_step_size) {
  Model m = {
      .source = "parameters { real x; } model { }", .data = "{}", .engine = (Stan2onnxEngine)_i};
  Run r = {.seed = 1, .chains = 1, .warmup = 20, .samples = 5, .engine = m.engine, .int_time = 1};
  Draws d = run(&m, &r);
  ck_assert_int_eq(integers(&d, "status")[0], 2);
  ck_assert(isnan(reals(&d, "x")[24]));
}
END_TEST

START_TEST(nothing_to_sample) {
  Model m = {.source = "generated quantities { real z = 1; }",
             .data = "{}",
             .engine = (Stan2onnxEngine)_i};
  Run r = {.seed = 1, .chains = 2, .warmup = 30, .samples = 10, .engine = m.engine, .int_time = 1};
  Draws d = run(&m, &r);
  const OrtTensor *x = drawn(&d, "unconstrained_draws");
  ck_assert(x->dims[0] == 2 && x->dims[1] == 40 && x->dims[2] == 0);
  for (int c = 0; c < 2; c++) ck_assert_int_eq(integers(&d, "status")[c], 0);
}
END_TEST

/* ---- trajectories ---- */

START_TEST(depth_is_limited) {
  Model m = {.source = "parameters { vector[2] x; } model { x ~ normal(0, [1, 1000]'); }",
             .data = "{}",
             .metric = STAN2ONNX_METRIC_UNIT};
  int depth = _i;
  Draws d = run(&m, &(Run){.seed = 1, .chains = 2, .samples = 20, .step = 0.2, .max_depth = depth});
  bool reached = false;
  for (int i = 0; i < 40; i++) {
    double n = reals(&d, "n_leapfrog__")[i];
    ck_assert_double_le(n, pow(2, depth) - 1);
    ck_assert_double_le(reals(&d, "treedepth__")[i], depth);
    reached |= n == pow(2, depth) - 1;
  }
  ck_assert(reached);
}
END_TEST

START_TEST(divergences_are_told) {
  Model m = {.source = "parameters { real y; vector[9] x; } "
                       "model { y ~ normal(0, 3); x ~ normal(0, exp(y / 2)); }",
             .data = "{}"};
  Draws d = run(&m, &(Run){.seed = 3, .chains = 4, .warmup = 200, .samples = 300});
  double count = 0;
  for (int c = 0; c < 4; c++)
    for (int i = 200; i < 500; i++) count += reals(&d, "divergent__")[c * 500 + i];
  ck_assert(count > 0 && count < 600);
}
END_TEST

/* What L leapfrog steps do to a standard normal's point x and momentum p is known: a turn by L
 * times an angle that the step size tells. So the momentum of a transition can be told from its
 * ends, and its energy and acceptance then tell of how many steps it was. */
typedef struct {
  double c, s, k; /* cosine and sine of the turn; how much shorter momenta are than positions */
} Turn;

static Turn turn_of(double step, double steps) {
  double angle = acos(1 - step * step / 2);
  return (Turn){cos(steps * angle), sin(steps * angle), sqrt(1 - step * step / 4)};
}

START_TEST(steps_fill_the_integration_time) {
  enum { CHAINS = 6, LENGTH = 200 };
  static const double times[] = {0.4, 3, 6.283185307179586, 20};
  double time = times[_i];
  int checked = 0, partial = 0;
  Model m = {.source = "parameters { real x; } model { x ~ std_normal(); }",
             .data = "{}",
             .metric = STAN2ONNX_METRIC_UNIT,
             .engine = STAN2ONNX_ENGINE_STATIC};
  Run r = {.seed = 21, .engine = m.engine, .chains = CHAINS, .warmup = LENGTH, .int_time = time};
  Draws d = run(&m, &r);
  for (int c = 0; c < CHAINS; c++)
    for (int i = 1; i < LENGTH; i++) {
      int at = c * LENGTH + i;
      double x = reals(&d, "x")[at - 1], y = reals(&d, "x")[at];
      double step = reals(&d, "stepsize__")[at], steps = fmax(floor(time / step), 1);
      ck_assert(reals(&d, "int_time__")[at] == time);
      Turn t = turn_of(step, steps);
      if (x == y || step > 1.9 || fabs(t.s) < 0.05) continue; /* stays, or tells nothing */
      double p = (y - x * t.c) * t.k / t.s, q = p * t.c - x * t.s * t.k;
      double start = (x * x + p * p) / 2, end = (y * y + q * q) / 2;
      ck_assert_double_eq_tol(reals(&d, "energy__")[at], end, 1e-8 * (1 + end));
      ck_assert_double_eq_tol(reals(&d, "accept_stat__")[at], fmin(exp(start - end), 1), 1e-8);
      checked++;
      partial += fmod(steps, 8) != 0;
    }
  ck_assert_int_gt(checked, CHAINS * LENGTH / 2);
  ck_assert_int_gt(partial, checked / 2);
}
END_TEST

/* ---- against Stan ---- */

static json_t *stan;

static double json_number_at(const json_t *v, size_t k) {
  return json_number_value(json_is_array(v) ? json_array_get(v, k) : v);
}

static Estimate theirs(const json_t *model, const char *key, size_t k) {
  const json_t *v = json_object_get(model, key);
  return (Estimate){json_number_at(json_array_get(v, 0), k),
                    json_number_at(json_array_get(v, 1), k),
                    (int64_t)json_integer_value(json_object_get(model, "chains"))};
}

static const char *source_of(const char *name) {
  const char *path = arena_printf(arena, STAN2ONNX_SOURCE_DIR "/testdata/sampling/%s.stan", name);
  FILE *f = fopen(path, "rb");
  ck_assert_msg(f != NULL, "%s", path);
  char *text = arena_alloc(arena, 1 << 16);
  size_t n = fread(text, 1, (1 << 16) - 1, f);
  text[n] = 0;
  fclose(f);
  return text;
}

static Estimate of_logarithms(const double *x, int64_t chains, int64_t width, int64_t k) {
  double *each = ARENA_ARRAY(arena, double, (size_t)chains);
  for (int64_t c = 0; c < chains; c++) each[c] = log(x[c * width + k]);
  return estimate(each, chains);
}

static void check_adapted(const char *name, const json_t *model) {
  enum { CHAINS = 24, LENGTH = 1000 };
  Model m = {.source = source_of(name), .data = "{}"};
  Draws d = run(&m, &(Run){.seed = 8, .chains = CHAINS, .warmup = LENGTH, .samples = LENGTH});
  const OrtTensor *x = drawn(&d, "unconstrained_draws");
  int64_t width = x->dims[2];
  check_close("step size", of_logarithms(reals(&d, "stepsize"), CHAINS, 1, 0),
              theirs(model, "stepsize", 0));
  check_close("points", of_chains(drawn(&d, "n_leapfrog__"), LENGTH, 0, log_mean),
              theirs(model, "leapfrogs", 0));
  check_close("acceptance", of_chains(drawn(&d, "accept_stat__"), LENGTH, 0, mean_of),
              theirs(model, "accept", 0));
  check_close("divergence", of_chains(drawn(&d, "divergent__"), LENGTH, 0, mean_of),
              theirs(model, "divergent", 0));
  for (int64_t k = 0; k < width; k++) {
    check_close("metric", of_logarithms(reals(&d, "inverse_metric"), CHAINS, width, k),
                theirs(model, "metric", (size_t)k));
    check_close("mean", of_chains(x, LENGTH, k, mean_of), theirs(model, "mean", (size_t)k));
    check_close("spread", of_chains(x, LENGTH, k, log_spread), theirs(model, "spread", (size_t)k));
  }
}

/* How often trajectories had each number of points. Those of a chain hang together, so that this is
 * no more than a bound on how far apart the shares are. */
static void check_points(const json_t *fixed, const OrtTensor *points, int64_t first) {
  double all = 0, ours_of_all = 0, *ours = ARENA_ARRAY(arena, double, 1024);
  size_t k;
  json_t *pair_of;
  for (int64_t c = 0; c < points->dims[0]; c++)
    for (int64_t i = first; i < points->dims[1]; i++) {
      ours[(int)((const double *)points->data)[c * points->dims[1] + i]]++;
      ours_of_all++;
    }
  json_array_foreach(fixed, k, pair_of) all += json_number_at(pair_of, 1);
  json_array_foreach(fixed, k, pair_of) {
    double share = json_number_at(pair_of, 1) / all,
           mine = ours[(int)json_number_at(pair_of, 0)] / ours_of_all;
    double error = sqrt(share * (1 - share) * (1 / all + 1 / ours_of_all));
    ck_assert_msg(fabs(mine - share) < 12 * error + 1e-3, "%d points: %g, but Stan has %g",
                  (int)json_number_at(pair_of, 0), mine, share);
  }
}

static void check_fixed(const char *name, const json_t *fixed) {
  enum { CHAINS = 24, WARMUP = 200, LENGTH = 1000 };
  Model m = {.source = source_of(name), .data = "{}", .metric = STAN2ONNX_METRIC_UNIT};
  double step = json_number_value(json_object_get(fixed, "stepsize"));
  Draws d = run(&m, &(Run){.seed = 9, .chains = CHAINS, .samples = WARMUP + LENGTH, .step = step});
  check_close("points", of_chains(drawn(&d, "n_leapfrog__"), WARMUP, 0, mean_of),
              theirs(fixed, "leapfrogs", 0));
  check_close("acceptance", of_chains(drawn(&d, "accept_stat__"), WARMUP, 0, mean_of),
              theirs(fixed, "accept", 0));
  check_close("divergence", of_chains(drawn(&d, "divergent__"), WARMUP, 0, mean_of),
              theirs(fixed, "divergent", 0));
  check_points(json_object_get(fixed, "points"), drawn(&d, "n_leapfrog__"), WARMUP);
}

static void check_moments(const Draws *d, int64_t first, const json_t *expected) {
  const OrtTensor *x = drawn(d, "unconstrained_draws");
  check_close("acceptance", of_chains(drawn(d, "accept_stat__"), first, 0, mean_of),
              theirs(expected, "accept", 0));
  for (int64_t k = 0; k < x->dims[2]; k++) {
    check_close("mean", of_chains(x, first, k, mean_of), theirs(expected, "mean", (size_t)k));
    check_close("spread", of_chains(x, first, k, log_spread),
                theirs(expected, "spread", (size_t)k));
  }
}

static void check_static(const char *name, const json_t *expected) {
  enum { CHAINS = 24, LENGTH = 1000 };
  Model m = {.source = source_of(name), .data = "{}", .engine = STAN2ONNX_ENGINE_STATIC};
  Run r = {.seed = 10, .engine = m.engine, .chains = CHAINS, .warmup = LENGTH, .samples = LENGTH};
  r.int_time = json_number_value(json_object_get(expected, "int_time"));
  Draws d = run(&m, &r);
  int64_t width = drawn(&d, "inverse_metric")->dims[1];
  check_close("step size", of_logarithms(reals(&d, "stepsize"), CHAINS, 1, 0),
              theirs(expected, "stepsize", 0));
  for (int64_t k = 0; k < width; k++)
    check_close("metric", of_logarithms(reals(&d, "inverse_metric"), CHAINS, width, k),
                theirs(expected, "metric", (size_t)k));
  check_moments(&d, LENGTH, expected);
}

/* The share of draws that are not the one before. */
static Estimate moves(const OrtTensor *x, int64_t first) {
  int64_t chains = x->dims[0], n = x->dims[1], width = x->dims[2];
  double *each = ARENA_ARRAY(arena, double, (size_t)chains);
  for (int64_t c = 0; c < chains; c++) {
    const double *at = (const double *)x->data + c * n * width;
    for (int64_t i = first + 1; i < n; i++)
      each[c] += (at[i * width] != at[(i - 1) * width]) / (double)(n - first - 1);
  }
  return estimate(each, chains);
}

static void check_static_fixed(const char *name, const json_t *expected) {
  enum { CHAINS = 24, WARMUP = 200, LENGTH = 1000 };
  Model m = {.source = source_of(name),
             .data = "{}",
             .metric = STAN2ONNX_METRIC_UNIT,
             .engine = STAN2ONNX_ENGINE_STATIC};
  Run r = {.seed = 12, .engine = m.engine, .chains = CHAINS, .samples = WARMUP + LENGTH};
  r.int_time = json_number_value(json_object_get(expected, "int_time"));
  r.step = json_number_value(json_object_get(expected, "stepsize"));
  Draws d = run(&m, &r);
  check_moments(&d, WARMUP, expected);
  check_close("moves", moves(drawn(&d, "unconstrained_draws"), WARMUP),
              theirs(expected, "moves", 0));
  check_close("energy", of_chains(drawn(&d, "energy__"), WARMUP, 0, mean_of),
              theirs(expected, "energy", 0));
}

START_TEST(samples_as_stan) {
  const char *name;
  json_t *model;
  int k = 0;
  json_object_foreach(json_object_get(stan, "models"), name, model) {
    if (k++ != _i) continue;
    printf("%s\n", name); /* so that a failure tells of which model it is */
    check_adapted(name, model);
    const json_t *fixed = json_object_get(model, "fixed");
    if (fixed) check_fixed(name, fixed);
    const json_t *expected = json_object_get(model, "static");
    if (expected) check_static(name, expected);
    expected = json_object_get(model, "static_fixed");
    if (expected) check_static_fixed(name, expected);
  }
}
END_TEST

/* ---- the suite ---- */

static int run_suite(void) {
  Suite *s = suite_create("samplers");
  TCase *c = tcase_create("samplers");
  tcase_add_checked_fixture(c, begin, finish);
  tcase_set_timeout(c, 0);
  tcase_add_loop_test(c, correlated_normal, 0, ENGINES * METRICS);
  tcase_add_loop_test(c, slices_make_one_run, 0, ENGINES * METRICS);
  tcase_add_loop_test(c, chains_do_not_know_each_other, 0, ENGINES);
  tcase_add_loop_test(c, forms_of_a_model_agree, 0, ENGINES);
  tcase_add_loop_test(c, starts_where_it_is_told, 0, ENGINES);
  tcase_add_loop_test(c, nowhere_to_start, 0, ENGINES);
  tcase_add_loop_test(c, tries_until_it_can_start, 0, ENGINES);
  tcase_add_loop_test(c, no_step_size, 0, ENGINES);
  tcase_add_loop_test(c, nothing_to_sample, 0, ENGINES);
  tcase_add_loop_test(c, steps_fill_the_integration_time, 0, 4);
  tcase_add_loop_test(c, depth_is_limited, 1, 8);
  tcase_add_test(c, divergences_are_told);
  tcase_add_loop_test(c, samples_as_stan, 0,
                      (int)json_object_size(json_object_get(stan, "models")));
  suite_add_tcase(s, c);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void) {
  Arena *a = arena_new();
  json_error_t wrong;
  stan = json_load_file(STAN2ONNX_SOURCE_DIR "/testdata/sampling/stan.json", 0, &wrong);
  const char *error = ort_open(a, ort_find(a, NULL, NULL), &ort);
  int status = SKIPPED;
  if (error) {
    fprintf(stderr, "SKIPPED, for want of ONNX Runtime: %s\n", error);
  } else if (!stan) {
    fprintf(stderr, "%s\n", wrong.text);
    status = EXIT_FAILURE;
  } else {
    status = run_suite();
    ort_close(ort);
  }
  json_decref(stan);
  arena_free(a);
  return status;
}
