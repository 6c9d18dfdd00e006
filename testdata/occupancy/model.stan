// Latent discrete occupancy, marginalised with a branch on data.
data {
  int<lower=0> R;
  int<lower=1> T;
  array[R, T] int<lower=0, upper=1> y;
  vector[R] x;
}
transformed data {
  array[R] int total;
  int seen = 0;
  for (i in 1:R) {
    total[i] = sum(y[i]);
    if (total[i] > 0) {
      seen += 1;
    }
  }
}
parameters {
  real a;
  real b;
  real p_logit;
}
model {
  a ~ normal(0, 2);
  b ~ normal(0, 2);
  p_logit ~ normal(0, 2);
  for (i in 1:R) {
    real psi = a + b * x[i];
    if (total[i] > 0) {
      target += log_inv_logit(psi) + binomial_logit_lpmf(total[i] | T, p_logit);
    } else {
      target += log_sum_exp(log_inv_logit(psi) + bernoulli_logit_lpmf(y[i] | p_logit), log1m_inv_logit(psi));
    }
  }
}
generated quantities {
  int N_seen = seen;
}
