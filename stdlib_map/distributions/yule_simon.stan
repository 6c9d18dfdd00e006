// Yule-Simon distribution with shape alpha. Stan Functions Reference, "Yule-Simon distribution".

// log alpha + lgamma(alpha + 1) + lgamma n - lgamma(n + alpha + 1)
real yule_simon_lpmf(int<lower=1> n, real<positive_finite> alpha) {
  return lgamma(n) + (log(alpha) + lgamma(alpha + 1) - lgamma(n + alpha + 1));
}

// 1 - n B(n, alpha + 1)
real yule_simon_cdf(int n, real<positive_finite> alpha) {
  return n < 1 ? 0 : 1 - max(n, 1) * exp(lbeta(max(n, 1), alpha + 1));
}

real yule_simon_lcdf(int n, real<positive_finite> alpha) {
  return n < 1 ? negative_infinity() : log1m_exp(log(max(n, 1)) + lbeta(max(n, 1), alpha + 1));
}

real yule_simon_lccdf(int n, real<positive_finite> alpha) {
  return n < 1 ? 0 : log(max(n, 1)) + lbeta(max(n, 1), alpha + 1);
}
