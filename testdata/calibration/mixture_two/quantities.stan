data {
  int<lower=0> N;
  vector[N] y;
}
parameters {
  real<lower=0, upper=1> lambda;
  ordered[2] mu;
  array[2] real<lower=0> sigma;
}
generated quantities {
  real log_likelihood = 0;
  for (n in 1:N) {
    log_likelihood += log_mix(lambda, normal_lpdf(y[n] | mu[1], sigma[1]), normal_lpdf(y[n] | mu[2], sigma[2]));
  }
}
