// Univariate continuous distributions, scalar and vectorised.
data {
  int<lower=1> N;
  vector<lower=0>[N] y;
  vector[N] x;
}
parameters {
  real mu;
  real<lower=0> s;
  real<lower=0> a;
  vector<lower=0>[N] v;
}
model {
  x ~ skew_normal(mu, s, 0.7);
  x ~ gumbel(mu, s);
  x ~ exp_mod_normal(mu, s, a);
  x ~ von_mises(mu, a);
  x ~ logistic(mu, s);
  y ~ chi_square(a);
  y ~ inv_chi_square(a);
  y ~ scaled_inv_chi_square(a, s);
  y ~ rayleigh(s);
  y ~ frechet(a, s);
  y ~ loglogistic(a, s);
  (y + 1) ~ pareto(0.5, a);
  y ~ pareto_type_2(-0.1, s, a);
  v ~ inv_gamma(a, y);
  v ~ weibull(a + y, s);
  x ~ skew_double_exponential(mu, s, 0.4);
}
