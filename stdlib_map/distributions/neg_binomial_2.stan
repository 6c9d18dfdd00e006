// Negative binomial distribution with location mu and precision phi. Stan Functions Reference, "Negative
// binomial distribution (alternative parameterization)".

// log choose(n + phi - 1, n) + n log mu - phi log(1 + mu / phi) - n log(mu + phi)
real neg_binomial_2_lpmf(int<lower=0> n, real<positive_finite> mu, real<positive_finite> phi) {
  return lchoose(n + phi - 1, n) + n * log(mu)
         - (phi * log1p(mu / phi) + n * log(mu + phi));
}
