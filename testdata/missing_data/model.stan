// Missing outcomes as parameters, put in place by index.
data {
  int<lower=0> N_obs;
  int<lower=0> N_mis;
  array[N_obs] int<lower=1> ii_obs;
  array[N_mis] int<lower=1> ii_mis;
  array[N_obs] real y_obs;
}
transformed data {
  int N = N_obs + N_mis;
}
parameters {
  array[N_mis] real y_mis;
  real mu;
  real<lower=0> sigma;
}
transformed parameters {
  array[N] real y;
  y[ii_obs] = y_obs;
  y[ii_mis] = y_mis;
}
model {
  sigma ~ gamma(1, 1);
  mu ~ normal(0, 5);
  y[1] ~ normal(mu, sigma);
  y[2:N] ~ normal(mu + 0.5 * (to_vector(y[1:(N - 1)]) - mu), sigma);
}
