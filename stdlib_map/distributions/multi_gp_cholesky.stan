// Rows of y are normal with covariance L L' / w_i. Stan Functions Reference, "Multivariate Gaussian process distribution,
// Cholesky parameterization".

// sum over rows of -N / 2 log(2 pi) - sum log L_kk + N / 2 log w_i - w_i |L^-1 y_i|^2 / 2, N the columns of y
real multi_gp_cholesky_lpdf(matrix<finite, evident> y, matrix<cholesky_factor, evident> L, vector<positive_finite, evident> w) {
  return -0.5 * dot_product(columns_dot_self(mdivide_left_tri_low(L, y')), w)
         - rows(y) * sum(log(diagonal(L))) + 0.5 * cols(y) * sum(log(w))
         - 0.5 * rows(y) * cols(y) * log(2 * pi());
}
