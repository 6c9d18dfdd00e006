// Poisson distribution with rate exp(alpha). Stan Functions Reference, "Poisson distribution, log
// parameterization".

// n alpha - exp(alpha) - lgamma(n + 1)
real poisson_log_lpmf(int<lower=0> n, real<finite, evident> alpha) {
  return n * alpha - exp(alpha) - lgamma(n + 1);
}
