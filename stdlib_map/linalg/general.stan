// Square matrices of no particular structure: inverse, solves, determinants.

// A^-1, log |det A| and the sign of det A, by Gauss-Jordan elimination of [A I] with the largest pivot of each column. Rows
// stay where they are; order[j] is the row that was column j's pivot. Higham (2002), "Accuracy and Stability of Numerical
// Algorithms", 14.4.
@call
tuple(matrix, real, real) gauss_jordan(matrix A) {
  int n = rows(A);
  matrix[n, n] unit = identity_matrix(n);
  matrix[n, 2 * n] M = append_col(A, unit);
  vector[n] free = rep_vector(1, n);
  vector[n] pivots;
  array[n] int order;
  for (j in 1:n) {
    vector[n] c = M[:, j];
    vector[n] candidates = abs(c) .* free;
    int p = sort_indices_desc(candidates)[1];
    row_vector[2 * n] r = M[p] / c[p];
    order[j] = p;
    pivots[j] = c[p];
    free[p] = 0;
    c[p] = 0;
    M -= c * r;
    M[p] = r;
  }
  return (block(M[order], 1, n + 1, n, n), sum(log(abs(pivots))),
          prod(sign_of(pivots)) * permutation_sign(order));
}

// A_ = -X' X_ X' + l_ X' for X = A^-1 and l = log |det A|
@vjp(gauss_jordan)
matrix gauss_jordan_vjp(matrix A, matrix X, real l, real s, matrix X_, real l_, real s_) {
  return l_ * X' - X' * X_ * X';
}

vector sign_of(vector x) {
  vector[rows(x)] s;
  for (i in 1:rows(x)) {
    s[i] = (x[i] > 0) - (x[i] < 0);
  }
  return s;
}

// 1 where an even number of pairs of `order` are out of order, else -1.
real permutation_sign(array[] int order) {
  int n = size(order);
  int inversions = 0;
  for (i in 1:n) {
    for (j in 1:n) {
      inversions += i < j && order[i] > order[j];
    }
  }
  return 1 - 2 * (inversions % 2);
}

matrix inverse(matrix<square> A) {
  return gauss_jordan(A).1;
}

real log_determinant(matrix<square> A) {
  return gauss_jordan(A).2;
}

real determinant(matrix<square> A) {
  tuple(matrix[rows(A), rows(A)], real, real) e = gauss_jordan(A);
  return e.3 * exp(e.2);
}

// A^-1 B, and A^-1, which is for the derivative alone. A step of iterative refinement makes up for the multiplication by an
// inverse.
@call
tuple(matrix, matrix) solve_general(matrix A, matrix B) {
  matrix[rows(A), rows(A)] inverse_of_A = inverse(A);
  matrix[rows(B), cols(B)] X = inverse_of_A * B;
  return (X + inverse_of_A * (B - A * X), inverse_of_A);
}

// B_ = A^-T X_, A_ = -B_ X'
@vjp(solve_general)
tuple(matrix, matrix) solve_general_vjp(matrix A, matrix B, matrix X, matrix inverse_of_A, matrix X_, matrix unused) {
  matrix[rows(B), cols(B)] B_ = inverse_of_A' * X_;
  return (-B_ * X', B_);
}

matrix mdivide_left(matrix<square> A, matrix B) {
  return solve_general(A, B).1;
}

vector mdivide_left(matrix<square> A, vector b) {
  return to_vector(solve_general(A, to_matrix(b)).1);
}

// B A^-1 = (A^-T B')'
matrix mdivide_right(matrix B, matrix<square> A) {
  return solve_general(A', B').1';
}

row_vector mdivide_right(row_vector b, matrix<square> A) {
  return to_row_vector(solve_general(A', to_matrix(b')).1);
}
