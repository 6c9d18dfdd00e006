// Wishart distribution with nu degrees of freedom and scale S. Stan Functions Reference, "Wishart distribution".

// -nu K / 2 log 2 - lmgamma(K, nu / 2) - nu / 2 log det S - trace(S^-1 W) / 2 + (nu - K - 1) / 2 log det W
real wishart_lpdf(matrix<symmetric, evident> W, real nu, matrix<symmetric, evident> S) {
  int K = rows(W);
  if (nu <= K - 1) {
    reject("wishart_lpdf: the degrees of freedom are not greater than the rows less one");
  }
  matrix[K, K] L_W = cholesky_decompose(W);
  matrix[K, K] L_S = cholesky_decompose(S);
  return -0.5 * nu * K * log(2) - lmgamma(K, 0.5 * nu) - nu * sum(log(diagonal(L_S)))
         - 0.5 * sum(square(mdivide_left_tri_low(L_S, L_W)))
         + (nu - K - 1) * sum(log(diagonal(L_W)));
}
