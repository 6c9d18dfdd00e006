// Cholesky factors of correlation matrices, and correlation matrices, from canonical partial
// correlations z = tanh(y). Stan Reference Manual, "Cholesky factors of correlation matrices" and
// "Correlation matrices"; Lewandowski, Kurowicka, Joe (2009), "Generating random correlation matrices
// based on vines and extended onion method".
//
// Row i of the factor: L_ij = z_ij prod_(k < j) sqrt(1 - z_ik^2), L_ii = prod_(k < i) sqrt(1 - z_ik^2).
// The products are taken as cumulative sums of log(1 - z^2) along the rows.

// Where element (i, j) of the strict lower triangle is in a vector that holds it by rows (or by columns),
// behind one leading zero: indices that make to_matrix(append_row(0, y)[.], K, K) the triangle.
array[] int strict_lower_by_rows(int K) {
  array[K, K] int at;
  for (j in 1:K) {
    for (i in 1:K) {
      at[j, i] = j < i ? 1 + ((i - 1) * (i - 2)) %/% 2 + j : 1;
    }
  }
  return to_array_1d(at);
}

array[] int strict_lower_by_columns(int K) {
  array[K, K] int at;
  for (j in 1:K) {
    for (i in 1:K) {
      at[j, i] = j < i ? 1 + ((j - 1) * (2 * K - j)) %/% 2 + i - j : 1;
    }
  }
  return to_array_1d(at);
}

// The inverse: where each element of the strict lower triangle is in to_vector of the matrix.
array[] int strict_lower_rows_of(int K) {
  array[(K * (K - 1)) %/% 2] int at;
  int n = 0;
  for (i in 2:K) {
    for (j in 1:(i - 1)) {
      n += 1;
      at[n] = (j - 1) * K + i;
    }
  }
  return at;
}

array[] int strict_lower_columns_of(int K) {
  array[(K * (K - 1)) %/% 2] int at;
  int n = 0;
  for (j in 1:(K - 1)) {
    for (i in (j + 1):K) {
      n += 1;
      at[n] = (j - 1) * K + i;
    }
  }
  return at;
}

// The factor, from the strict lower triangle Z of partial correlations and D = log(1 - Z^2).
matrix cholesky_from_partial(matrix Z, matrix D) {
  int K = rows(Z);
  matrix[K, K] before;
  for (i in 1:K) {
    before[i] = cumulative_sum(D[i]) - D[i];
  }
  return add_diag(Z, 1) .* exp(0.5 * before);
}

// The partial correlations of a factor: z_ij = L_ij / sqrt(1 - sum_(k < j) L_ik^2), as y = atanh(z).
vector partial_from_cholesky(matrix L, array[] int at) {
  int K = rows(L);
  matrix[K, K] left;
  for (i in 1:K) {
    left[i] = 1 - (cumulative_sum(square(L[i])) - square(L[i]));
  }
  return atanh(to_vector(L)[at] ./ sqrt(to_vector(left)[at]));
}

matrix cholesky_factor_corr_constrain(vector y, int K) {
  matrix[K, K] Z = to_matrix(append_row(0, tanh(y))[strict_lower_by_rows(K)], K, K);
  return cholesky_from_partial(Z, log(1 - square(Z)));
}

// log |det J| = sum_(i > j) log(1 - z_ij^2) (1 + (i - 1 - j) / 2)
matrix cholesky_factor_corr_jacobian(vector y, int K) {
  matrix[K, K] Z = to_matrix(append_row(0, tanh(y))[strict_lower_by_rows(K)], K, K);
  matrix[K, K] D = log(1 - square(Z));
  matrix[K, K] weight;
  for (i in 1:K) {
    for (j in 1:K) {
      weight[i, j] = 1 + 0.5 * (i - 1 - j);
    }
  }
  jacobian += sum(weight .* D);
  return cholesky_from_partial(Z, D);
}

vector cholesky_factor_corr_unconstrain(matrix<cholesky_factor_corr> x) {
  return partial_from_cholesky(x, strict_lower_rows_of(rows(x)));
}

matrix corr_matrix_constrain(vector y, int K) {
  matrix[K, K] Z = to_matrix(append_row(0, tanh(y))[strict_lower_by_columns(K)], K, K);
  return multiply_lower_tri_self_transpose(cholesky_from_partial(Z, log(1 - square(Z))));
}

// log |det J| = sum_(i > j) log(1 - z_ij^2) (1 + (K - 1 - j) / 2)
matrix corr_matrix_jacobian(vector y, int K) {
  matrix[K, K] Z = to_matrix(append_row(0, tanh(y))[strict_lower_by_columns(K)], K, K);
  matrix[K, K] D = log(1 - square(Z));
  row_vector[K] weight;
  for (j in 1:K) {
    weight[j] = 1 + 0.5 * (K - 1 - j);
  }
  jacobian += sum(rep_matrix(weight, K) .* D);
  return multiply_lower_tri_self_transpose(cholesky_from_partial(Z, D));
}

vector corr_matrix_unconstrain(matrix<corr_matrix> x) {
  return partial_from_cholesky(cholesky_decompose(x), strict_lower_columns_of(rows(x)));
}
