// Generalised linear model of ordered outcomes with logit link. Stan Functions Reference, "Ordered logistic generalized linear
// model (ordinal regression)".

// ordered_logistic(y | x beta, c)
real ordered_logistic_glm_lpmf(int y, row_vector x, vector beta, vector c) {
  return ordered_logistic_lpmf(y | x * beta, c);
}

real ordered_logistic_glm_lpmf(int y, matrix x, vector beta, vector c) {
  return ordered_logistic_lpmf(y | x * beta, c);
}

real ordered_logistic_glm_lpmf(array[] int y, row_vector x, vector beta, vector c) {
  return ordered_logistic_lpmf(y | x * beta, c);
}

real ordered_logistic_glm_lpmf(array[] int y, matrix x, vector beta, vector c) {
  return ordered_logistic_lpmf(y | x * beta, c);
}
