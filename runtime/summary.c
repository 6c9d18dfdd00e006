#include "runtime/summary.h"

#include "runtime/columns.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static const double RHAT_LIMIT = 1.01, ENERGY_LIMIT = 0.3;
static const double ESS_PER_CHAIN = 100;
enum { MAX_THREADS = 64, COLUMNS_A_THREAD = 64 };

/* ---- estimates ---- */

/* A thread's share: every step-th column from the first. */
typedef struct {
  const Summary *summary;
  size_t first, step;
  pthread_t thread;
} Share;

static void *estimate_share(void *argument) {
  Share *share = argument;
  const Summary *s = share->summary;
  Arena *a = arena_new();
  jmp_buf escape;
  if (a && setjmp(escape) == 0) { /* without memory its estimates stay NaN */
    arena_on_exhaustion(a, &escape);
    Convergence *c = convergence_new(a, s->chains, s->draws);
    const double **chains = ARENA_ARRAY(a, const double *, s->chains + 1);
    for (size_t k = share->first; k < s->columns; k += share->step) {
      for (size_t j = 0; j < s->chains; j++) chains[j] = draws_of(s->of, k, j);
      convergence_estimate(c, chains, &s->estimates[k]);
    }
  }
  arena_free(a);
  return NULL;
}

/* Shares that get no thread are done here. */
static void estimate_all(const Summary *s, size_t threads) {
  Share shares[MAX_THREADS];
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  if (threads > s->columns / COLUMNS_A_THREAD + 1) threads = s->columns / COLUMNS_A_THREAD + 1;
  size_t started = 1;
  for (size_t k = 0; k < threads; k++) shares[k] = (Share){s, k, threads, pthread_self()};
  for (; started < threads; started++)
    if (pthread_create(&shares[started].thread, NULL, estimate_share, &shares[started]) != 0) break;
  estimate_share(&shares[0]);
  for (size_t k = started; k < threads; k++) estimate_share(&shares[k]);
  for (size_t k = 1; k < started; k++) pthread_join(shares[k].thread, NULL);
}

static int64_t count_if(const Draws *d, size_t draws, const char *name, double least) {
  size_t column = draws_find(d, name);
  int64_t n = 0;
  for (size_t k = 0; column < d->columns && k < d->chains; k++)
    for (size_t i = 0; i < draws; i++) n += draws_of(d, column, k)[i] >= least;
  return n;
}

void summarise(Arena *a, const Draws *draws, int64_t max_depth, double delta, int threads,
               Summary *out) {
  *out = (Summary){.columns = draws->columns,
                   .chains = draws->chains,
                   .draws = draws_common(draws),
                   .of = draws,
                   .max_depth = max_depth,
                   .delta = delta};
  out->estimates = ARENA_ARRAY(a, Estimates, draws->columns + 1);
  for (size_t k = 0; k < draws->columns; k++)
    out->estimates[k] = (Estimates){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  if (draws->chains && out->draws) estimate_all(out, threads < 1 ? 1 : (size_t)threads);
  out->tells_divergences = draws_find(draws, "divergent__") < draws->columns;
  out->divergences = count_if(draws, out->draws, "divergent__", 1);
  if (max_depth > 0) out->deep = count_if(draws, out->draws, "treedepth__", (double)max_depth);
  size_t energy = draws_find(draws, "energy__");
  if (energy == draws->columns) return;
  out->energy_fractions = ARENA_ARRAY(a, double, draws->chains + 1);
  for (size_t k = 0; k < draws->chains; k++)
    out->energy_fractions[k] = energy_fraction(draws_of(draws, energy, k), out->draws);
}

/* ---- warnings ---- */

static double percent(int64_t n, const Summary *s) {
  return 100 * (double)n / ((double)s->chains * (double)s->draws);
}

/* Statistics of the sampler are no quantities, but for the log density. */
static bool is_quantity(const char *name) {
  size_t n = strlen(name);
  return n < 2 || strcmp(name + n - 2, "__") != 0 || strcmp(name, "lp__") == 0;
}

static void warn_divergences(Text *out, const Summary *s) {
  if (!s->divergences) return;
  text_printf(
      out,
      "%lld of %zu transitions diverged (%.2g %%): the sampler does not get everywhere, and "
      "estimates may be biased. ",
      (long long)s->divergences, s->chains * s->draws, percent(s->divergences, s));
  if (s->delta > 0 && s->delta < 0.99)
    text_printf(out, "Raise --adapt-delta from %g to %g", s->delta, s->delta < 0.95 ? 0.95 : 0.99);
  else
    text_add(out, "Raise --adapt-delta");
  text_add(out,
           "; where that does not end them, reparameterise (a hierarchical effect as mean plus "
           "scale times a standard normal).\n");
}

static void warn_depth(Text *out, const Summary *s) {
  if (!s->deep) return;
  text_printf(out,
              "%lld of %zu trajectories ended at the maximum tree depth of %lld (%.2g %%): slower "
              "than need be, not biased. Rescale parameters that differ much in scale, try "
              "--metric dense, or raise --max-treedepth.\n",
              (long long)s->deep, s->chains * s->draws, (long long)s->max_depth,
              percent(s->deep, s));
}

static void warn_energy(Text *out, const Summary *s) {
  size_t low = 0;
  Text chains = text_new(out->arena);
  for (size_t k = 0; s->energy_fractions && k < s->chains; k++)
    if (s->energy_fractions[k] < ENERGY_LIMIT)
      text_printf(&chains, "%s%zu (%.2f)", low++ ? ", " : "", k + 1, s->energy_fractions[k]);
  if (!low) return;
  text_printf(
      out,
      "The energy of chain%s %s changes too little from draw to draw (E-BFMI below %g): tails "
      "are explored slowly. Reparameterise heavy-tailed or funnel-shaped parts, or warm up "
      "longer.\n",
      low > 1 ? "s" : "", chains.data, ENERGY_LIMIT);
}

/* The quantities whose value is beyond a limit, and the worst of them. */
typedef struct {
  size_t count, worst;
  double value;
} Beyond;

static void see(Beyond *b, size_t column, double excess, double value) {
  if (!(excess > 0)) return;
  if (!b->count++ || (excess > 0 && fabs(value - 1) > fabs(b->value - 1))) {
    b->worst = column;
    b->value = value;
  }
}

static void warn_rhat(Text *out, const Summary *s) {
  Beyond b = {0};
  for (size_t k = 0; k < s->columns; k++)
    if (is_quantity(s->of->names[k]))
      see(&b, k, s->estimates[k].rhat - RHAT_LIMIT, s->estimates[k].rhat);
  if (!b.count) return;
  text_printf(out,
              "Chains disagree about %zu quantit%s (R-hat above %g, the worst %s with %.3f): run "
              "longer (--warmup, --samples); where that does not help, the posterior may have "
              "several modes or parameters that the data do not tell apart.\n",
              b.count, b.count > 1 ? "ies" : "y", RHAT_LIMIT,
              column_label(out->arena, s->of->names[b.worst]), b.value);
}

static void warn_size(Text *out, const Summary *s) {
  double needed = ESS_PER_CHAIN * (double)s->chains, least = INFINITY;
  size_t count = 0, worst = 0;
  for (size_t k = 0; k < s->columns; k++) {
    double n = fmin(s->estimates[k].ess_bulk, s->estimates[k].ess_tail);
    if (!is_quantity(s->of->names[k]) || !(n < needed)) continue;
    count++;
    if (n < least) least = n, worst = k;
  }
  if (!count) return;
  text_printf(
      out,
      "%zu quantit%s fewer than %g effective draws a chain (the least: %s with %.0f in all): "
      "estimates and their errors are rough. Draw more (--samples).\n",
      count, count > 1 ? "ies have" : "y has", ESS_PER_CHAIN,
      column_label(out->arena, s->of->names[worst]), least);
}

void print_warnings(Text *out, const Summary *s) {
  size_t before = out->length;
  warn_divergences(out, s);
  warn_depth(out, s);
  warn_energy(out, s);
  warn_rhat(out, s);
  warn_size(out, s);
  if (out->length == before)
    text_printf(out, "No problems: %schains agree, effective sample sizes suffice.\n",
                s->tells_divergences ? "no divergences, " : "");
}

/* ---- the table ---- */

/* With as many decimals as three digits of `scale` have, so that a mean of 12345.678 known to 0.01
 * is not 1.23e+04, and one known to 100 is not 12345.678. */
static void add_cell(Text *out, double x, double scale) {
  scale = fabs(scale);
  if (isnan(x))
    text_printf(out, " %9s", "-");
  else if (!(scale > 1e-5) || fabs(x) >= 1e7 || scale >= 1e7)
    text_printf(out, " %9.3g", x);
  else
    text_printf(out, " %9.*f", scale >= 100 ? 0 : 2 - (int)floor(log10(scale)), x);
}

static void add_count(Text *out, double x) {
  if (isnan(x))
    text_printf(out, " %8s", "-");
  else
    text_printf(out, " %8.0f", x);
}

static void add_row(Text *out, int width, const char *label, const Estimates *e) {
  text_printf(out, "%-*s", width, label);
  double scale = isnan(e->sd) ? e->mean : e->sd;
  add_cell(out, e->mean, fmin(10 * fmax(e->mcse, 1e-6 * scale), scale));
  add_cell(out, e->mcse, e->mcse);
  add_cell(out, e->sd, scale);
  add_cell(out, e->median, scale);
  add_cell(out, e->q5, scale);
  add_cell(out, e->q95, scale);
  add_count(out, e->ess_bulk);
  add_count(out, e->ess_tail);
  if (isnan(e->rhat))
    text_printf(out, " %7s\n", "-");
  else
    text_printf(out, " %7.3f\n", e->rhat);
}

void print_estimates(Text *out, const Summary *s, size_t rows) {
  Arena *a = out->arena;
  size_t shown = 0, hidden = 0;
  int width = 8;
  for (size_t k = 0; k < s->columns; k++) {
    if (!is_quantity(s->of->names[k])) continue;
    int n = (int)strlen(column_label(a, s->of->names[k]));
    if (shown++ < rows && n > width) width = n;
  }
  text_printf(out, "%-*s %9s %9s %9s %9s %9s %9s %8s %8s %7s\n", width, "", "mean", "mcse", "sd",
              "median", "5%", "95%", "ESS bulk", "ESS tail", "R-hat");
  shown = 0;
  for (size_t k = 0; k < s->columns; k++) {
    if (!is_quantity(s->of->names[k])) continue;
    if (shown < rows) {
      add_row(out, width, column_label(a, s->of->names[k]), &s->estimates[k]);
      shown++;
    } else {
      hidden++;
    }
  }
  if (hidden) text_printf(out, "... and %zu more (all of them with --json)\n", hidden);
}

void print_summary(Text *out, const Summary *s, size_t rows) {
  print_estimates(out, s, rows);
  text_add(out, "\n");
  print_warnings(out, s);
}

/* ---- JSON ---- */

static void add_member(Text *out, const char *name, double x, const char *after) {
  text_printf(out, "\"%s\": ", name);
  if (isfinite(x))
    text_add_double(out, x);
  else
    text_add(out, "null");
  text_add(out, after);
}

static void add_estimates_json(Text *out, const char *name, const Estimates *e) {
  text_add(out, "{\"name\": ");
  text_add_json_string(out, column_label(out->arena, name));
  text_add(out, ", ");
  add_member(out, "mean", e->mean, ", ");
  add_member(out, "mcse", e->mcse, ", ");
  add_member(out, "sd", e->sd, ", ");
  add_member(out, "median", e->median, ", ");
  add_member(out, "q5", e->q5, ", ");
  add_member(out, "q95", e->q95, ", ");
  add_member(out, "ess_bulk", e->ess_bulk, ", ");
  add_member(out, "ess_tail", e->ess_tail, ", ");
  add_member(out, "rhat", e->rhat, "}");
}

void print_summary_json(Text *out, const Summary *s) {
  bool first = true;
  text_printf(out, "{\"chains\": %zu, \"draws\": %zu, \"quantities\": [", s->chains, s->draws);
  for (size_t k = 0; k < s->columns; k++) {
    if (!is_quantity(s->of->names[k])) continue;
    text_add(out, first ? "" : ",\n  ");
    first = false;
    add_estimates_json(out, s->of->names[k], &s->estimates[k]);
  }
  text_add(out, "],\n ");
  if (s->tells_divergences)
    text_printf(out, "\"divergences\": %lld, \"max_treedepth_hits\": %lld, ",
                (long long)s->divergences, (long long)s->deep);
  text_add(out, "\"ebfmi\": [");
  for (size_t k = 0; s->energy_fractions && k < s->chains; k++) {
    text_add(out, k ? ", " : "");
    if (isfinite(s->energy_fractions[k]))
      text_add_double(out, s->energy_fractions[k]);
    else
      text_add(out, "null");
  }
  Text words = text_new(out->arena);
  print_warnings(&words, s);
  text_add(out, "],\n \"diagnosis\": ");
  text_add_json_string(out, words.data);
  text_add(out, "}\n");
}
