// A logistic regression.
transformed data {
  int N = 40;
  matrix[N, 3] x;
  array[N] int y;
  for (n in 1:N) {
    x[n] = [1, sin(3.0 * n), cos(1.7 * n)];
    y[n] = sin(2.1 * n) + x[n, 2] > 0;
  }
}
parameters {
  vector[3] beta;
}
model {
  beta ~ normal(0, 2.5);
  y ~ bernoulli_logit(x * beta);
}
