// Diagonals, and diagonal matrices.

matrix identity_matrix(int<lower=0> n) {
  matrix[n, n] m;
  for (i in 1:n) {
    for (j in 1:n) {
      m[i, j] = i == j;
    }
  }
  return m;
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
  return add_diag(rep_matrix(0, rows(v), rows(v)), v);
}

// A with v, or one number, added to its diagonal
matrix add_diag(matrix A, vector v) {
  matrix[rows(A), cols(A)] S = A;
  for (i in 1:min(rows(A), cols(A))) {
    S[i, i] += v[i];
  }
  return S;
}

matrix add_diag(matrix A, real x) {
  matrix[rows(A), cols(A)] S = A;
  for (i in 1:min(rows(A), cols(A))) {
    S[i, i] += x;
  }
  return S;
}

// diag(v) A
matrix diag_pre_multiply(vector v, matrix A) {
  return rep_matrix(v, cols(A)) .* A;
}

// A diag(v)
matrix diag_post_multiply(matrix A, vector v) {
  return A .* rep_matrix(v', rows(A));
}
