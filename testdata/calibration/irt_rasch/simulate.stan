data {
  int<lower=1> J;
  int<lower=1> K;
  int<lower=1> N;
  array[N] int<lower=1, upper=J> student;
  array[N] int<lower=1, upper=K> item;
}
generated quantities {
  real delta = normal_rng(0.75, 1);
  vector[J] alpha;
  vector[K] beta;
  array[N] int y;
  for (j in 1:J) {
    alpha[j] = std_normal_rng();
  }
  for (k in 1:K) {
    beta[k] = std_normal_rng();
  }
  for (n in 1:N) {
    y[n] = bernoulli_logit_rng(alpha[student[n]] - beta[item[n]] + delta);
  }
}
