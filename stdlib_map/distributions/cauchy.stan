// Cauchy distribution with location mu and scale sigma. Stan Functions Reference, "Cauchy distribution".

// -log pi - log sigma - log(1 + z^2), z = (y - mu) / sigma. The plain logarithm is off by less than 1e-16.
real cauchy_lpdf(real<not_nan, evident> y, real<finite, evident> mu, real<positive_finite, evident> sigma) {
  return -log(1 + square((y - mu) / sigma)) - log(pi()) - log(sigma);
}
