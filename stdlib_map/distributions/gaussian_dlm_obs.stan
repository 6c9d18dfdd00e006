// Observations of a Gaussian dynamic linear model: y_t = F' theta_t + noise (V), theta_t = G theta_(t - 1) + noise (W),
// theta_0 normal (m0, C0). Stan Functions Reference, "Gaussian dynamic linear models"; the Kalman filter gives the log density as
// the sum over t of that of the forecast error.

real gaussian_dlm_obs_lpdf(matrix<finite, evident> y, matrix<finite, evident> F, matrix<finite, square, evident> G,
                           matrix<finite, symmetric, evident> V, matrix<finite, symmetric, evident> W,
                           vector<finite, evident> m0, matrix<finite, symmetric, evident> C0) {
  int r = rows(y);
  int n = rows(G);
  vector[n] m = m0;
  matrix[n, n] C = C0;
  real lp = 0;
  for (t in 1:cols(y)) {
    vector[n] a = G * m;
    matrix[n, n] R = G * C * G' + W;
    matrix[n, r] RF = R * F;
    matrix[r, r] L = cholesky_decompose(F' * RF + V);
    vector[r] e = mdivide_left_tri_low(L, y[:, t] - F' * a);
    matrix[r, n] B = mdivide_left_tri_low(L, RF');
    m = a + B' * e;
    C = R - crossprod(B);
    lp += -0.5 * dot_self(e) - sum(log(diagonal(L)));
  }
  return lp - 0.5 * r * cols(y) * log(2 * pi());
}

// V the diagonal of the observation covariance: the elements of y_t enter one by one.
real gaussian_dlm_obs_lpdf(matrix<finite, evident> y, matrix<finite, evident> F, matrix<finite, square, evident> G,
                           vector<nonnegative, finite> V, matrix<finite, symmetric, evident> W,
                           vector<finite, evident> m0, matrix<finite, symmetric, evident> C0) {
  int r = rows(y);
  int n = rows(G);
  vector[n] m = m0;
  matrix[n, n] C = C0;
  real lp = 0;
  for (t in 1:cols(y)) {
    m = G * m;
    C = G * C * G' + W;
    for (j in 1:r) {
      vector[n] CF = C * F[:, j];
      real Q = dot_product(CF, F[:, j]) + V[j];
      real e = y[j, t] - dot_product(F[:, j], m);
      m += CF * (e / Q);
      C -= CF * CF' / Q;
      lp += -0.5 * (log(Q) + square(e) / Q);
    }
  }
  return lp - 0.5 * r * cols(y) * log(2 * pi());
}
