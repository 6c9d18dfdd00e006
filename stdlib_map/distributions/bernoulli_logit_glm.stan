// Generalised linear model of Bernoulli outcomes with logit link. Stan Functions Reference,
// "Bernoulli-logit generalized linear model".

// bernoulli_logit(y | alpha + x beta)
real bernoulli_logit_glm_lpmf(int y, matrix x, real alpha, vector beta) {
  return bernoulli_logit_lpmf(y | alpha + x * beta);
}

real bernoulli_logit_glm_lpmf(int y, matrix x, vector alpha, vector beta) {
  return bernoulli_logit_lpmf(y | alpha + x * beta);
}

real bernoulli_logit_glm_lpmf(array[] int y, row_vector x, real alpha, vector beta) {
  return bernoulli_logit_lpmf(y | alpha + x * beta);
}

real bernoulli_logit_glm_lpmf(array[] int y, row_vector x, vector alpha, vector beta) {
  return bernoulli_logit_lpmf(y | alpha + x * beta);
}

real bernoulli_logit_glm_lpmf(array[] int y, matrix x, real alpha, vector beta) {
  return bernoulli_logit_lpmf(y | alpha + x * beta);
}

real bernoulli_logit_glm_lpmf(array[] int y, matrix x, vector alpha, vector beta) {
  return bernoulli_logit_lpmf(y | alpha + x * beta);
}
