// Poisson distribution with rate lambda. Stan Functions Reference, "Poisson distribution".

// n log lambda - lambda - lgamma(n + 1). Where n = 0 the logarithm is taken of something positive, so
// that 0 log 0 = 0.
real poisson_lpmf(int<lower=0> n, real<nonnegative, finite> lambda) {
  return n * log(lambda + (n == 0)) - lambda - lgamma(n + 1);
}

// With one rate only the total matters.
real poisson_lpmf(array[] int<lower=0> n, real<nonnegative, finite> lambda) {
  int total = sum(n);
  return (total == 0 ? 0 : total * log(lambda)) - size(n) * lambda - sum(lgamma(to_vector(n) + 1));
}

// Q(n + 1, lambda), the complement of the regularised incomplete gamma function
real poisson_cdf(int n, real<nonnegative> lambda) {
  return n < 0 ? 0 : gamma_q(max(n, 0) + 1, lambda);
}

real poisson_lcdf(int n, real<nonnegative> lambda) {
  return n < 0 ? negative_infinity() : log(gamma_q(max(n, 0) + 1, lambda));
}

real poisson_lccdf(int n, real<nonnegative> lambda) {
  return n < 0 ? 0 : log(gamma_p(max(n, 0) + 1, lambda));
}
