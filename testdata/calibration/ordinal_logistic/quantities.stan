data {
  int<lower=2> K;
  int<lower=0> N;
  int<lower=1> D;
  array[N] int<lower=1, upper=K> y;
  array[N] row_vector[D] x;
}
parameters {
  vector[D] beta;
  ordered[K - 1] c;
}
generated quantities {
  real log_likelihood = 0;
  for (n in 1:N) {
    log_likelihood += ordered_logistic_lpmf(y[n] | x[n] * beta, c);
  }
}
