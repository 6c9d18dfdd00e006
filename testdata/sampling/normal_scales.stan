// Independent normal numbers of very different scales.
transformed data {
  vector[8] s = [0.05, 0.1, 0.3, 1, 1, 2, 5, 20]';
}
parameters {
  vector[8] x;
}
model {
  x ~ normal(0, s);
}
