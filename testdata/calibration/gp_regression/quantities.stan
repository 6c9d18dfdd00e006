data {
  int<lower=1> N;
  array[N] real x;
  vector[N] y;
}
parameters {
  real<lower=0> rho;
  real<lower=0> alpha;
  real<lower=0> sigma;
}
generated quantities {
  real log_likelihood = multi_normal_lpdf(y | rep_vector(0, N), add_diag(gp_exp_quad_cov(x, alpha, rho), square(sigma)));
}
