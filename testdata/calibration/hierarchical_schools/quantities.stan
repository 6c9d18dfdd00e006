data {
  int<lower=0> J;
  array[J] real y;
  array[J] real<lower=0> sigma;
}
parameters {
  vector[J] theta;
}
generated quantities {
  real log_likelihood = normal_lpdf(y | theta, sigma);
}
