// K components with log_sum_exp over an array filled in an inner loop.
data {
  int<lower=1> K;
  int<lower=1> N;
  array[N] real y;
}
parameters {
  array[K] real mu;
  vector<lower=0>[K] sigma;
  vector[K] raw;
}
transformed parameters {
  vector[K] log_theta = log_softmax(raw);
}
model {
  sigma ~ lognormal(0, 2);
  mu ~ normal(0, 10);
  raw ~ normal(0, 1);
  for (n in 1:N) {
    vector[K] lps = log_theta;
    for (k in 1:K) {
      lps[k] += normal_lpdf(y[n] | mu[k], sigma[k]);
    }
    target += log_sum_exp(lps);
  }
}
