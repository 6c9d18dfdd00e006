// Cholesky factors of covariance matrices, and covariance matrices: a lower triangle by rows, its
// diagonal exponentiated. Stan Reference Manual, "Cholesky factors of covariance matrices" and
// "Covariance matrices".

// Where the diagonal is in a lower triangle stored by rows: 1, 3, 6, ...
array[] int lower_diagonal(int N) {
  array[N] int at;
  for (i in 1:N) {
    at[i] = (i * (i + 1)) %/% 2;
  }
  return at;
}

// Indices that make to_matrix(append_row(append_row(0, y), d)[.], M, N) the factor with the lower triangle of y and the
// diagonal d. Rows below the N-th are full.
array[] int lower_by_rows(int M, int N) {
  array[N, M] int at;
  int size = (N * (N + 1)) %/% 2 + (M - N) * N;
  for (j in 1:N) {
    for (i in 1:M) {
      at[j, i] = i == j
                 ? 1 + size + i
                 : (i > N ? 1 + (N * (N + 1)) %/% 2 + (i - N - 1) * N + j
                          : (j < i ? 1 + (i * (i - 1)) %/% 2 + j : 1));
    }
  }
  return to_array_1d(at);
}

// The inverse: where each element of y is in to_vector of the factor.
array[] int lower_rows_of(int M, int N) {
  array[(N * (N + 1)) %/% 2 + (M - N) * N] int at;
  int n = 0;
  for (i in 1:M) {
    for (j in 1:min(i, N)) {
      n += 1;
      at[n] = (j - 1) * M + i;
    }
  }
  return at;
}

matrix cholesky_factor_cov_constrain(vector y, int M, int N) {
  vector[N] d = exp(y[lower_diagonal(N)]);
  return to_matrix(append_row(append_row(0, y), d)[lower_by_rows(M, N)], M, N);
}

// log |det J| = sum of log L_ii
matrix cholesky_factor_cov_jacobian(vector y, int M, int N) {
  jacobian += sum(y[lower_diagonal(N)]);
  return cholesky_factor_cov_constrain(y, M, N);
}

vector cholesky_factor_cov_unconstrain(matrix x) {
  int M = rows(x);
  int N = cols(x);
  vector[(N * (N + 1)) %/% 2 + (M - N) * N] y = to_vector(x)[lower_rows_of(M, N)];
  array[N] int at = lower_diagonal(N);
  y[at] = log(y[at]);
  return y;
}

// x = L L'
matrix cov_matrix_constrain(vector y, int K) {
  return multiply_lower_tri_self_transpose(cholesky_factor_cov_constrain(y, K, K));
}

// log |det J| = K log 2 + sum (K - k + 2) log L_kk
matrix cov_matrix_jacobian(vector y, int K) {
  vector[K] weight;
  for (k in 1:K) {
    weight[k] = K - k + 2;
  }
  jacobian += K * log2() + dot_product(weight, y[lower_diagonal(K)]);
  return cov_matrix_constrain(y, K);
}

vector cov_matrix_unconstrain(matrix<cov_matrix> x) {
  return cholesky_factor_cov_unconstrain(cholesky_decompose(x));
}
