// A curved ridge.
parameters {
  real a;
  real b;
}
model {
  a ~ normal(0, 1);
  b ~ normal(square(a), 0.3);
}
