// Double exponential (Laplace) distribution with location mu and scale sigma. Stan Functions Reference,
// "Double exponential (Laplace) distribution".

// -log 2 - log sigma - |y - mu| / sigma
real double_exponential_lpdf(real<finite, evident> y, real<finite, evident> mu,
                             real<positive_finite, evident> sigma) {
  return -abs(y - mu) / sigma - log(2) - log(sigma);
}

// exp(z) / 2 below mu, 1 - exp(-z) / 2 above, z = (y - mu) / sigma
real double_exponential_cdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return z < 0 ? 0.5 * exp(z) : 1 - 0.5 * exp(-z);
}

real double_exponential_lcdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return z < 0 ? z - log(2) : log1m(0.5 * exp(-z));
}

real double_exponential_lccdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (y - mu) / sigma;
  return z < 0 ? log1m(0.5 * exp(z)) : -z - log(2);
}
