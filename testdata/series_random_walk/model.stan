// Local level model, vectorised over differences.
data {
  int<lower=2> T;
  vector[T] y;
}
parameters {
  vector[T] level;
  real<lower=0> s_level;
  real<lower=0> s_obs;
}
model {
  s_level ~ normal(0, 1);
  s_obs ~ normal(0, 1);
  level[1] ~ normal(y[1], 1);
  level[2:T] ~ normal(level[1:(T - 1)], s_level);
  y ~ normal(level, s_obs);
}
