// Hypergeometric distribution: n of a white balls in N draws, b others. Stan Functions Reference,
// "Hypergeometric distribution".

// log choose(a, n) + log choose(b, N - n) - log choose(a + b, N)
real hypergeometric_lpmf(int<lower=0, upper=a> n | int<lower=n, upper=n + b> N, int a, int b) {
  return binomial_coefficient_log(a, n) + binomial_coefficient_log(b, N - n)
         - binomial_coefficient_log(a + b, N);
}
