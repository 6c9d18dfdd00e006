// Diagonals, and diagonal matrices.

matrix identity_matrix(int<lower=0> n) {
  return diagonal_ones(n, n);
}

matrix diagonal_ones(int m, int n) {
  matrix[m, n] D;
  for (i in 1:m) {
    for (j in 1:n) {
      D[i, j] = i == j;
    }
  }
  return D;
}

vector diagonal(matrix A) {
  int n = min(rows(A), cols(A));
  vector[n] d;
  for (i in 1:n) {
    d[i] = A[i, i];
  }
  return d;
}

matrix diag_matrix(vector v) {
  return rep_matrix(v, rows(v)) .* identity_matrix(rows(v));
}

// A with v, or one number, added to its diagonal
matrix add_diag(matrix A, vector v) {
  return A + rep_matrix(v, cols(A)) .* diagonal_ones(rows(A), cols(A));
}

matrix add_diag(matrix A, real x) {
  return A + x * diagonal_ones(rows(A), cols(A));
}

// diag(v) A
matrix diag_pre_multiply(vector v, matrix A) {
  return rep_matrix(v, cols(A)) .* A;
}

// A diag(v)
matrix diag_post_multiply(matrix A, vector v) {
  return A .* rep_matrix(v', rows(A));
}
