// Bernoulli distribution with chance of success theta. Stan Functions Reference, "Bernoulli distribution".

// log theta for n = 1, log(1 - theta) for n = 0: the logarithm of one sum, so that no branch is needed
real bernoulli_lpmf(int<lower=0, upper=1> n, real<lower=0, upper=1> theta) {
  return log((1 - n) + (2 * n - 1) * theta);
}

// With one theta only the number of successes matters; what did not occur must not count as 0 log 0.
real bernoulli_lpmf(array[] int<lower=0, upper=1> n, real<lower=0, upper=1> theta) {
  int successes = sum(n);
  int failures = size(n) - successes;
  return (successes == 0 ? 0 : successes * log(theta)) + (failures == 0 ? 0 : failures * log1m(theta));
}

real bernoulli_cdf(int n, real<lower=0, upper=1> theta) {
  return n < 0 ? 0 : (n == 0 ? 1 - theta : 1);
}

real bernoulli_lcdf(int n, real<lower=0, upper=1> theta) {
  return n < 0 ? negative_infinity() : (n == 0 ? log1m(theta) : 0);
}

real bernoulli_lccdf(int n, real<lower=0, upper=1> theta) {
  return n < 0 ? 0 : (n == 0 ? log(theta) : negative_infinity());
}
