// Multivariate t distribution with nu degrees of freedom, location mu and scale Sigma. Stan Functions
// Reference, "Multivariate Student-t distribution".

// as multi_student_t_cholesky, through Sigma = L L'
real multi_student_t_lpdf(vector<not_nan, evident> y, real<positive_finite, evident> nu,
                          vector<finite, evident> mu, matrix<symmetric, evident> Sigma) {
  return multi_student_t_cholesky_lpdf(y | nu, mu, cholesky_decompose(Sigma));
}
