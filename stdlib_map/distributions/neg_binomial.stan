// Negative binomial distribution with shape alpha and inverse scale beta. Stan Functions Reference,
// "Negative binomial distribution".

// log choose(n + alpha - 1, n) - alpha log(1 + 1 / beta) - n log(1 + beta)
real neg_binomial_lpmf(int<lower=0> n, real<positive_finite> alpha, real<positive_finite, evident> beta) {
  return (lgamma_ratio(alpha, n) - lgamma(n + 1)) - (alpha * log1p(inv(beta)) + n * log1p(beta));
}

// I_p(alpha, n + 1) with p = beta / (1 + beta), the regularised incomplete beta function
real neg_binomial_cdf(int n, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 ? 0 : inc_beta(alpha, max(n, 0) + 1, beta / (1 + beta));
}

real neg_binomial_lcdf(int n, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 ? negative_infinity() : log(inc_beta(alpha, max(n, 0) + 1, beta / (1 + beta)));
}

real neg_binomial_lccdf(int n, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 ? 0 : log(inc_beta(max(n, 0) + 1, alpha, 1 / (1 + beta)));
}
