// The Cholesky factor of an inverse Wishart distributed matrix with nu degrees of freedom and scale L_S L_S'. Stan
// Functions Reference, "Inverse Wishart distribution, Cholesky Parameterization".

// K log 2 (1 - nu / 2) - lmgamma(K, nu / 2) - |L_W^-1 L_S|^2 / 2 - sum (nu + k) log (L_W)_kk + nu sum log (L_S)_kk
real inv_wishart_cholesky_lpdf(matrix<cholesky_factor, evident> L_W, real nu, matrix<cholesky_factor, evident> L_S) {
  int K = rows(L_W);
  if (nu <= K - 1) {
    reject("inv_wishart_cholesky_lpdf: the degrees of freedom are not greater than the rows less one");
  }
  vector[K] k = linspaced_vector(K, 1, K);
  return (K * log(2) * (1 - 0.5 * nu) - lmgamma(K, 0.5 * nu))
         + (nu * sum(log(diagonal(L_S))) - dot_product(nu + k, log(diagonal(L_W)))
            - 0.5 * sum(square(mdivide_left_tri_low(L_W, L_S))));
}
