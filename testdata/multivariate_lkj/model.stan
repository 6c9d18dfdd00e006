// Multivariate outcomes with a Cholesky factor of a correlation matrix.
data {
  int<lower=1> N;
  int<lower=1> K;
  array[N] vector[K] y;
}
parameters {
  vector[K] mu;
  cholesky_factor_corr[K] L;
  vector<lower=0>[K] tau;
  real<lower=2> nu;
}
transformed parameters {
  matrix[K, K] L_Sigma = diag_pre_multiply(tau, L);
}
model {
  mu ~ normal(0, 2);
  tau ~ gamma(2, 1);
  L ~ lkj_corr_cholesky(1.5);
  nu ~ gamma(2, 0.1);
  y ~ multi_normal_cholesky(mu, L_Sigma);
  y ~ multi_student_t(nu, mu, multiply_lower_tri_self_transpose(L_Sigma));
}
