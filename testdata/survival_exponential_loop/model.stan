// Exponential survival with an event indicator and a covariate.
data {
  int<lower=0> N;
  vector<lower=0>[N] t;
  array[N] int<lower=0, upper=1> event;
  vector[N] x;
}
parameters {
  real alpha;
  real beta;
}
model {
  alpha ~ normal(0, 2);
  beta ~ normal(0, 2);
  for (n in 1:N) {
    real rate = exp(alpha + beta * x[n]);
    if (event[n] == 1) {
      t[n] ~ exponential(rate);
    } else {
      target += exponential_lccdf(t[n] | rate);
    }
  }
}
