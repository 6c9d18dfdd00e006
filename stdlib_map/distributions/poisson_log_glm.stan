// Generalised linear model of counts with log link. Stan Functions Reference, "Poisson-log generalized linear model".

// poisson_log(y | alpha + x beta)
real poisson_log_glm_lpmf(int y, matrix x, real alpha, vector beta) {
  return poisson_log_lpmf(y | alpha + x * beta);
}

real poisson_log_glm_lpmf(int y, matrix x, vector alpha, vector beta) {
  return poisson_log_lpmf(y | alpha + x * beta);
}

real poisson_log_glm_lpmf(array[] int y, row_vector x, real alpha, vector beta) {
  return poisson_log_lpmf(y | alpha + x * beta);
}

real poisson_log_glm_lpmf(array[] int y, row_vector x, vector alpha, vector beta) {
  return poisson_log_lpmf(y | alpha + x * beta);
}

real poisson_log_glm_lpmf(array[] int y, matrix x, real alpha, vector beta) {
  return poisson_log_lpmf(y | alpha + x * beta);
}

real poisson_log_glm_lpmf(array[] int y, matrix x, vector alpha, vector beta) {
  return poisson_log_lpmf(y | alpha + x * beta);
}
