// Rows of y are normal with covariance Sigma / w_i. Stan Functions Reference, "Multivariate Gaussian process
// distribution".

// as multi_gp_cholesky, through Sigma = L L'
real multi_gp_lpdf(matrix<finite, evident> y, matrix<finite, symmetric, evident> Sigma, vector<positive_finite, evident> w) {
  return multi_gp_cholesky_lpdf(y | cholesky_decompose(Sigma), w);
}
