data {
  int<lower=0> N;
}
generated quantities {
  real theta = uniform_rng(0, 1);
  real lambda = gamma_rng(2, 0.5);
  array[N] int y;
  for (n in 1:N) {
    y[n] = bernoulli_rng(theta) ? 0 : poisson_rng(lambda);
  }
}
