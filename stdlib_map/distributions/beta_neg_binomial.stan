// Negative binomial distribution whose chance of success is beta distributed: n failures before r successes. Stan
// Functions Reference, "Beta negative binomial distribution".

// lbeta(n + r, alpha + beta) - lbeta(r, alpha) + lgamma(n + beta) - lgamma beta - lgamma(n + 1)
real beta_neg_binomial_lpmf(int<lower=0> n, real<positive_finite> r, real<positive_finite> alpha,
                            real<positive_finite> beta) {
  return (lbeta(n + r, alpha + beta) - lbeta(r, alpha) + lgamma_ratio(beta, n)) - lgamma(n + 1);
}

// The chance of at most n failures, as the sum of the chances.
real beta_neg_binomial_mass(int n, real r, real alpha, real beta) {
  real total = 0;
  for (k in 0:n) {
    total += exp(lbeta(k + r, alpha + beta) - lbeta(r, alpha) + lgamma_ratio(beta, k) - lgamma(k + 1));
  }
  return total;
}

real beta_neg_binomial_cdf(int n, real<positive_finite> r, real<positive_finite> alpha,
                           real<positive_finite> beta) {
  return n < 0 ? 0 : beta_neg_binomial_mass(n, r, alpha, beta);
}

real beta_neg_binomial_lcdf(int n, real<positive_finite> r, real<positive_finite> alpha,
                            real<positive_finite> beta) {
  return n < 0 ? negative_infinity() : log(beta_neg_binomial_mass(n, r, alpha, beta));
}

real beta_neg_binomial_lccdf(int n, real<positive_finite> r, real<positive_finite> alpha,
                             real<positive_finite> beta) {
  return n < 0 ? 0 : log1m(beta_neg_binomial_mass(n, r, alpha, beta));
}
