// A correlation matrix and scales.
transformed data {
  array[6] vector[3] y = {[0.5, 1.2, -0.3]', [-0.7, -1.5, 0.4]', [1.1, 0.9, 0.8]', [0.2, -0.4, 1.3]', [-1.3, -0.8, -0.9]', [0.4, 1.1, 0.1]'};
}
parameters {
  cholesky_factor_corr[3] L;
  vector<lower=0>[3] s;
}
model {
  L ~ lkj_corr_cholesky(2);
  s ~ lognormal(0, 0.5);
  y ~ multi_normal_cholesky(rep_vector(0, 3), diag_pre_multiply(s, L));
}
