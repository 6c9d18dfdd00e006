// Multivariate normal in three parameterisations.
data {
  int<lower=1> N;
  int<lower=1> K;
  array[N] vector[K] y;
}
parameters {
  vector[K] mu;
  cov_matrix[K] Sigma;
  corr_matrix[K] Omega;
  vector<lower=0>[K] tau;
}
model {
  tau ~ cauchy(0, 2.5);
  Omega ~ lkj_corr(2);
  Sigma ~ wishart(K + 2, identity_matrix(K));
  y ~ multi_normal(mu, quad_form_diag(Omega, tau));
  y ~ multi_normal(rep_vector(0, K), Sigma);
  mu ~ multi_normal_prec(rep_vector(0, K), Sigma);
}
