// LKJ distribution of correlation matrices with shape eta. Stan Functions Reference, "LKJ correlation
// distribution"; Lewandowski, Kurowicka, Joe (2009), theorem 5.

// The log normalising constant of K x K matrices:
// (K - 1) lgamma(eta + (K - 1) / 2) - sum_(k < K) (k / 2 log pi + lgamma(eta + (K - 1 - k) / 2))
real lkj_normalizer(real eta, int K) {
  vector[K - 1] k = linspaced_vector(K - 1, 1, K - 1);
  return (K - 1) * lgamma(eta + 0.5 * (K - 1)) - 0.25 * K * (K - 1) * log(pi())
         - sum(lgamma(eta + 0.5 * (K - 1 - k)));
}

// normaliser + (eta - 1) log det y
real lkj_corr_lpdf(matrix<corr_matrix, evident> y, real<positive> eta) {
  if (rows(y) < 2) {
    return 0;
  }
  return lkj_normalizer(eta, rows(y)) + 2 * (eta - 1) * sum(log(diagonal(cholesky_decompose(y))));
}
