// The same model as loops over observations, with a robust error.
data {
  int<lower=0> N;
  int<lower=1> K;
  matrix[N, K] X;
  array[N] real y;
}
parameters {
  real alpha;
  vector[K] beta;
  real<lower=0> sigma;
  real<lower=1> nu;
}
transformed parameters {
  vector[N] mu;
  for (n in 1:N) {
    mu[n] = alpha;
    for (k in 1:K) {
      mu[n] += X[n, k] * beta[k];
    }
  }
}
model {
  target += student_t_lpdf(alpha | 3, 0, 2.5);
  for (k in 1:K) {
    beta[k] ~ cauchy(0, 2.5);
  }
  sigma ~ normal(0, 2);
  nu ~ gamma(2, 0.1);
  for (n in 1:N) {
    y[n] ~ student_t(nu, mu[n], sigma);
  }
}
