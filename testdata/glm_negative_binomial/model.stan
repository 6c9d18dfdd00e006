// Overdispersed counts.
data {
  int<lower=0> N;
  array[N] int<lower=0> y;
  vector[N] x;
}
parameters {
  real alpha;
  real beta;
  real<lower=0> reciprocal_phi;
}
transformed parameters {
  real<lower=0> phi = 1 / reciprocal_phi;
}
model {
  reciprocal_phi ~ cauchy(0, 5);
  alpha ~ normal(0, 5);
  beta ~ normal(0, 5);
  y ~ neg_binomial_2_log(alpha + beta * x, phi);
  y ~ neg_binomial_2(exp(alpha + beta * x), phi);
}
