// Skew double exponential distribution with location mu, scale sigma and skewness tau. Stan Functions
// Reference, "Skewed double exponential distribution".

// log 2 - log sigma + log tau + log(1 - tau) - 2 |y - mu| / sigma (tau above mu, 1 - tau below)
real skew_double_exponential_lpdf(real<not_nan, evident> y, real<finite, evident> mu,
                                  real<positive_finite, evident> sigma, real<lower=0, upper=1> tau) {
  real d = y - mu;
  return -2 * (abs(d) * (tau + (1 - 2 * tau) * (d < 0)) / sigma) + log(2) - log(sigma) + (log(tau) + log1m(tau));
}
