// Skew double exponential distribution with location mu, scale sigma and skewness tau. Stan Functions
// Reference, "Skewed double exponential distribution".

// log 2 - log sigma + log tau + log(1 - tau) - 2 |y - mu| / sigma (tau above mu, 1 - tau below)
real skew_double_exponential_lpdf(real<not_nan, evident> y, real<finite, evident> mu,
                                  real<positive_finite, evident> sigma, real<lower=0, upper=1> tau) {
  real d = y - mu;
  return -2 * (abs(d) * (tau + (1 - 2 * tau) * (d < 0)) / sigma) + log(2) - log(sigma) + (log(tau) + log1m(tau));
}

// tau exp(2 (1 - tau) z) up to mu, 1 - (1 - tau) exp(-2 tau z) above, z = (y - mu) / sigma
real skew_double_exponential_cdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma,
                                 real<lower=0, upper=1> tau) {
  real z = (y - mu) / sigma;
  return z <= 0 ? tau * exp(2 * (1 - tau) * z) : 1 - (1 - tau) * exp(-2 * tau * z);
}

real skew_double_exponential_lcdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma,
                                  real<lower=0, upper=1> tau) {
  real z = (y - mu) / sigma;
  return z <= 0 ? log(tau) + 2 * (1 - tau) * z : log1m((1 - tau) * exp(-2 * tau * z));
}

real skew_double_exponential_lccdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma,
                                   real<lower=0, upper=1> tau) {
  real z = (y - mu) / sigma;
  return z <= 0 ? log1m(tau * exp(2 * (1 - tau) * z)) : log1m(tau) - 2 * tau * z;
}
