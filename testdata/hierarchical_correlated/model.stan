// Varying effects with a correlation, as the LKJ chapter of the User's Guide has them.
data {
  int<lower=1> N;
  int<lower=1> G;
  array[N] int<lower=1, upper=G> group;
  vector[N] x;
  vector[N] y;
}
parameters {
  vector[2] beta;
  matrix[2, G] z;
  cholesky_factor_corr[2] L_Omega;
  vector<lower=0>[2] tau;
  real<lower=0> sigma;
}
transformed parameters {
  matrix[2, G] u = diag_pre_multiply(tau, L_Omega) * z;
}
model {
  to_vector(z) ~ std_normal();
  L_Omega ~ lkj_corr_cholesky(2);
  tau ~ exponential(1);
  sigma ~ exponential(1);
  beta ~ normal(0, 2);
  for (n in 1:N) {
    y[n] ~ normal(beta[1] + u[1, group[n]] + (beta[2] + u[2, group[n]]) * x[n], sigma);
  }
}
generated quantities {
  matrix[2, 2] Omega = multiply_lower_tri_self_transpose(L_Omega);
}
