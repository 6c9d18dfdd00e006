// Generalised linear model of binomial outcomes with logit link. Stan Functions Reference,
// "Binomial-logit generalized linear model".

// binomial_logit(n | N, alpha + x beta)
real binomial_logit_glm_lpmf(int n, int N, matrix x, real alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(int n, int N, matrix x, vector alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(int n, array[] int N, matrix x, real alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(array[] int n, int N, matrix x, real alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(array[] int n, array[] int N, row_vector x, real alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(array[] int n, array[] int N, row_vector x, vector alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(array[] int n, array[] int N, matrix x, real alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}

real binomial_logit_glm_lpmf(array[] int n, array[] int N, matrix x, vector alpha, vector beta) {
  return binomial_logit_lpmf(n | N, alpha + x * beta);
}
