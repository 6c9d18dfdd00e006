data {
  int<lower=0> K;
  int<lower=K> T;
}
generated quantities {
  real alpha = normal_rng(0, 1);
  array[K] real beta;
  real sigma = exponential_rng(1);
  array[T] real y;
  for (k in 1:K) {
    beta[k] = normal_rng(0, 0.5);
    y[k] = std_normal_rng();  // the model takes the first K as given
  }
  for (t in (K + 1):T) {
    real mu = alpha;
    for (k in 1:K) {
      mu += beta[k] * y[t - k];
    }
    y[t] = normal_rng(mu, sigma);
  }
}
