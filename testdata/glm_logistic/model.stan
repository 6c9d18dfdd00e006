// Logistic regression through the GLM function.
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
model {
  alpha ~ student_t(7, 0, 2.5);
  beta ~ double_exponential(0, 1);
  y ~ bernoulli_logit_glm(X, alpha, beta);
}
generated quantities {
  vector[N] probability = inv_logit(alpha + X * beta);
  real log_likelihood = bernoulli_logit_lpmf(y | alpha + X * beta);
}
