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
generated quantities {
  real log_likelihood = multi_normal_lpdf(y | rep_vector(0, 3), quad_form_diag(Omega, tau)) + multi_normal_lpdf(z | rep_vector(0, 2), Sigma);
}
