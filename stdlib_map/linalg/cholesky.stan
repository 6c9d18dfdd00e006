// The Cholesky factor, and what is computed through it: solves, inverses and determinants of symmetric positive definite
// matrices. A matrix that is not positive definite gives NaN: the root of a negative pivot.

// L with L L' = A from the lower triangle of A, column by column: with c the part of column j below the diagonal and p the
// pivot, A - c c' / p is what is left, and (p, c) / sqrt(p) is the column of L.
// Golub, Van Loan (2013), "Matrix Computations", 4.2.
matrix cholesky_columns(matrix A) {
  int n = rows(A);
  matrix[n, n] below = strictly_lower_ones(n);
  matrix[n, n] C = A;
  for (j in 1:n) {
    vector[n] column = C[:, j];
    vector[n] c = below[:, j] .* column;
    C -= c * (c' / column[j]);
  }
  return lower_ones(n) .* C ./ rep_matrix(sqrt(diagonal(C))', n);
}

// Zeros in the diagonal blocks of 32 rows, ones elsewhere.
matrix outside_blocks(int n) {
  matrix[n, n] m;
  for (i in 1:n) {
    for (j in 1:n) {
      m[i, j] = (i - 1) %/% 32 != (j - 1) %/% 32;
    }
  }
  return m;
}

// The same with 32 rows of L' at a time: from the columns' factor D of their diagonal block they are D^-1 A, but in that block D' itself,
// which has not gone through an inverse.
matrix cholesky_blocks(matrix A) {
  int count = (rows(A) + 31) %/% 32;
  int n = 32 * count;
  matrix[n, n] unit = identity_matrix(n);
  matrix[n, n] outside = outside_blocks(n);
  matrix[n, n] C = padded_square(A, n);
  array[count] matrix[32, n] panels;
  for (b in 1:count) {
    int first = 32 * b - 31;
    matrix[32, 32] D = cholesky_columns(block(C, first, first, 32, 32));
    matrix[32, n] p = block(outside, first, 1, 32, n) .* (lower_inverse(D) * block(C, first, 1, 32, n))
                      + D' * block(unit, first, 1, 32, n);
    panels[b] = p;
    C -= p' * p;
  }
  return lower_ones(rows(A)) .* block(stacked_blocks(panels, n), 1, 1, rows(A), rows(A))';
}

@call
matrix cholesky_decompose(matrix<square, symmetric, evident> A) {
  matrix[rows(A), rows(A)] L;
  if (rows(A) <= 48) {
    L = cholesky_columns(A);
  } else {
    L = cholesky_blocks(A);
  }
  return L;
}

// A_ = L^-T (P + P') L^-1 with P = L' L_, both with their diagonal halved and nothing above it.
// Murray (2016), "Differentiation of the Cholesky decomposition".
@vjp(cholesky_decompose)
matrix cholesky_decompose_vjp(matrix A, matrix L, matrix L_) {
  int n = rows(L);
  matrix[n, n] half = lower_ones(n) - 0.5 * identity_matrix(n);
  matrix[n, n] P = half .* (L' * L_);
  matrix[n, n] S = P + P';
  if (n <= 32) {
    matrix[n, n] X = lower_inverse(L);
    S = X' * S * X;
  } else {
    S = solve_lower_transposed(L, solve_lower_transposed(L, S)');
  }
  return half .* S;
}

// A^-1 B = L^-T L^-1 B
matrix mdivide_left_spd(matrix<square, symmetric, evident> A, matrix B) {
  matrix[rows(A), rows(A)] L = cholesky_decompose(A);
  return solve_lower_transposed(L, solve_lower(L, B));
}

vector mdivide_left_spd(matrix<square, symmetric, evident> A, vector b) {
  return to_vector(mdivide_left_spd(A, to_matrix(b)));
}

// B A^-1 = (A^-1 B')'
matrix mdivide_right_spd(matrix B, matrix<square, symmetric, evident> A) {
  return mdivide_left_spd(A, B')';
}

row_vector mdivide_right_spd(row_vector b, matrix<square, symmetric, evident> A) {
  return to_row_vector(mdivide_left_spd(A, to_matrix(b')));
}

// (L L')^-1 = L^-T L^-1
matrix chol2inv(matrix<square, lower_triangular, evident> L) {
  return crossprod(solve_lower(L, identity_matrix(rows(L))));
}

@call
matrix inverse_spd(matrix<square, symmetric, evident> A) {
  return chol2inv(cholesky_decompose(A));
}

// A_ = -X X_ X for X = A^-1, which is symmetric
@vjp(inverse_spd)
matrix inverse_spd_vjp(matrix A, matrix X, matrix X_) {
  return -X * X_ * X;
}

// log det A = 2 sum log L_kk
real log_determinant_spd(matrix<square, symmetric, evident> A) {
  return 2 * sum(log(diagonal(cholesky_decompose(A))));
}
