// Multinomial distribution of counts with probabilities softmax(beta). Stan Functions Reference, "Multinomial
// distribution, logit parameterization".

// lgamma(sum n + 1) - sum lgamma(n_k + 1) + sum n_k (beta_k - log sum exp(beta))
real multinomial_logit_lpmf(array[] int<lower=0> n, vector<finite, evident> beta) {
  return lgamma(sum(n) + 1) - sum(lgamma(to_vector(n) + 1))
         + (dot_product(to_vector(n), beta) - sum(n) * log_sum_exp(beta));
}
