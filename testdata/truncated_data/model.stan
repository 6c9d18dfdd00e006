// Truncated and censored observations.
data {
  int<lower=0> N;
  real U;
  array[N] real<upper=U> y;
  int<lower=0> M;
  int<lower=1> L;
  array[M] int<lower=L> k;
}
parameters {
  real mu;
  real<lower=0> sigma;
  real<lower=0> lambda;
}
model {
  mu ~ normal(0, 3);
  sigma ~ normal(0, 2) T[0, ];
  lambda ~ exponential(0.5);
  for (n in 1:N) {
    y[n] ~ normal(mu, sigma) T[, U];
  }
  for (m in 1:M) {
    k[m] ~ poisson(lambda) T[L, ];
  }
}
