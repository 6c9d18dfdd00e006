data {
  int<lower=0> N;
  array[N] int<lower=0> y;
}
parameters {
  real<lower=0, upper=1> theta;
  real<lower=0> lambda;
}
generated quantities {
  real log_likelihood = 0;
  for (n in 1:N) {
    log_likelihood += log(theta * (y[n] == 0) + (1 - theta) * exp(poisson_lpmf(y[n] | lambda)));
  }
}
