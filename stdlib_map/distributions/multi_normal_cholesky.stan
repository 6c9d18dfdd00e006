// Multivariate normal distribution with location mu and covariance L L'. Stan Functions Reference,
// "Multivariate normal distribution, Cholesky parameterization".

// -|L^-1 (y - mu)|^2 / 2 - sum log L_kk - K log(2 pi) / 2
real multi_normal_cholesky_lpdf(vector<not_nan, evident> y, vector<finite, evident> mu,
                                matrix<cholesky_factor, evident> L) {
  return -0.5 * dot_self(mdivide_left_tri_low(L, y - mu)) - sum(log(diagonal(L)))
         - 0.5 * rows(y) * log(2 * pi());
}
