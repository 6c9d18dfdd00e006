// Simplexes: the softmax of a vector that sums to zero (isometric log ratio transform). Stan
// Reference Manual, "Unit simplex", since 2.37.

// z = H y, x = softmax(z)
vector simplex_constrain(vector y) {
  vector[rows(y) + 1] z = sum_to_zero_constrain(y);
  return exp(z - log_sum_exp(z));
}

// log |det J| = sum log x_k + log(K) / 2 = -K log sum exp(z) + log(K) / 2, for sum z_k = 0
vector simplex_jacobian(vector y) {
  int K = rows(y) + 1;
  vector[K] z = sum_to_zero_constrain(y);
  real total = log_sum_exp(z);
  jacobian += 0.5 * log(K) - K * total;
  return exp(z - total);
}

// y_k = (sum_(j <= k) log x_j - k log x_(k + 1)) / sqrt(k (k + 1))
vector simplex_unconstrain(vector<simplex> x) {
  int N = rows(x) - 1;
  vector[N + 1] z = log(x);
  vector[N] k = linspaced_vector(N, 1, N);
  return (cumulative_sum(z[1:N]) - k .* z[2:(N + 1)]) ./ sqrt(k .* (k + 1));
}

// Matrices whose columns are simplexes; y has one row less.
matrix stochastic_column_constrain(matrix y) {
  matrix[rows(y) + 1, cols(y)] x;
  for (m in 1:cols(y)) {
    x[:, m] = simplex_constrain(y[:, m]);
  }
  return x;
}

matrix stochastic_column_jacobian(matrix y) {
  matrix[rows(y) + 1, cols(y)] x;
  for (m in 1:cols(y)) {
    x[:, m] = simplex_jacobian(y[:, m]);
  }
  return x;
}

matrix stochastic_column_unconstrain(matrix x) {
  matrix[rows(x) - 1, cols(x)] y;
  for (m in 1:cols(x)) {
    y[:, m] = simplex_unconstrain(x[:, m]);
  }
  return y;
}

// Matrices whose rows are simplexes; y has one column less.
matrix stochastic_row_constrain(matrix y) {
  matrix[rows(y), cols(y) + 1] x;
  for (n in 1:rows(y)) {
    x[n] = simplex_constrain(y[n]')';
  }
  return x;
}

matrix stochastic_row_jacobian(matrix y) {
  matrix[rows(y), cols(y) + 1] x;
  for (n in 1:rows(y)) {
    x[n] = simplex_jacobian(y[n]')';
  }
  return x;
}

matrix stochastic_row_unconstrain(matrix x) {
  matrix[rows(x), cols(x) - 1] y;
  for (n in 1:rows(x)) {
    y[n] = simplex_unconstrain(x[n]')';
  }
  return y;
}
