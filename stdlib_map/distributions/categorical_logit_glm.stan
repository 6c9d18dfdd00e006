// Generalised linear model of categorical outcomes with softmax link. Stan Functions Reference,
// "Categorical-logit generalized linear model (softmax regression)".

// categorical_logit(y_i | alpha + (x_i beta)')
real categorical_logit_glm_lpmf(int y, row_vector x, vector alpha, matrix beta) {
  return categorical_logit_lpmf(y | alpha + (x * beta)');
}

real categorical_logit_glm_lpmf(array[] int y, row_vector x, vector alpha, matrix beta) {
  return categorical_logit_lpmf(y | alpha + (x * beta)');
}

real categorical_logit_glm_lpmf(int y, matrix x, vector alpha, matrix beta) {
  matrix[rows(x), cols(beta)] eta = x * beta;
  real lp = 0;
  for (i in 1:rows(x)) {
    lp += categorical_logit_lpmf(y | alpha + eta[i]');
  }
  return lp;
}

real categorical_logit_glm_lpmf(array[] int y, matrix x, vector alpha, matrix beta) {
  matrix[rows(x), cols(beta)] eta = x * beta;
  real lp = 0;
  for (i in 1:rows(x)) {
    lp += categorical_logit_lpmf(y[i] | alpha + eta[i]');
  }
  return lp;
}
