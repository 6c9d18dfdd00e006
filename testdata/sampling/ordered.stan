// The ordered cutpoints of a rating scale.
transformed data {
  array[12] int y = {1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 2, 1};
  vector[12] x = [-1.2, -0.9, 0.1, 0.3, -0.2, 0.6, 0.9, 1.2, 0.4, 1.7, -0.5, -0.4]';
}
parameters {
  real beta;
  ordered[3] c;
}
model {
  beta ~ normal(0, 2);
  c ~ normal(0, 3);
  y ~ ordered_logistic(x * beta, c);
}
