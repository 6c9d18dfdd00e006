// A strongly correlated normal vector.
transformed data {
  cov_matrix[4] S = [[1, 0.9, 0.5, 0], [0.9, 1, 0.6, 0.1], [0.5, 0.6, 1, -0.4], [0, 0.1, -0.4, 2]];
}
parameters {
  vector[4] x;
}
model {
  x ~ multi_normal([1, -1, 0, 3]', S);
}
