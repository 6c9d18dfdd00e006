data {
  int<lower=0> J;
  array[J] real<lower=0> sigma;
}
generated quantities {
  real mu = normal_rng(0, 5);
  real<lower=0> tau = abs(cauchy_rng(0, 5));
  vector[J] theta_raw;
  vector[J] theta;
  array[J] real y;
  for (j in 1:J) {
    theta_raw[j] = std_normal_rng();
    theta[j] = mu + tau * theta_raw[j];
    y[j] = normal_rng(theta[j], sigma[j]);
  }
}
