// Negative binomial distribution with log location eta and precision phi. Stan Functions Reference,
// "Negative binomial distribution (log alternative parameterization)".

// log choose(n + phi - 1, n) + n eta - (n + phi) log(1 + exp(eta) / phi) - n log phi
real neg_binomial_2_log_lpmf(int<lower=0> n, real<finite, evident> eta, real<positive_finite, evident> phi) {
  real log_phi = log(phi);
  return (lgamma_ratio(phi, n) - lgamma(n + 1)) + n * eta
         - ((n + phi) * log1p_exp(eta - log_phi) + n * log_phi);
}
