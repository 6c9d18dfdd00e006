// Binomial distribution of n successes in N trials with chance theta. Stan Functions Reference, "Binomial
// distribution".

// log choose(N, n) + n log theta + (N - n) log(1 - theta). Where a count is zero its logarithm is taken of something
// positive, so that 0 log 0 = 0.
real binomial_lpmf(int<lower=0> n, int<lower=n> N, real<lower=0, upper=1> theta) {
  return (n * log(theta + (n == 0)) + (N - n) * log((1 + (n == N)) - theta))
         + lchoose(N, n);
}

// With one theta only the totals matter.
real binomial_lpmf(array[] int<lower=0> n, array[] int<lower=n> N, real<lower=0, upper=1> theta) {
  int successes = sum(n);
  int failures = sum(N) - successes;
  return (successes == 0 ? 0 : successes * log(theta)) + (failures == 0 ? 0 : failures * log1m(theta))
         + sum(lchoose(N, n));
}

// I_(1 - theta)(N - n, n + 1), the regularised incomplete beta function, for 0 <= n < N
real binomial_cdf(int n, int<lower=0> N, real<lower=0, upper=1> theta) {
  return n < 0 ? 0 : (n >= N ? 1 : inc_beta(max(N - n, 1), max(n, 0) + 1, 1 - theta));
}

real binomial_lcdf(int n, int<lower=0> N, real<lower=0, upper=1> theta) {
  return n < 0 ? negative_infinity() : (n >= N ? 0 : log(inc_beta(max(N - n, 1), max(n, 0) + 1, 1 - theta)));
}

real binomial_lccdf(int n, int<lower=0> N, real<lower=0, upper=1> theta) {
  return n < 0 ? 0 : (n >= N ? negative_infinity() : log(inc_beta(max(n, 0) + 1, max(N - n, 1), theta)));
}
