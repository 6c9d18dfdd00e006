// Weibull survival times with right censoring, through the complementary distribution function.
data {
  int<lower=0> N;
  int<lower=0> M;
  vector<lower=0>[N] t_observed;
  vector<lower=0>[M] t_censored;
}
parameters {
  real<lower=0> alpha;
  real<lower=0> sigma;
}
model {
  alpha ~ lognormal(0, 1);
  sigma ~ lognormal(1, 1);
  t_observed ~ weibull(alpha, sigma);
  target += weibull_lccdf(t_censored | alpha, sigma);
}
