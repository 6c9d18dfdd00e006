// A correlation matrix with standard deviations, and a covariance matrix.
data {
  int<lower=0> N;
  array[N] vector[3] y;
  array[N] vector[2] z;
}
parameters {
  vector<lower=0>[3] tau;
  corr_matrix[3] Omega;
  cov_matrix[2] Sigma;
}
model {
  tau ~ lognormal(0, 0.5);
  Omega ~ lkj_corr(1.5);
  Sigma ~ inv_wishart(4, identity_matrix(2));
  y ~ multi_normal(rep_vector(0, 3), quad_form_diag(Omega, tau));
  z ~ multi_normal(rep_vector(0, 2), Sigma);
}
