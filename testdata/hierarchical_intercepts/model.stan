// Varying intercepts and slopes, gathered by group.
data {
  int<lower=1> N;
  int<lower=1> G;
  array[N] int<lower=1, upper=G> group;
  vector[N] x;
  vector[N] y;
}
parameters {
  real mu_a;
  real mu_b;
  real<lower=0> sigma_a;
  real<lower=0> sigma_b;
  vector<offset=mu_a, multiplier=sigma_a>[G] a;
  vector[G] b;
  real<lower=0> sigma;
}
model {
  mu_a ~ normal(0, 3);
  mu_b ~ normal(0, 3);
  sigma_a ~ normal(0, 1);
  sigma_b ~ normal(0, 1);
  sigma ~ normal(0, 1);
  a ~ normal(mu_a, sigma_a);
  b ~ normal(mu_b, sigma_b);
  y ~ normal(a[group] + b[group] .* x, sigma);
}
