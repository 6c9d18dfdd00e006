// Poisson regression with an exposure, three ways of writing the likelihood.
data {
  int<lower=0> N;
  array[N] int<lower=0> y;
  vector[N] x;
  vector<lower=0>[N] exposure;
}
transformed data {
  vector[N] log_exposure = log(exposure);
}
parameters {
  real a;
  real b;
}
model {
  a ~ normal(0, 2);
  b ~ logistic(0, 1);
  y ~ poisson_log(log_exposure + a + b * x);
  for (n in 1:N) {
    target += poisson_lpmf(y[n] | exposure[n] * exp(a + b * x[n]));
  }
  target += poisson_log_glm_lpmf(y | to_matrix(x), log_exposure + a, [b]');
}
