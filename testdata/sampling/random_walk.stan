// A random walk with noise: correlated, with long trajectories.
transformed data {
  vector[20] y = [0.3, 0.7, 1.1, 0.6, 0.9, 1.4, 1.9, 1.2, 1.6, 2.2, 2.0, 2.7, 2.1, 1.8, 1.2, 1.5, 0.8, 0.4, 0.9, 0.1]';
}
parameters {
  vector[20] x;
  real<lower=0> q;
  real<lower=0> r;
}
model {
  q ~ gamma(4, 8);
  r ~ gamma(4, 8);
  x[1] ~ normal(0, 2);
  x[2:] ~ normal(x[:19], q);
  y ~ normal(x, r);
}
