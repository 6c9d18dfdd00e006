data {
  int<lower=0> N;
}
generated quantities {
  vector[3] tau;
  matrix[3, 3] Omega = lkj_corr_rng(3, 1.5);
  matrix[2, 2] Sigma = inv_wishart_rng(4, identity_matrix(2));
  array[N] vector[3] y;
  array[N] vector[2] z;
  for (i in 1:3) {
    tau[i] = lognormal_rng(0, 0.5);
  }
  for (n in 1:N) {
    y[n] = multi_normal_rng(rep_vector(0, 3), quad_form_diag(Omega, tau));
    z[n] = multi_normal_rng(rep_vector(0, 2), Sigma);
  }
}
