// Multinomial distribution of counts with probabilities theta. Stan Functions Reference, "Multinomial distribution".

// n log x, and 0 where n = 0 whatever x
real count_times_log(int n, real x) {
  return n * log(x + (n == 0));
}

// lgamma(sum n + 1) - sum lgamma(n_k + 1) + sum n_k log theta_k
real multinomial_lpmf(array[] int<lower=0> n, vector<simplex> theta) {
  real weighted = 0;
  for (k in 1:size(n)) {
    weighted += count_times_log(n[k], theta[k]);
  }
  return lgamma(sum(n) + 1) - sum(lgamma(to_vector(n) + 1)) + weighted;
}
