// Logistic distribution with location mu and scale sigma. Stan Functions Reference, "Logistic distribution".

// -|z| - 2 log(1 + exp(-|z|)) - log sigma, z = (y - mu) / sigma; the density is even in z.
real logistic_lpdf(real<finite, evident> y, real<finite, evident> mu, real<positive_finite, evident> sigma) {
  real a = abs((y - mu) / sigma);
  return -(a + 2 * log(1 + exp(-a))) - log(sigma);
}

// inv_logit(z), and the logarithms of inv_logit(z) and inv_logit(-z)
real logistic_cdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return inv_logit(z);
}

real logistic_lcdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return log_inv_logit(z);
}

real logistic_lccdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return log_inv_logit(-z);
}
