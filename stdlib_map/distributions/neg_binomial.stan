// Negative binomial distribution with shape alpha and inverse scale beta. Stan Functions Reference,
// "Negative binomial distribution".

// log choose(n + alpha - 1, n) - alpha log(1 + 1 / beta) - n log(1 + beta)
real neg_binomial_lpmf(int<lower=0> n, real<positive_finite> alpha, real<positive_finite, evident> beta) {
  return lchoose(n + alpha - 1, n) - (alpha * log1p(inv(beta)) + n * log1p(beta));
}
