// The forward algorithm with a vector as its state.
data {
  int<lower=1> K;
  int<lower=1> T;
  array[T] int<lower=0> y;
  simplex[K] start;
}
parameters {
  vector[K] raw;
  vector<lower=0>[K] rate;
}
transformed parameters {
  matrix[K, K] log_A = rep_matrix(log(0.1 / (K - 1)), K, K);
  for (k in 1:K) {
    log_A[k, k] = log(0.9);
  }
}
model {
  vector[K] state = log(start) + raw;
  rate ~ gamma(2, 0.5);
  raw ~ normal(0, 0.1);
  for (t in 1:T) {
    vector[K] next;
    for (k in 1:K) {
      next[k] = log_sum_exp(state + log_A[, k]) + poisson_lpmf(y[t] | rate[k]);
    }
    state = next;
  }
  target += log_sum_exp(state);
}
