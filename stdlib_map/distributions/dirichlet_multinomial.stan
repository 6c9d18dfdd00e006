// Multinomial distribution with Dirichlet distributed probabilities. Stan Functions Reference,
// "Dirichlet-multinomial distribution".

// log N + lbeta(sum alpha, N) - sum over n_k > 0 of (log n_k + lbeta(alpha_k, n_k)), N = sum n
real dirichlet_multinomial_lpmf(array[] int<lower=0> n, vector<positive_finite> alpha) {
  int N = sum(n);
  if (N == 0) {
    return 0;
  }
  real logs = 0;
  real betas = 0;
  for (k in 1:size(n)) {
    if (n[k] > 0) {
      logs += log(n[k]);
      betas += lbeta(alpha[k], n[k]);
    }
  }
  return (log(N) - logs) + (lbeta(sum(alpha), N) - betas);
}
