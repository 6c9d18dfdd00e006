// Inverse Wishart distribution with nu degrees of freedom and scale S. Stan Functions Reference, "Inverse
// Wishart distribution".

// -lmgamma(K, nu / 2) + nu / 2 log det S - (nu + K + 1) / 2 log det W - trace(W^-1 S) / 2 - nu K / 2 log 2
real inv_wishart_lpdf(matrix<symmetric, evident> W, real nu, matrix<symmetric, evident> S) {
  int K = rows(W);
  if (nu <= K - 1) {
    reject("inv_wishart_lpdf: the degrees of freedom are not greater than the rows less one");
  }
  matrix[K, K] L_W = cholesky_decompose(W);
  matrix[K, K] L_S = cholesky_decompose(S);
  return -lmgamma(K, 0.5 * nu) + nu * (sum(log(diagonal(L_S))) - 0.5 * K * log(2))
         - ((nu + K + 1) * sum(log(diagonal(L_W)))
            + 0.5 * sum(square(mdivide_left_tri_low(L_W, L_S))));
}
