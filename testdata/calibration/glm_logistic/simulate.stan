data {
  int<lower=0> N;
  int<lower=0> K;
  matrix[N, K] X;
}
generated quantities {
  real alpha = student_t_rng(7, 0, 2.5);
  vector[K] beta;
  array[N] int y;
  for (k in 1:K) {
    beta[k] = double_exponential_rng(0, 1);
  }
  y = bernoulli_logit_rng(alpha + X * beta);
}
