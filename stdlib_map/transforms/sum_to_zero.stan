// Vectors and matrices that sum to zero: an orthonormal basis of that space times free
// coordinates, so that the Jacobian is constant (and left out). Stan Reference Manual,
// "Zero sum vector", "Zero sum matrix"; Egozcue et al. (2003), "Isometric logratio
// transformations for compositional data analysis".

// The basis H, n rows and n - 1 orthonormal columns: column k has 1 / sqrt(k (k + 1)) in rows 1 to
// k, -k / sqrt(k (k + 1)) in row k + 1, and zeros below.
matrix zero_sum_basis(int n) {
  matrix[n, n - 1] H;
  for (k in 1:(n - 1)) {
    for (i in 1:n) {
      H[i, k] = i > k + 1 ? 0 : (i <= k ? inv_sqrt(k * (k + 1.0)) : -k * inv_sqrt(k * (k + 1.0)));
    }
  }
  return H;
}

// The basis used for either axis of a matrix: column k has -1 / sqrt(k (k + 1)) in rows 1 to k - 1 and
// in row n, k / sqrt(k (k + 1)) in row k, and zeros elsewhere.
matrix zero_sum_matrix_basis(int n) {
  matrix[n, n - 1] G;
  for (k in 1:(n - 1)) {
    for (i in 1:n) {
      G[i, k] = i == k ? k * inv_sqrt(k * (k + 1.0))
                       : (i < k || i == n ? -inv_sqrt(k * (k + 1.0)) : 0);
    }
  }
  return G;
}

// x = H y. Small sizes multiply by H; large ones use its structure: with w_k = y_k / sqrt(k (k + 1)),
// x_i = sum_(k >= i) w_k - (i - 1) w_(i - 1). Where the size is known at run time only, both are traced, and what is not chosen must
// not reach y's gradient: k is made before the branch, and H, which is NaN where it is not chosen, meets zeros.
vector sum_to_zero_constrain(vector y) {
  int N = rows(y);
  vector[N] k = linspaced_vector(N, 1, N);
  if (N <= 64) {
    return zero_sum_basis(N + 1) * (N <= 64 ? y : zeros_vector(N));
  }
  vector[N] w = y ./ sqrt(k .* (k + 1));
  return append_row(reverse(cumulative_sum(reverse(w))), 0) - append_row(0, k .* w);
}

vector sum_to_zero_jacobian(vector y) {
  return sum_to_zero_constrain(y);
}

// y = H' x: y_k = (x_1 + ... + x_k - k x_(k + 1)) / sqrt(k (k + 1))
vector sum_to_zero_unconstrain(vector x) {
  int N = rows(x) - 1;
  if (abs(sum(x)) > 1e-8) {
    reject("sum_to_zero_unconstrain: the vector does not sum to zero");
  }
  vector[N] k = linspaced_vector(N, 1, N);
  return (cumulative_sum(x[1:N]) - k .* x[2:(N + 1)]) ./ sqrt(k .* (k + 1));
}

// X = G Y G'
matrix sum_to_zero_constrain(matrix y) {
  return zero_sum_matrix_basis(rows(y) + 1) * y * zero_sum_matrix_basis(cols(y) + 1)';
}

matrix sum_to_zero_jacobian(matrix y) {
  return sum_to_zero_constrain(y);
}

// Y = G' X G
matrix sum_to_zero_unconstrain(matrix x) {
  return zero_sum_matrix_basis(rows(x))' * x * zero_sum_matrix_basis(cols(x));
}
