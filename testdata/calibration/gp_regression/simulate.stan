data {
  int<lower=1> N;
  array[N] real x;
}
generated quantities {
  real rho = gamma_rng(25, 4);
  real alpha = abs(normal_rng(0, 2));
  real sigma = abs(normal_rng(0, 1));
  vector[N] y = multi_normal_rng(rep_vector(0, N), add_diag(gp_exp_quad_cov(x, alpha, rho), square(sigma)));
}
