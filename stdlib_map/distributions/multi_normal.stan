// Multivariate normal distribution with location mu and covariance Sigma. Stan Functions Reference,
// "Multivariate normal distribution".

// -(y - mu)' Sigma^-1 (y - mu) / 2 - log det Sigma / 2 - K log(2 pi) / 2, through Sigma = L L'
real multi_normal_lpdf(vector<not_nan, evident> y, vector<finite, evident> mu, matrix<symmetric, evident> Sigma) {
  matrix[rows(y), rows(y)] L = cholesky_decompose(Sigma);
  return -0.5 * dot_self(mdivide_left_tri_low(L, y - mu)) - sum(log(diagonal(L)))
         - 0.5 * rows(y) * log(2 * pi());
}
