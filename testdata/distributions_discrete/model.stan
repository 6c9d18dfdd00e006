// Univariate discrete distributions.
data {
  int<lower=1> N;
  array[N] int<lower=0> y;
  array[N] int<lower=0> n;
}
parameters {
  real<lower=0, upper=1> p;
  real<lower=0> a;
  real<lower=0> b;
  vector[N] eta;
}
model {
  y ~ binomial(n, p);
  y ~ binomial_logit(n, eta);
  y ~ beta_binomial(n, a, b);
  y ~ neg_binomial(a, b);
  y ~ poisson(a + exp(eta));
  target += hypergeometric_lpmf(2 | 4, 5, 6) * p;
  eta ~ normal(0, 1);
}
