// Normal distribution with location mu and scale sigma. Stan Functions Reference, "Normal distribution".

// -z^2 / 2 - log sigma - log(2 pi) / 2, z = (y - mu) / sigma
real normal_lpdf(real<not_nan, evident> y, real<finite, evident> mu, real<positive, evident> sigma) {
  real z = (y - mu) / sigma;
  return -0.5 * square(z) - log(sigma) - 0.5 * log(2 * pi());
}
