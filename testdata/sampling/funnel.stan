// A funnel (Neal 2003), milder than the usual one.
parameters {
  real y;
  vector[4] x;
}
model {
  y ~ normal(0, 2);
  x ~ normal(0, exp(y / 2));
}
