// Multivariate normal distribution with location mu and precision Omega. Stan Functions Reference,
// "Multivariate normal distribution, precision parameterization".

// -(y - mu)' Omega (y - mu) / 2 + log det Omega / 2 - K log(2 pi) / 2
real multi_normal_prec_lpdf(vector<not_nan, evident> y, vector<finite, evident> mu,
                            matrix<symmetric, evident> Omega) {
  vector[rows(y)] d = y - mu;
  return -0.5 * dot_product(d, Omega * d) + sum(log(diagonal(cholesky_decompose(Omega))))
         - 0.5 * rows(y) * log(2 * pi());
}
