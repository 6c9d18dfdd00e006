// Categorical distribution with probabilities softmax(beta). Stan Functions Reference, "Categorical distribution,
// log-odds parameterization".

// beta_n - log sum exp(beta)
real categorical_logit_lpmf(int<lower=1, upper=rows(beta)> n, vector<finite, evident> beta) {
  return beta[n] - log_sum_exp(beta);
}

real categorical_logit_lpmf(array[] int<lower=1, upper=rows(beta)> n, vector<finite, evident> beta) {
  return sum(beta[n]) - size(n) * log_sum_exp(beta);
}
