// Logistic regression with many observations, of which some points of the parameters leave all within what Stan computes
// in full, and others do not.
data {
  int<lower=0> N;
}
transformed data {
  vector[N] x;
  array[N] int<lower=0, upper=1> y;
  array[N] int<lower=0, upper=1> z;
  for (i in 1:N) {
    x[i] = 4 * sin(1.3 * i);
    y[i] = sin(0.7 * i * i) + 0.3 * x[i] > 0;
    z[i] = cos(0.2 * i * i) > 0.5;
  }
}
parameters {
  real alpha;
  vector[2] beta;
  vector[N] eta;
}
model {
  alpha ~ student_t(7, 0, 2.5);
  beta ~ double_exponential(0, 1);
  y ~ bernoulli_logit_glm(append_col(x, x .* x), alpha, beta);
  eta ~ normal(0, 3);
  for (k in 1:2) z ~ bernoulli_logit(4 * k * eta + x);
}
