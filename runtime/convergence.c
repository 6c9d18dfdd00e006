#include "runtime/convergence.h"

#include "runtime/fourier.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MIN_DRAWS = 4 };

typedef struct {
  uint64_t key; /* in the order of the numbers */
  size_t at;
} Ranked;

struct Convergence {
  size_t chains, draws;
  size_t half,
      pieces; /* chains are split in two; of an odd number of draws the middle is left out */
  Fourier fourier;
  double *all;            /* the draws, sorted */
  double *split, *scaled; /* [pieces][half] */
  double *scores;         /* normal score of twice a rank */
  double *re, *im, *sum;  /* of the transforms */
  double *covariance;     /* autocovariance, the mean over the pieces */
  double *rho;
  Ranked *ranked, *spare;
};

/* ---- the normal quantile ---- */

static double polynomial(const double *c, int count, double x) {
  double y = c[count - 1];
  for (int k = count - 2; k >= 0; k--) y = y * x + c[k];
  return y;
}

/* Rational approximations of Wichura, "Algorithm AS 241" (1988), to 1e-16. */
double normal_quantile(double p) {
  static const double central[2][8] = {
      {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
       1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
       3.3430575583588128105e+4, 2.5090809287301226727e+3},
      {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
       2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
       5.2264952788528545610e+3}};
  static const double middle[2][8] = {
      {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
       3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
       2.27238449892691845833e-2, 7.74545014278341407640e-4},
      {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
       1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
       1.05075007164441684324e-9}};
  static const double tail[2][8] = {
      {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
       2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
       2.71155556874348757815e-5, 2.01033439929228813265e-7},
      {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
       7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
       2.04426310338993978564e-15}};
  double q = p - 0.5;
  if (fabs(q) <= 0.425) {
    double r = 0.180625 - q * q;
    return q * polynomial(central[0], 8, r) / polynomial(central[1], 8, r);
  }
  double r = sqrt(-log(q < 0 ? p : 1 - p));
  const double(*c)[8] = r <= 5 ? middle : tail;
  r -= r <= 5 ? 1.6 : 5;
  double x = polynomial(c[0], 8, r) / polynomial(c[1], 8, r);
  return q < 0 ? -x : x;
}

/* ---- sorting and ranks ---- */

/* An integer that orders as the number does. */
static uint64_t sort_key(double x) {
  uint64_t bits;
  x += 0.0; /* -0 is 0 */
  memcpy(&bits, &x, sizeof bits);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double key_number(uint64_t key) {
  double x;
  uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Sorts c->ranked by radix, a byte at a time. */
static void sort(Convergence *c, size_t n) {
  size_t counts[8][256] = {{0}};
  for (size_t i = 0; i < n; i++)
    for (int d = 0; d < 8; d++) counts[d][c->ranked[i].key >> 8 * d & 255]++;
  for (int d = 0; d < 8; d++) {
    if (counts[d][c->ranked[0].key >> 8 * d & 255] == n) continue; /* all have the same byte */
    size_t places[256], total = 0;
    for (int b = 0; b < 256; b++) {
      places[b] = total;
      total += counts[d][b];
    }
    for (size_t i = 0; i < n; i++)
      c->spare[places[c->ranked[i].key >> 8 * d & 255]++] = c->ranked[i];
    Ranked *swap = c->ranked;
    c->ranked = c->spare;
    c->spare = swap;
  }
}

static void sort_numbers(Convergence *c, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) c->ranked[i] = (Ranked){sort_key(x[i]), i};
  sort(c, n);
}

/* Into c->scaled the normal scores of the ranks of the pieces' numbers; equal ones share the mean
 * of their ranks. */
static void rank_normalise(Convergence *c, const double *x) {
  size_t n = c->pieces * c->half;
  sort_numbers(c, x, n);
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && c->ranked[end].key == c->ranked[i].key;) end++;
    for (size_t k = i; k < end; k++) c->scaled[c->ranked[k].at] = c->scores[i + end + 1];
  }
}

/* Of sorted numbers, as R's type 7. */
static double quantile(const double *sorted, size_t n, double p) {
  double at = p * (double)(n - 1), below = floor(at);
  size_t i = (size_t)below;
  return i + 1 < n ? sorted[i] + (at - below) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* ---- moments ---- */

static double mean_of(const double *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return sum / (double)n;
}

static double variance_of(const double *x, size_t n, double mean) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
  return sum / (double)(n - 1);
}

/* The variance of the pieces' means, and the mean of their variances. */
static void variances(const Convergence *c, const double *x, double *between, double *within) {
  double *means = c->rho; /* room of pieces + half numbers */
  *within = 0;
  for (size_t p = 0; p < c->pieces; p++) {
    const double *piece = x + p * c->half;
    means[p] = mean_of(piece, c->half);
    *within += variance_of(piece, c->half, means[p]) / (double)c->pieces;
  }
  *between = variance_of(means, c->pieces, mean_of(means, c->pieces));
}

static double split_rhat(const Convergence *c, const double *x) {
  double between, within, n = (double)c->half;
  variances(c, x, &between, &within);
  return sqrt((n * between / within + n - 1) / n);
}

/* ---- effective sample size ---- */

/* Into c->covariance the autocovariances of all lags, the mean over the pieces: two pieces go
 * through a transform as one complex sequence, whose squared modulus has the sum of both. */
static void autocovariance(Convergence *c, const double *x) {
  size_t n = c->half, length = c->fourier.length;
  memset(c->sum, 0, length * sizeof *c->sum);
  for (size_t p = 0; p < c->pieces; p += 2) {
    const double *a = x + p * n, *b = a + n;
    double mean_a = mean_of(a, n), mean_b = mean_of(b, n);
    for (size_t i = 0; i < n; i++) {
      c->re[i] = a[i] - mean_a;
      c->im[i] = b[i] - mean_b;
    }
    memset(c->re + n, 0, (length - n) * sizeof *c->re);
    memset(c->im + n, 0, (length - n) * sizeof *c->im);
    fourier_forward(&c->fourier, c->re, c->im);
    for (size_t i = 0; i < length; i++) c->sum[i] += c->re[i] * c->re[i] + c->im[i] * c->im[i];
  }
  memcpy(c->re, c->sum, length * sizeof *c->re);
  memset(c->im, 0, length * sizeof *c->im);
  fourier_backward(&c->fourier, c->re, c->im);
  double scale = 1 / ((double)length * (double)n * (double)c->pieces);
  for (size_t i = 0; i < n; i++) c->covariance[i] = c->re[i] * scale;
}

/* The integrated autocorrelation time from rho, by Geyer's initial monotone positive sequence. */
static double correlation_time(double *rho, size_t n, const double *covariance, double mean_var,
                               double var_plus) {
#define RHO(t) (1 - (mean_var - covariance[t]) / var_plus)
  double even = 1, odd = RHO(1);
  memset(rho, 0, n * sizeof *rho);
  rho[0] = even;
  rho[1] = odd;
  size_t t = 1;
  for (; t + 3 < n && even + odd > 0; t += 2) {
    even = RHO(t + 1);
    odd = RHO(t + 2);
    if (even + odd < 0) continue;
    rho[t + 1] = even;
    rho[t + 2] = odd;
  }
#undef RHO
  size_t end = t - 1; /* t - 2 is the last lag that counts twice; t = 1: none but lag 0 */
  if (even > 0) rho[end] = even;
  for (size_t k = 1; k + 3 <= end; k += 2)
    if (rho[k + 1] + rho[k + 2] > rho[k - 1] + rho[k])
      rho[k + 1] = rho[k + 2] = (rho[k - 1] + rho[k]) / 2;
  double tau = -1 + rho[end];
  for (size_t k = 0; k < end; k++) tau += 2 * rho[k];
  return tau;
}

static double effective_size(Convergence *c, const double *x) {
  double n = (double)c->half, size = n * (double)c->pieces, between, within;
  variances(c, x, &between, &within);
  if (within == 0 && between == 0) return size;
  autocovariance(c, x);
  double mean_var = c->covariance[0] * n / (n - 1);
  double var_plus = c->covariance[0] + between;
  double tau = correlation_time(c->rho, c->half, c->covariance, mean_var, var_plus);
  return size / fmax(tau, 1 / log10(size));
}

static double tail_size(Convergence *c, double limit) {
  for (size_t i = 0; i < c->pieces * c->half; i++) c->scaled[i] = c->split[i] <= limit;
  return effective_size(c, c->scaled);
}

/* Numbers that are large and differ little would lose their digits in sums: they are moved. */
static double mean_size(Convergence *c, double center) {
  for (size_t i = 0; i < c->pieces * c->half; i++) c->scaled[i] = c->split[i] - center;
  return effective_size(c, c->scaled);
}

/* ---- all of it ---- */

Convergence *convergence_new(Arena *a, size_t chains, size_t draws) {
  Convergence *c = ARENA_NEW(a, Convergence);
  size_t half = draws / 2, n = chains * draws;
  *c = (Convergence){.chains = chains, .draws = draws, .half = half, .pieces = 2 * chains};
  fourier_init(&c->fourier, a, 2 * half);
  c->all = ARENA_ARRAY(a, double, n + 1);
  c->split = ARENA_ARRAY(a, double, n + 1);
  c->scaled = ARENA_ARRAY(a, double, n + 1);
  c->ranked = ARENA_ARRAY(a, Ranked, n + 1);
  c->spare = ARENA_ARRAY(a, Ranked, n + 1);
  c->re = ARENA_ARRAY(a, double, c->fourier.length);
  c->im = ARENA_ARRAY(a, double, c->fourier.length);
  c->sum = ARENA_ARRAY(a, double, c->fourier.length);
  c->covariance = ARENA_ARRAY(a, double, half + 1);
  c->rho = ARENA_ARRAY(a, double, half + c->pieces + 2);
  size_t split = c->pieces * half;
  c->scores = ARENA_ARRAY(a, double, 2 * split + 2);
  for (size_t r = 2; r <= 2 * split; r++)
    c->scores[r] = normal_quantile(((double)r / 2 - 0.375) / ((double)split + 0.25));
  return c;
}

static bool all_finite(const Convergence *c, const double *const *chains) {
  for (size_t k = 0; k < c->chains; k++)
    for (size_t i = 0; i < c->draws; i++)
      if (!isfinite(chains[k][i])) return false;
  return true;
}

static void sort_all(Convergence *c, const double *const *chains) {
  size_t n = c->chains * c->draws;
  for (size_t k = 0; k < c->chains; k++)
    memcpy(c->all + k * c->draws, chains[k], c->draws * sizeof *c->all);
  sort_numbers(c, c->all, n);
  for (size_t i = 0; i < n; i++) c->all[i] = key_number(c->ranked[i].key);
}

static void split_chains(Convergence *c, const double *const *chains) {
  for (size_t p = 0; p < c->pieces; p++)
    memcpy(c->split + p * c->half, chains[p / 2] + (p % 2 ? c->draws - c->half : 0),
           c->half * sizeof *c->split);
}

static double median_of_split(Convergence *c) {
  size_t n = c->pieces * c->half;
  sort_numbers(c, c->split, n);
  return (key_number(c->ranked[(n - 1) / 2].key) + key_number(c->ranked[n / 2].key)) / 2;
}

static double folded_rhat(Convergence *c) {
  double median = median_of_split(c);
  for (size_t i = 0; i < c->pieces * c->half; i++) c->scaled[i] = fabs(c->split[i] - median);
  rank_normalise(c, c->scaled);
  return split_rhat(c, c->scaled);
}

void convergence_estimate(Convergence *c, const double *const *chains, Estimates *out) {
  size_t n = c->chains * c->draws;
  *out = (Estimates){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  if (n == 0 || !all_finite(c, chains)) return;
  sort_all(c, chains);
  out->median = quantile(c->all, n, 0.5);
  out->q5 = quantile(c->all, n, 0.05);
  out->q95 = quantile(c->all, n, 0.95);
  split_chains(c, chains);
  for (size_t i = 0; i < n; i++) c->all[i] -= out->median;
  double mean = mean_of(c->all, n);
  out->mean = out->median + mean;
  out->sd = n > 1 ? sqrt(variance_of(c->all, n, mean)) : NAN;
  if (c->draws < MIN_DRAWS || c->all[0] == c->all[n - 1]) return;
  out->mcse = out->sd / sqrt(mean_size(c, out->median));
  out->ess_tail = fmin(tail_size(c, out->q5), tail_size(c, out->q95));
  rank_normalise(c, c->split);
  out->ess_bulk = effective_size(c, c->scaled);
  if (c->chains < 2) return;
  out->rhat = split_rhat(c, c->scaled);
  out->rhat = fmax(out->rhat, folded_rhat(c));
}

double energy_fraction(const double *energy, size_t draws) {
  if (draws < MIN_DRAWS) return NAN;
  double sum = 0;
  for (size_t i = 1; i < draws; i++)
    sum += (energy[i] - energy[i - 1]) * (energy[i] - energy[i - 1]);
  return sum / (double)(draws - 1) / variance_of(energy, draws, mean_of(energy, draws));
}
