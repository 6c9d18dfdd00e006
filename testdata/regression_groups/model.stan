// Regressions with covariates of very different size, intercepts and slopes by group, and a second grouping across the first.
data {
  int<lower=0> N;
  int<lower=0> K;
  int<lower=1> G;
  int<lower=1> H;
  matrix[N, K] X;
  vector[N] year;
  array[N] int<lower=1, upper=G> region;
  array[N] int<lower=1, upper=H> kind;
  vector<lower=0>[N] error;
  vector[N] y;
  vector[N] z;
}
parameters {
  real alpha;
  vector[K] beta;
  real<lower=0> tau;
  vector[G] intercept;
  vector[G] slope;
  vector[H] effect;
  real<lower=0> sigma;
}
model {
  alpha ~ normal(0, 10);
  beta ~ normal(0, 1);
  tau ~ normal(0, 1);
  intercept ~ normal(0, tau);
  slope ~ normal(0, 0.1);
  effect ~ normal(0, 1);
  sigma ~ exponential(1);
  // each region and kind that occur together leave a few forms
  y ~ normal(alpha + X * beta + intercept[region] + slope[region] .* (year - 2000) + effect[kind], sigma);
  // known errors, and a year that is far from 0
  z ~ normal(alpha + beta[1] * year + beta[2] * X[, 3], error);
  for (n in 1:N)
    target += -square(y[n] - z[n] - tau * (intercept[region[n]] + 2)) / (2 * square(sigma));
}
