// Nothing observed, nothing varying: every container may be empty.
data {
  int<lower=0> N;
  int<lower=0> K;
  array[N] int<lower=0, upper=1> y;
  matrix[N, K] X;
  vector[N] offset_x;
}
parameters {
  real alpha;
  vector[K] beta;
  array[N] real<lower=0> u;
}
model {
  alpha ~ normal(0, 1);
  beta ~ normal(0, 1);
  u ~ exponential(1);
  y ~ bernoulli_logit(alpha + X * beta + offset_x);
  for (n in 1:N) {
    target += u[n] * X[n, 1];
  }
}
