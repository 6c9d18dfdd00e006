// Generalised linear model of normal outcomes with identity link. Stan Functions Reference, "Normal-id generalized linear
// model (linear regression)".

// normal(y | alpha + x beta, sigma)
real normal_id_glm_lpdf(real y, matrix x, real alpha, vector beta, real<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(real y, matrix x, real alpha, vector beta, vector<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(real y, matrix x, vector alpha, vector beta, real<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(real y, matrix x, vector alpha, vector beta, vector<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, row_vector x, real alpha, vector beta, real<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, row_vector x, real alpha, vector beta, vector<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, row_vector x, vector alpha, vector beta, real<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, row_vector x, vector alpha, vector beta, vector<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, matrix x, real alpha, vector beta, real<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, matrix x, real alpha, vector beta, vector<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, matrix x, vector alpha, vector beta, real<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}

real normal_id_glm_lpdf(vector y, matrix x, vector alpha, vector beta, vector<positive_finite, evident> sigma) {
  return normal_lpdf(y | alpha + x * beta, sigma);
}
