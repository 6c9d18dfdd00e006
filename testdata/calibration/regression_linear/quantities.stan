data {
  int<lower=0> N;
  vector[N] x;
  vector[N] y;
}
parameters {
  real alpha;
  real beta;
  real<lower=0> sigma;
}
generated quantities {
  real log_likelihood = normal_lpdf(y | alpha + beta * x, sigma);
}
