data {
  int<lower=1> K;
  int<lower=1> T;
}
generated quantities {
  array[K] vector[K] theta;
  vector[K] mu;
  real sigma = exponential_rng(1);
  array[T] real y;
  for (k in 1:K) {
    theta[k] = dirichlet_rng(rep_vector(2, K));
    mu[k] = abs(normal_rng(0, 5));
  }
  mu = sort_asc(mu);
  {
    int state = categorical_rng(rep_vector(1.0 / K, K));
    for (t in 1:T) {
      y[t] = normal_rng(mu[state], sigma);
      state = categorical_rng(theta[state]);
    }
  }
}
