// Normal distribution with location mu and scale sigma. Stan Functions Reference, "Normal distribution".

// -z^2 / 2 - log sigma - log(2 pi) / 2, z = (y - mu) / sigma
real normal_lpdf(real<not_nan, evident> y, real<finite, evident> mu, real<positive, evident> sigma) {
  real z = (y - mu) / sigma;
  return -0.5 * square(z) - log(sigma) - 0.5 * log(2 * pi());
}

// Phi(z), and the logarithms of Phi(z) and Phi(-z)
real normal_cdf(real<not_nan> y, real<finite> mu, real<positive> sigma) {
  real z = (y - mu) / sigma;
  return 0.5 * erfc(-sqrt(0.5) * z);
}

real normal_lcdf(real<not_nan> y, real<finite> mu, real<positive> sigma) {
  real z = (y - mu) / sigma;
  return log_Phi(z);
}

real normal_lccdf(real<not_nan> y, real<finite> mu, real<positive> sigma) {
  real z = (y - mu) / sigma;
  return log_Phi(-z);
}
