// Bernoulli distribution with chance of success inv_logit(alpha). Stan Functions Reference, "Bernoulli
// distribution, logit parameterization".

// log inv_logit(alpha) for n = 1, log inv_logit(-alpha) for n = 0
real bernoulli_logit_lpmf(int<lower=0, upper=1> n, real<not_nan, evident> alpha) {
  return log_inv_logit((2 * n - 1) * alpha);
}
