// Binomial distribution with a beta distributed chance of success. Stan Functions Reference,
// "Beta-binomial distribution".

// log choose(N, n) + lbeta(n + alpha, N - n + beta) - lbeta(alpha, beta)
real beta_binomial_lpmf(int n, int<lower=0> N, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 || n > N ? negative_infinity()
                        : lchoose(N, n)
                          + (lbeta(n + alpha, N - n + beta) - lbeta(alpha, beta));
}

// The chance of low ... high successes, as the sum of the chances.
real beta_binomial_mass(int low, int high, int N, real alpha, real beta) {
  real total = 0;
  for (k in low:high) {
    total += exp(lchoose(N, k) + lbeta(k + alpha, N - k + beta) - lbeta(alpha, beta));
  }
  return total;
}

real beta_binomial_cdf(int n, int<lower=0> N, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 ? 0 : (n >= N ? 1 : beta_binomial_mass(0, n, N, alpha, beta));
}

real beta_binomial_lcdf(int n, int<lower=0> N, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 ? negative_infinity() : (n >= N ? 0 : log(beta_binomial_mass(0, n, N, alpha, beta)));
}

real beta_binomial_lccdf(int n, int<lower=0> N, real<positive_finite> alpha, real<positive_finite> beta) {
  return n < 0 ? 0 : (n >= N ? negative_infinity() : log(beta_binomial_mass(n + 1, N, N, alpha, beta)));
}
