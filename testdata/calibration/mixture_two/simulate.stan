data {
  int<lower=0> N;
}
generated quantities {
  real lambda = beta_rng(5, 5);
  vector[2] mu;
  array[2] real sigma;
  vector[N] y;
  for (k in 1:2) {
    mu[k] = normal_rng(0, 2);
    sigma[k] = abs(normal_rng(0, 2));
  }
  mu = sort_asc(mu);
  for (n in 1:N) {
    int k = 2 - bernoulli_rng(lambda);
    y[n] = normal_rng(mu[k], sigma[k]);
  }
}
