// Groups of different sizes: segments of one long vector, and loops whose bounds depend on the group.
data {
  int<lower=0> N;
  int<lower=1> G;
  vector[N] y;
  array[G] int<lower=0> size;
}
parameters {
  vector[G] mu;
  real<lower=0> sigma;
}
model {
  int at = 1;
  mu ~ normal(0, 2);
  sigma ~ exponential(1);
  for (g in 1:G) {
    segment(y, at, size[g]) ~ normal(mu[g], sigma);
    at += size[g];
  }
  for (g in 1:G) {
    for (j in 1:size[g]) {
      target += -0.01 * square(mu[g] - j * 0.1);
    }
  }
}
