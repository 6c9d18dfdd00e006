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
generated quantities {
  real log_likelihood;
  {
    matrix[K, T] log_omega;
    matrix[K, K] Gamma;
    for (k in 1:K) {
      Gamma[k] = theta[k]';
      for (t in 1:T) {
        log_omega[k, t] = normal_lpdf(y[t] | mu[k], sigma);
      }
    }
    log_likelihood = hmm_marginal(log_omega, Gamma, rep_vector(1.0 / K, K));
  }
}
