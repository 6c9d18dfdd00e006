// Binomial distribution with a beta distributed chance of success. Stan Functions Reference,
// "Beta-binomial distribution".

// log choose(N, n) + lbeta(n + alpha, N - n + beta) - lbeta(alpha, beta)
real beta_binomial_lpmf(int n, int<lower=0> N, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 || n > N ? negative_infinity()
                        : lchoose(N, n)
                          + (lbeta(n + alpha, N - n + beta) - lbeta(alpha, beta));
}
