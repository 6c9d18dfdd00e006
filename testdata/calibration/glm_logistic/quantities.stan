data {
  int<lower=0> N;
  int<lower=0> K;
  matrix[N, K] X;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  real alpha;
  vector[K] beta;
}
generated quantities {
  real log_likelihood = bernoulli_logit_lpmf(y | alpha + X * beta);
}
