data {
  int<lower=0> K;
  int<lower=K> T;
  array[T] real y;
}
parameters {
  real alpha;
  array[K] real beta;
  real<lower=0> sigma;
}
generated quantities {
  real log_likelihood = 0;
  for (t in (K + 1):T) {
    log_likelihood += normal_lpdf(y[t] | alpha + dot_product(to_vector(beta), to_vector(reverse(y[(t - K):(t - 1)]))), sigma);
  }
}
