data {
  int<lower=1> J;
  int<lower=1> K;
  int<lower=1> N;
  array[N] int<lower=1, upper=J> student;
  array[N] int<lower=1, upper=K> item;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  real delta;
  vector[J] alpha;
  vector[K] beta;
}
generated quantities {
  real log_likelihood = bernoulli_logit_lpmf(y | alpha[student] - beta[item] + delta);
}
