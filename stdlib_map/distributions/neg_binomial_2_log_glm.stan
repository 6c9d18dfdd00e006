// Generalised linear model of overdispersed counts with log link. Stan Functions Reference,
// "Negative-binomial-2-log generalized linear model".

// One outcome with log location theta, in the terms that Stan groups here (other than neg_binomial_2_log):
// lgamma(n + phi) - lgamma phi - lgamma(n + 1) + phi log phi + n theta - (n + phi) log(exp(theta) + phi)
real neg_binomial_2_log_outcome_lpmf(int<lower=0> n, real<finite, evident> theta, real<positive_finite, evident> phi) {
  real log_phi = log(phi);
  return -lgamma(n + 1) + phi * log_phi + lgamma_ratio(phi, n)
         - (n + phi) * (log_phi + log1p_exp(theta - log_phi)) + n * theta;
}

real neg_binomial_2_log_glm_lpmf(int y, matrix x, real alpha, vector beta, real phi) {
  return neg_binomial_2_log_outcome_lpmf(y | alpha + x * beta, phi);
}

real neg_binomial_2_log_glm_lpmf(int y, matrix x, vector alpha, vector beta, real phi) {
  return neg_binomial_2_log_outcome_lpmf(y | alpha + x * beta, phi);
}

real neg_binomial_2_log_glm_lpmf(array[] int y, row_vector x, real alpha, vector beta, real phi) {
  return neg_binomial_2_log_outcome_lpmf(y | alpha + x * beta, phi);
}

real neg_binomial_2_log_glm_lpmf(array[] int y, row_vector x, vector alpha, vector beta, real phi) {
  return neg_binomial_2_log_outcome_lpmf(y | alpha + x * beta, phi);
}

real neg_binomial_2_log_glm_lpmf(array[] int y, matrix x, real alpha, vector beta, real phi) {
  return neg_binomial_2_log_outcome_lpmf(y | alpha + x * beta, phi);
}

real neg_binomial_2_log_glm_lpmf(array[] int y, matrix x, vector alpha, vector beta, real phi) {
  return neg_binomial_2_log_outcome_lpmf(y | alpha + x * beta, phi);
}
