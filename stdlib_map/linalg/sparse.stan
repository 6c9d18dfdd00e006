// Matrices in compressed row storage: w the elements that are not 0, row by row, v their columns, u where in w each row starts
// (and, last, where a further row would).

// Positions of the elements that are not 0, row by row; of a matrix that depends on parameters, of all.
array[] int nonzero_positions(data matrix A) {
  array[rows(A) * cols(A)] int held;
  for (i in 1:rows(A)) {
    for (j in 1:cols(A)) {
      held[(i - 1) * cols(A) + j] = A[i, j] != 0;
    }
  }
  int n = sum(held);
  return sort_indices_desc(held)[1:n];
}

array[] int nonzero_positions(matrix A) {
  return linspaced_int_array(size(A), 1, size(A));
}

vector csr_extract_w(matrix A) {
  return to_vector(A')[nonzero_positions(A)];
}

array[] int csr_extract_v(matrix A) {
  array[rows(A) * cols(A)] int column;
  for (i in 1:rows(A)) {
    for (j in 1:cols(A)) {
      column[(i - 1) * cols(A) + j] = j;
    }
  }
  return column[nonzero_positions(A)];
}

array[] int csr_extract_u(matrix A) {
  array[rows(A)] int count = rep_array(0, rows(A));
  array[rows(A) * cols(A)] int held = rep_array(0, rows(A) * cols(A));
  held[nonzero_positions(A)] = ones_int_array(size(nonzero_positions(A)));
  for (i in 1:rows(A)) {
    for (j in 1:cols(A)) {
      count[i] += held[(i - 1) * cols(A) + j];
    }
  }
  return cumulative_sum(append_array({1}, count));
}

tuple(vector, array[] int, array[] int) csr_extract(matrix A) {
  return (csr_extract_w(A), csr_extract_v(A), csr_extract_u(A));
}

vector csr_matrix_times_vector(int<lower=0> m, int<lower=0> n, vector w, array[] int v, array[] int u, vector b) {
  vector[m] r = rep_vector(0, m);
  for (i in 1:m) {
    for (k in u[i]:(u[i + 1] - 1)) {
      r[i] += w[k] * b[v[k]];
    }
  }
  return r;
}

matrix csr_to_dense_matrix(int<lower=0> m, int<lower=0> n, vector w, array[] int v, array[] int u) {
  matrix[m, n] A = rep_matrix(0, m, n);
  for (i in 1:m) {
    for (k in u[i]:(u[i + 1] - 1)) {
      A[i, v[k]] = w[k];
    }
  }
  return A;
}
