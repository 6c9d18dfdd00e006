// Triangular matrices: masks, inverses, solves.
//
// The inverse of a lower triangular matrix is built from those of its diagonal blocks, whose size doubles in each
// step: [P 0; Q R]^-1 = [P^-1 0; -R^-1 Q P^-1 R^-1]. That is a handful of matrix products in place of a loop over rows.
// Golub, Van Loan (2013), "Matrix Computations", 3.1. Matrices of more than 32 rows are taken in blocks of 32.

// Ones at and below the diagonal.
matrix lower_ones(int n) {
  matrix[n, n] m;
  for (i in 1:n) {
    for (j in 1:n) {
      m[i, j] = i >= j;
    }
  }
  return m;
}

// Ones below the diagonal.
matrix strictly_lower_ones(int n) {
  matrix[n, n] m;
  for (i in 1:n) {
    for (j in 1:n) {
      m[i, j] = i > j;
    }
  }
  return m;
}

// Ones where two neighbouring diagonal blocks of size s meet: rows of the second, columns of the first.
matrix between_blocks(int n, int s) {
  matrix[n, n] m;
  for (i in 1:n) {
    for (j in 1:n) {
      m[i, j] = (i - 1) %/% (2 * s) == (j - 1) %/% (2 * s) && (i - 1) %/% s > (j - 1) %/% s;
    }
  }
  return m;
}

// X holds the inverses of the diagonal blocks of N of size s; the result those of size 2 s.
matrix join_blocks(matrix X, matrix N, int s) {
  return X - X * (between_blocks(rows(N), s) .* N) * X;
}

// L^-1 for up to 32 rows, as D^-1 N^-1 for L = N D with a diagonal of ones in N. Only the lower triangle of L is read.
matrix lower_inverse(matrix L) {
  int n = rows(L);
  vector[n] r = inv(diagonal(L));
  matrix[n, n] X = identity_matrix(n);
  if (n > 1) {
    matrix[n, n] N = diag_post_multiply(L, r);
    X -= between_blocks(n, 1) .* N;
    if (n > 2) {
      X = join_blocks(X, N, 2);
    }
    if (n > 4) {
      X = join_blocks(X, N, 4);
    }
    if (n > 8) {
      X = join_blocks(X, N, 8);
    }
    if (n > 16) {
      X = join_blocks(X, N, 16);
    }
  }
  return diag_pre_multiply(r, X);
}

// A filled up to n rows and columns by those of the identity.
matrix padded_square(matrix A, int n) {
  int more = n - rows(A);
  return append_row(append_col(A, rep_matrix(0, rows(A), more)),
                    append_col(rep_matrix(0, more, rows(A)), identity_matrix(more)));
}

matrix padded_rows(matrix A, int n) {
  return append_row(A, rep_matrix(0, n - rows(A), cols(A)));
}

// The inverses of the diagonal blocks of 32 rows of a lower triangular matrix.
array[] matrix inverses_of_blocks(matrix L) {
  int count = rows(L) %/% 32;
  array[count] matrix[32, 32] X;
  for (b in 1:count) {
    matrix[32, 32] D;
    for (i in 1:32) {
      for (j in 1:32) {
        D[i, j] = L[32 * (b - 1) + i, 32 * (b - 1) + j];
      }
    }
    X[b] = lower_inverse(D);
  }
  return X;
}

// The first n rows of blocks set below one another.
matrix stacked_blocks(array[] matrix X, int n) {
  matrix[n, cols(X[1])] Y;
  for (i in 1:n) {
    Y[i] = X[(i - 1) %/% 32 + 1, (i - 1) % 32 + 1];
  }
  return Y;
}

// L^-1 B block by block, each block's part taken off the rest of B.
matrix solve_lower_blocks(matrix L, matrix B) {
  int count = (rows(L) + 31) %/% 32;
  int n = 32 * count;
  int k = cols(B);
  matrix[n, n] P = padded_square(lower_ones(rows(L)) .* L, n);
  array[count] matrix[32, 32] inverses = inverses_of_blocks(P);
  array[count] matrix[32, k] X;
  matrix[n, k] R = padded_rows(B, n);
  for (b in 1:count) {
    matrix[32, k] x = inverses[b] * block(R, 32 * b - 31, 1, 32, k);
    X[b] = x;
    R -= block(P, 1, 32 * b - 31, n, 32) * x;
  }
  return stacked_blocks(X, rows(L));
}

// L^-T B, from the last block to the first.
matrix solve_lower_transposed_blocks(matrix L, matrix B) {
  int count = (rows(L) + 31) %/% 32;
  int n = 32 * count;
  int k = cols(B);
  matrix[n, n] P = padded_square(lower_ones(rows(L)) .* L, n);
  array[count] matrix[32, 32] inverses = inverses_of_blocks(P);
  array[count] matrix[32, k] X;
  matrix[n, k] R = padded_rows(B, n);
  for (a in 1:count) {
    int b = count + 1 - a;
    matrix[32, k] x = inverses[b]' * block(R, 32 * b - 31, 1, 32, k);
    X[a] = x;
    R -= block(P, 32 * b - 31, 1, 32, n)' * x;
  }
  return stacked_blocks(reverse(X), rows(L));
}

// L^-1 B, for the lower triangle of L.
@call
matrix solve_lower(matrix L, matrix B) {
  matrix[rows(B), cols(B)] X;
  if (rows(L) <= 32) {
    X = lower_inverse(L) * B;
  } else {
    X = solve_lower_blocks(L, B);
  }
  return X;
}

// B_ = L^-T X_, L_ = -B_ X' in its lower triangle
@vjp(solve_lower)
tuple(matrix, matrix) solve_lower_vjp(matrix L, matrix B, matrix X, matrix X_) {
  matrix[rows(B), cols(B)] B_ = solve_lower_transposed(L, X_);
  return (-lower_ones(rows(L)) .* (B_ * X'), B_);
}

// L^-T B, for the lower triangle of L.
@call
matrix solve_lower_transposed(matrix L, matrix B) {
  matrix[rows(B), cols(B)] X;
  if (rows(L) <= 32) {
    X = lower_inverse(L)' * B;
  } else {
    X = solve_lower_transposed_blocks(L, B);
  }
  return X;
}

// B_ = L^-1 X_, L_ = -X B_' in its lower triangle
@vjp(solve_lower_transposed)
tuple(matrix, matrix) solve_lower_transposed_vjp(matrix L, matrix B, matrix X, matrix X_) {
  matrix[rows(B), cols(B)] B_ = solve_lower(L, X_);
  return (-lower_ones(rows(L)) .* (X * B_'), B_);
}

// A^-1 b for the lower triangle of A
vector mdivide_left_tri_low(matrix<square> A, vector b) {
  return to_vector(solve_lower(A, to_matrix(b)));
}

matrix mdivide_left_tri_low(matrix<square> A, matrix B) {
  return solve_lower(A, B);
}

// b A^-1 = (A^-T b')'
row_vector mdivide_right_tri_low(row_vector b, matrix<square> A) {
  return to_row_vector(solve_lower_transposed(A, to_matrix(b')));
}

matrix mdivide_right_tri_low(matrix B, matrix<square> A) {
  return solve_lower_transposed(A, B')';
}

// L L' for the lower triangle of L
matrix multiply_lower_tri_self_transpose(matrix L) {
  matrix[rows(L), cols(L)] T = L;
  if (rows(L) == cols(L)) {
    T = lower_ones(rows(L)) .* L;
  } else {
    for (i in 1:rows(L)) {
      for (j in 1:cols(L)) {
        T[i, j] = i >= j ? L[i, j] : 0;
      }
    }
  }
  return T * T';
}

// The lower triangle of A mirrored above the diagonal.
matrix symmetrize_from_lower_tri(matrix<square> A) {
  int n = rows(A);
  return lower_ones(n) .* A + (strictly_lower_ones(n) .* A)';
}
