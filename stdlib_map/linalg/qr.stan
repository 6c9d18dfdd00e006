// QR decompositions by Householder reflections; the diagonal of R is made nonnegative. Golub, Van Loan (2013), "Matrix
// Computations", 5.2.

// Column j of X is reflected onto beta e_j, from row j on, with beta = -sign(x_j) |x|: I - v v' / (beta (beta - x_j)) for v = x - beta e_j.
// Reflects the rows of [A I], which gives [R Q'].
tuple(matrix, matrix) householder_qr(matrix A) {
  int m = rows(A);
  int n = cols(A);
  matrix[m, n + m] X = append_col(A, identity_matrix(m));
  matrix[m, m] from = lower_ones(m);
  matrix[m, m] unit = identity_matrix(m);
  for (j in 1:min(m - 1, n)) {
    vector[m] x = from[:, j] .* X[:, j];
    real a = X[j, j];
    real length = norm2(x);
    real beta = a >= 0 ? -length : length;
    vector[m] v = x - beta * unit[:, j];
    real scale = beta * (beta - a);
    X -= v * ((v' * X) / (scale == 0 ? 1 : scale));
  }
  vector[m] flip = rep_vector(1, m);
  for (i in 1:min(m, n)) {
    flip[i] = X[i, i] < 0 ? -1 : 1;
  }
  X = diag_pre_multiply(flip, X);
  return (block(X, 1, n + 1, m, m)', upper_part(block(X, 1, 1, m, n)));
}

matrix upper_part(matrix A) {
  matrix[rows(A), cols(A)] U;
  for (i in 1:rows(A)) {
    for (j in 1:cols(A)) {
      U[i, j] = i <= j ? A[i, j] : 0;
    }
  }
  return U;
}

tuple(matrix, matrix) qr(matrix A) {
  return householder_qr(A);
}

matrix qr_Q(matrix A) {
  return householder_qr(A).1;
}

matrix qr_R(matrix A) {
  return householder_qr(A).2;
}

// The first min(m, n) columns of Q and rows of R.
tuple(matrix, matrix) qr_thin(matrix A) {
  int m = rows(A);
  int n = cols(A);
  int k = min(m, n);
  tuple(matrix[m, m], matrix[m, n]) t = householder_qr(A);
  return (block(t.1, 1, 1, m, k), block(t.2, 1, 1, k, n));
}

matrix qr_thin_Q(matrix A) {
  return qr_thin(A).1;
}

matrix qr_thin_R(matrix A) {
  return qr_thin(A).2;
}
