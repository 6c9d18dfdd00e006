data {
  int<lower=0> N;
  vector[N] x;
}
generated quantities {
  real alpha = normal_rng(0, 5);
  real beta = normal_rng(0, 5);
  real sigma = exponential_rng(1);
  array[N] real y = normal_rng(alpha + beta * x, sigma);
}
