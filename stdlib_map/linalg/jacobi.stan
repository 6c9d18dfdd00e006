// Eigenvalues and singular values by Jacobi rotations, half as many at once as there are columns: columns i and h + i are paired,
// and after each step all columns but the first move on by one place, as in a round-robin tournament, so that everyone meets everyone.
// Brent, Luk (1985), "The solution of singular-value and symmetric eigenvalue problems on multiprocessor arrays".

// An even number of columns.
int paired_size(int n) {
  return n + n % 2;
}

// Where column j comes from when the columns move on: row k of column j is 1. Column 1 stays; the others go round through the
// upper places of the first half and back through the second.
matrix round_robin(int n) {
  int h = n %/% 2;
  matrix[n, n] P;
  for (k in 1:n) {
    for (j in 1:n) {
      int source = j == 1 ? 1 : (j == 2 ? h + 1 : (j <= h ? j - 1 : (j < n ? j + 1 : h)));
      P[k, j] = k == (n == 2 ? j : source);
    }
  }
  return P;
}

// P with its halves exchanged: row i is row h + i of P.
matrix exchanged_halves(matrix P) {
  int h = rows(P) %/% 2;
  return append_row(block(P, h + 1, 1, h, cols(P)), block(P, 1, 1, h, cols(P)));
}

// The rotations of all pairs, then the move: with t the tangents of the angles, c = 1 / sqrt(1 + t^2) and s = t c, columns p and q become
// c p - s q and s p + c q.
matrix rotation(vector t, matrix P, matrix exchanged) {
  int n = rows(P);
  vector[rows(t)] c = inv_sqrt(1 + square(t));
  vector[rows(t)] s = t .* c;
  return rep_matrix(append_row(c, c), n) .* P + rep_matrix(append_row(s, -s), n) .* exchanged;
}

// The tangents of the angles, at most pi / 4, that make off-diagonal elements b between diagonal elements a and d vanish.
vector jacobi_tangents(vector a, vector b, vector d) {
  vector[rows(a)] half = 0.5 * (d - a);
  vector[rows(a)] t = b ./ (abs(half) + sqrt(square(half) + square(b)) + 1e-300);
  for (i in 1:rows(a)) {
    t[i] = half[i] < 0 ? -t[i] : t[i];
  }
  return t;
}

// Eigenvectors in columns and eigenvalues in ascending order of a symmetric matrix. An odd size is filled up by a row and column of
// zeros, which no rotation touches.
@call
tuple(matrix, vector) eigendecompose_sym(matrix<square, symmetric, evident> A) {
  int k = rows(A);
  int n = paired_size(k);
  int h = n %/% 2;
  matrix[n, n] P = round_robin(n);
  matrix[n, n] exchanged = exchanged_halves(P);
  matrix[n, n] outside = 1 - identity_matrix(n);
  matrix[n, n] V = identity_matrix(n);
  real scale = max(append_row(to_vector(abs(A)), 1e-300));
  matrix[n, n] S = rep_matrix(0, n, n);
  S[1:k, 1:k] = A / scale;
  int steps = 0;
  while (steps < 30 * n && max(abs(outside .* S)) > 5e-16 * n) {
    vector[n] d = diagonal(S);
    matrix[n, n] Q = rotation(jacobi_tangents(d[1:h], diagonal(block(S, 1, h + 1, h, h)), d[(h + 1):n]),
                              P, exchanged);
    S = Q' * S * Q;
    V = V * Q;
    steps += 1;
  }
  vector[n] w = scale * diagonal(S);
  vector[n] rank_by = k < n ? w + 1e300 * square(V[n]') : w;
  array[n] int order = sort_indices_asc(rank_by);
  return (block(V[:, order], 1, 1, k, k), head(w[order], k));
}

// 1 / (w_j - w_i) off the diagonal, as far as the difference is more than rounding; where it is not, towards 0: eigenvectors
// of equal eigenvalues may be turned into one another, and what is differentiated should not depend on that.
matrix inverse_gaps(vector w) {
  int n = rows(w);
  matrix[n, n] gap = rep_matrix(w', n) - rep_matrix(w, n);
  real rounding = 1e-14 * max(append_row(abs(w), 1e-100));
  return gap ./ (square(gap) + square(rounding));
}

// A_ = V (diag(w_) + F .* (V' V_)) V', F_ij = 1 / (w_j - w_i). Giles (2008), "Collected matrix derivative results for forward and
// reverse mode algorithmic differentiation".
@vjp(eigendecompose_sym)
matrix eigendecompose_sym_vjp(matrix A, matrix V, vector w, matrix V_, vector w_) {
  return V * add_diag(inverse_gaps(w) .* (V' * V_), w_) * V';
}

matrix eigenvectors_sym(matrix<square, symmetric, evident> A) {
  return eigendecompose_sym(A).1;
}

vector eigenvalues_sym(matrix<square, symmetric, evident> A) {
  return eigendecompose_sym(A).2;
}
