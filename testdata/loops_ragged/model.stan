// Groups of different sizes, in one vector: segments, branches that return, a distribution of the program's own.
functions {
  real censored_lpdf(real y, real mu, int side) {
    if (side < 0) {
      return logistic_lcdf(y | mu, 1);
    }
    if (side > 0) {
      return logistic_lccdf(y | mu, 1);
    }
    return logistic_lpdf(y | mu, 1);
  }
}
data {
  int<lower=1> G;
  array[G] int<lower=0> size;
  vector[sum(size)] y;
  array[sum(size)] int<lower=-1, upper=1> side;
}
transformed data {
  array[G] int start;
  int next = 1;
  for (g in 1:G) {
    start[g] = next;
    next += size[g];
  }
}
parameters {
  vector[G] mu;
  real<lower=0> tau;
}
transformed parameters {
  vector[G] spread;
  for (g in 1:G) {
    spread[g] = sum(exp(-0.1 * segment(y, start[g], size[g]) * tau));
  }
}
model {
  tau ~ lognormal(0, 1);
  mu ~ normal(0, tau);
  for (g in 1:G) {
    segment(y, start[g], size[g]) ~ student_t(4, mu[g], 1 + tau);
    for (n in start[g]:(start[g] + size[g] - 1)) {
      y[n] ~ censored(mu[g], side[n]);
    }
  }
  target += -0.01 * dot_self(spread);
}
