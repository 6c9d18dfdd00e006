// LKJ distribution of the Cholesky factors of correlation matrices. Stan Functions Reference, "Cholesky LKJ
// correlation distribution".

// normaliser + sum_(k >= 2) (K - k + 2 eta - 2) log L_kk
real lkj_corr_cholesky_lpdf(matrix<cholesky_factor, evident> L, real<positive> eta) {
  int K = rows(L);
  if (K < 2) {
    return 0;
  }
  vector[K - 1] k = linspaced_vector(K - 1, 2, K);
  return lkj_normalizer(eta, K) + dot_product(K - k + (2 * eta - 2), log(diagonal(L)[2:K]));
}
