// Positive and proportional outcomes.
data {
  int<lower=0> N;
  vector<lower=0>[N] t;
  vector<lower=0, upper=1>[N] u;
  vector[N] x;
}
parameters {
  vector[2] b;
  vector[2] c;
  real<lower=0> shape;
  real<lower=0> kappa;
}
model {
  vector[N] mu = exp(b[1] + b[2] * x);
  vector[N] m = inv_logit(c[1] + c[2] * x);
  b ~ std_normal();
  c ~ std_normal();
  shape ~ inv_gamma(2, 1);
  kappa ~ lognormal(1, 1);
  t ~ gamma(shape, shape ./ mu);
  u ~ beta(m * kappa, (1 - m) * kappa);
  u ~ beta_proportion(m, kappa);
}
