// Rayleigh distribution with scale sigma. Stan Functions Reference, "Rayleigh distribution".

// log y - 2 log sigma - (y / sigma)^2 / 2
real rayleigh_lpdf(real<positive, evident> y, real<positive, evident> sigma) {
  return -0.5 * square(y / sigma) - 2 * log(sigma) + log(y);
}

// 1 - exp(-h), h = (y / sigma)^2 / 2
real rayleigh_cdf(real<nonnegative> y, real<positive> sigma) {
  real h = 0.5 * square(y / sigma);
  return -expm1(-h);
}

real rayleigh_lcdf(real<nonnegative> y, real<positive> sigma) {
  real h = 0.5 * square(y / sigma);
  return log1m_exp(-h);
}

real rayleigh_lccdf(real<nonnegative> y, real<positive> sigma) {
  real h = 0.5 * square(y / sigma);
  return -h;
}
