// Eight schools, with effects as multiples of their spread.
transformed data {
  vector[8] y = [28, 8, -3, 7, -1, 1, 18, 12]';
  vector[8] sigma = [15, 10, 16, 11, 9, 11, 10, 18]';
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[8] eta;
}
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
  eta ~ std_normal();
  y ~ normal(mu + tau * eta, sigma);
}
