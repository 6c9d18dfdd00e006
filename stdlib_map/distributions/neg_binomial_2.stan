// Negative binomial distribution with location mu and precision phi. Stan Functions Reference, "Negative
// binomial distribution (alternative parameterization)".

// log choose(n + phi - 1, n) + n log mu - phi log(1 + mu / phi) - n log(mu + phi)
real neg_binomial_2_lpmf(int<lower=0> n, real<positive_finite> mu, real<positive_finite> phi) {
  return (lgamma_ratio(phi, n) - lgamma(n + 1)) + n * log(mu)
         - (phi * log1p(mu / phi) + n * log(mu + phi));
}

// I_p(phi, n + 1) with p = phi / (mu + phi), the regularised incomplete beta function
real neg_binomial_2_cdf(int n, real<positive_finite> mu, real<positive_finite> phi) {
  return n < 0 ? 0 : inc_beta(phi, max(n, 0) + 1, phi / (mu + phi));
}

real neg_binomial_2_lcdf(int n, real<positive_finite> mu, real<positive_finite> phi) {
  return n < 0 ? negative_infinity() : log(inc_beta(phi, max(n, 0) + 1, phi / (mu + phi)));
}

real neg_binomial_2_lccdf(int n, real<positive_finite> mu, real<positive_finite> phi) {
  return n < 0 ? 0 : log(inc_beta(max(n, 0) + 1, phi, mu / (mu + phi)));
}
