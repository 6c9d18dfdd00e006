// Multivariate t distribution with nu degrees of freedom, location mu and scale L L'. Stan Functions
// Reference, "Multivariate Student-t distribution, Cholesky parameterization".

// lgamma((nu + K) / 2) - lgamma(nu / 2) - K / 2 log nu - K / 2 log pi - sum log L_kk
//   - (nu + K) / 2 log(1 + |L^-1 (y - mu)|^2 / nu)
real multi_student_t_cholesky_lpdf(vector<not_nan, evident> y, real<positive_finite, evident> nu,
                                   vector<finite, evident> mu, matrix<cholesky_factor, evident> L) {
  int K = rows(y);
  return (lgamma(0.5 * (nu + K)) - lgamma(0.5 * nu) - 0.5 * K * log(nu)) - 0.5 * K * log(pi())
         - sum(log(diagonal(L)))
         - 0.5 * (nu + K) * log1p(dot_self(mdivide_left_tri_low(L, y - mu)) / nu);
}
