// Hidden Markov model with Gaussian emissions: the forward algorithm as loops.
data {
  int<lower=1> K;
  int<lower=1> T;
  array[T] real y;
}
parameters {
  array[K] simplex[K] theta;
  positive_ordered[K] mu;
  real<lower=0> sigma;
}
model {
  array[T, K] real gamma;
  mu ~ normal(0, 5);
  sigma ~ exponential(1);
  for (k in 1:K) {
    theta[k] ~ dirichlet(rep_vector(2, K));
    gamma[1, k] = normal_lpdf(y[1] | mu[k], sigma);
  }
  for (t in 2:T) {
    for (k in 1:K) {
      array[K] real acc;
      for (j in 1:K) {
        acc[j] = gamma[t - 1, j] + log(theta[j, k]) + normal_lpdf(y[t] | mu[k], sigma);
      }
      gamma[t, k] = log_sum_exp(acc);
    }
  }
  target += log_sum_exp(gamma[T]);
}
