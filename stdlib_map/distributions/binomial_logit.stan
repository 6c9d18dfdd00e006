// Binomial distribution of n successes in N trials with chance inv_logit(alpha). Stan Functions Reference,
// "Binomial distribution, logit parameterization".

// log choose(N, n) + n alpha - N log(1 + exp(alpha))
real binomial_logit_lpmf(int<lower=0> n, int<lower=n> N, real<finite, evident> alpha) {
  return (n * alpha - N * log1p_exp(alpha)) + lchoose(N, n);
}
