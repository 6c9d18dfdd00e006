// Eight schools, with effects as they are: trajectories diverge where their spread is small.
transformed data {
  vector[8] y = [28, 8, -3, 7, -1, 1, 18, 12]';
  vector[8] sigma = [15, 10, 16, 11, 9, 11, 10, 18]';
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[8] theta;
}
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
  theta ~ normal(mu, tau);
  y ~ normal(theta, sigma);
}
