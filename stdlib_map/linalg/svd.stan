// Singular value decompositions A = U diag(s) V', U and V with min(rows, columns) columns, s in descending order.

// Of a matrix with no more columns than rows: rotates pairs of columns until all are orthogonal. Their lengths are the singular values.
// Golub, Van Loan (2013), "Matrix Computations", 8.6.3.
tuple(matrix, vector, matrix) one_sided_jacobi(matrix A) {
  int m = rows(A);
  int k = cols(A);
  int n = paired_size(k);
  int h = n %/% 2;
  matrix[n, n] P = round_robin(n);
  matrix[n, n] exchanged = exchanged_halves(P);
  matrix[n, n] outside = 1 - identity_matrix(n);
  matrix[n, n] V = identity_matrix(n);
  real scale = max(append_row(to_vector(abs(A)), 1e-300));
  matrix[m, n] U = append_col(A / scale, rep_matrix(0, m, n - k));
  matrix[n, n] G = U' * U;
  int steps = 0;
  while (steps < 30 * n && not_orthogonal(outside .* G, diagonal(G), 5e-16 * (m + 2))) {
    vector[n] d = diagonal(G);
    matrix[n, n] Q = rotation(jacobi_tangents(d[1:h], diagonal(block(G, 1, h + 1, h, h)), d[(h + 1):n]),
                              P, exchanged);
    U = U * Q;
    V = V * Q;
    G = U' * U;
    steps += 1;
  }
  vector[n] s = sqrt(diagonal(G));
  vector[n] rank_by = k < n ? s - square(V[n]') : s;
  array[n] int order = sort_indices_desc(rank_by);
  vector[k] t = head(s[order], k);
  return (block(U[:, order], 1, 1, m, k) ./ rep_matrix(t' + 1e-300, m), scale * t, block(V[:, order], 1, 1, k, k));
}

// Whether some |u_i' u_j| > tolerance |u_i| |u_j|.
int not_orthogonal(matrix inner, vector d, real tolerance) {
  vector[rows(d)] length = sqrt(d) + 1e-150;
  return max(abs(inner) ./ (length * length')) > tolerance;
}

@call
tuple(matrix, vector, matrix) svd(matrix A) {
  int m = rows(A);
  int n = cols(A);
  int k = min(m, n);
  matrix[m, k] U;
  matrix[n, k] V;
  vector[k] s;
  if (m >= n) {
    (U, s, V) = one_sided_jacobi(A);
  } else {
    (V, s, U) = one_sided_jacobi(A');
  }
  return (U, s, V);
}

// With F_ij = 1 / (s_j^2 - s_i^2), skew(X) = X - X':
// A_ = U ((F .* skew(U' U_)) S + S (F .* skew(V' V_)) + diag(s_)) V' + (I - U U') U_ S^-1 V' + U S^-1 V_' (I - V V')
// Townsend (2016), "Differentiating the singular value decomposition".
@vjp(svd)
matrix svd_vjp(matrix A, matrix U, vector s, matrix V, matrix U_, vector s_, matrix V_) {
  int k = rows(s);
  matrix[k, k] F = inverse_gaps(square(s));
  matrix[k, k] W = U' * U_;
  matrix[k, k] Z = V' * V_;
  matrix[k, k] inner = diag_post_multiply(F .* (W - W'), s) + diag_pre_multiply(s, F .* (Z - Z'));
  matrix[rows(U), k] U_outside = diag_post_multiply(U_ - U * W, inv(s));
  matrix[rows(V), k] V_outside = diag_post_multiply(V_ - V * Z, inv(s));
  return (U * add_diag(inner, s_) + U_outside) * V' + U * V_outside';
}

matrix svd_U(matrix A) {
  return svd(A).1;
}

matrix svd_V(matrix A) {
  return svd(A).3;
}

vector singular_values(matrix A) {
  return svd(A).2;
}

// The Moore-Penrose inverse V diag(1 / s) U', without the singular values that are 0 but for rounding.
@call
matrix generalized_inverse(matrix A) {
  int m = rows(A);
  int n = cols(A);
  int k = min(m, n);
  tuple(matrix[m, k], vector[k], matrix[n, k]) t = svd(A);
  real least = 2.2e-16 * max(m, n) * max(t.2);
  vector[k] w;
  for (i in 1:k) {
    w[i] = t.2[i] > least ? 1 / t.2[i] : 0;
  }
  return diag_post_multiply(t.3, w) * t.1';
}

// For P = A^+ and B = P_': A_ = -P' P_ P' + (I - A P) B P P' + P' P B (I - P A).
// Golub, Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate":
// dP = -P dA P + P P' dA' (I - A P) + (I - P A) dA' P' P.
@vjp(generalized_inverse)
matrix generalized_inverse_vjp(matrix A, matrix P, matrix P_) {
  matrix[rows(A), cols(A)] B = P_';
  return -P' * P_ * P' + (B - A * (P * B)) * P * P' + P' * P * (B - (B * P) * A);
}
