// Cauchy distribution with location mu and scale sigma. Stan Functions Reference, "Cauchy distribution".

// -log pi - log sigma - log(1 + z^2), z = (y - mu) / sigma. The plain logarithm is off by less than 1e-16.
real cauchy_lpdf(real<not_nan, evident> y, real<finite, evident> mu, real<positive_finite, evident> sigma) {
  return -log(1 + square((y - mu) / sigma)) - log(pi()) - log(sigma);
}

// 1 / 2 + atan(z) / pi = atan2(1, -z) / pi, which keeps the tails
real cauchy_cdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return atan2(1, -z) / pi();
}

real cauchy_lcdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return log(atan2(1, -z) / pi());
}

real cauchy_lccdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return log(atan2(1, z) / pi());
}
