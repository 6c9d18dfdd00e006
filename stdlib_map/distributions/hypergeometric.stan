// Hypergeometric distribution: n of a white balls in N draws, b others. Stan Functions Reference,
// "Hypergeometric distribution".

// log choose(a, n) + log choose(b, N - n) - log choose(a + b, N)
real hypergeometric_lpmf(int<lower=0, upper=a> n, int<lower=n, upper=n + b> N, int a, int b) {
  return lchoose(a, n) + lchoose(b, N - n)
         - lchoose(a + b, N);
}
