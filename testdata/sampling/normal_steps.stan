// Normal numbers whose scales differ so much that a unit metric needs long trajectories.
transformed data {
  vector[5] s = [0.6, 1, 3, 12, 40]';
}
parameters {
  vector[5] x;
}
model {
  x ~ normal(0, s);
}
