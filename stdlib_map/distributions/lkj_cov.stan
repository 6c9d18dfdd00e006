// Covariance matrices whose standard deviations are lognormal and whose correlations are LKJ distributed.

// lognormal(sd | mu, sigma) + lkj_corr(y scaled to correlations | eta)
real lkj_cov_lpdf(matrix<finite, evident> y, vector mu, vector sigma, real<positive> eta) {
  vector[rows(y)] sd = sqrt(diagonal(y));
  return lognormal_lpdf(sd | mu, sigma) + lkj_corr_lpdf(quad_form_diag(y, inv(sd)) | eta);
}
