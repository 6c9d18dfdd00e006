// Logistic distribution with location mu and scale sigma. Stan Functions Reference, "Logistic distribution".

// -|z| - 2 log(1 + exp(-|z|)) - log sigma, z = (y - mu) / sigma; the density is even in z.
real logistic_lpdf(real<finite, evident> y, real<finite, evident> mu, real<positive_finite, evident> sigma) {
  real a = abs((y - mu) / sigma);
  return -(a + 2 * log(1 + exp(-a))) - log(sigma);
}
