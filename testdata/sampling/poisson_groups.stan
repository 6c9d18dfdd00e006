// Counts in groups.
transformed data {
  array[18] int g = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6};
  array[18] int y = {3, 5, 4, 1, 0, 2, 9, 7, 12, 4, 4, 3, 2, 1, 2, 6, 7, 5};
}
parameters {
  real alpha;
  real<lower=0> sigma;
  vector[6] u;
}
model {
  alpha ~ normal(0, 2);
  sigma ~ normal(0, 1);
  u ~ std_normal();
  y ~ poisson_log(alpha + sigma * u[g]);
}
