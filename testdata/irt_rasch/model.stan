// One-parameter item response model.
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
model {
  alpha ~ std_normal();
  beta ~ std_normal();
  delta ~ normal(0.75, 1);
  for (n in 1:N) {
    y[n] ~ bernoulli_logit(alpha[student[n]] - beta[item[n]] + delta);
  }
}
