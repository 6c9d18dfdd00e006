// Linear algebra.
data {
  int<lower=1> K;
  matrix[K, K] A;
  vector[K] b;
}
parameters {
  vector[K] x;
  matrix[K, K] M;
}
transformed parameters {
  matrix[K, K] S = tcrossprod(M) + diag_matrix(rep_vector(K, K));
}
model {
  matrix[K, K] L = cholesky_decompose(S);
  target += log_determinant(S) + quad_form(S, x) + trace(A * M) + sum(mdivide_left_spd(S, b));
  target += sum(inverse(S)) + sum(mdivide_left_tri_low(L, x)) + dot_product(S \ b, x) + sum(quad_form_diag(S, x));
  target += -sum(crossprod(M)) - sum(square(M)) + columns_dot_product(M, A)[1] + sum(append_col(M, x)) - dot_self(x);
  target += sum(block(M, 1, 1, 2, 2)) + sum(diagonal(M)) + sum(cumulative_sum(x)) + sd(x) + distance(x, b);
}
