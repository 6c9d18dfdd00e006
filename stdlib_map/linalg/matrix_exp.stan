// The matrix exponential: the diagonal Pade approximant of degree 13 of a matrix scaled down by a power of two, squared as often. Higham (2005),
// "The scaling and squaring method for the matrix exponential revisited".

matrix matrix_exp_value(matrix A) {
  int n = rows(A);
  matrix[n, n] I = identity_matrix(n);
  real length = max(abs(A)' * rep_vector(1, n));
  real squarings = 0;
  real scale = 1;
  while (length * scale > 5.3) {
    scale = 0.5 * scale;
    squarings += 1;
  }
  matrix[n, n] X = scale * A;
  matrix[n, n] X2 = X * X;
  matrix[n, n] X4 = X2 * X2;
  matrix[n, n] X6 = X4 * X2;
  matrix[n, n] U = X * (X6 * (X6 + 16380.0 * X4 + 40840800.0 * X2) + 33522128640.0 * X6 + 10559470521600.0 * X4
                        + 1187353796428800.0 * X2 + 32382376266240000.0 * I);
  matrix[n, n] V = X6 * (182.0 * X6 + 960960.0 * X4 + 1323241920.0 * X2) + 670442572800.0 * X6
                   + 129060195264000.0 * X4 + 7771770303897600.0 * X2 + 64764752532480000.0 * I;
  matrix[n, n] E = mdivide_left(V - U, V + U);
  while (squarings > 0) {
    E = E * E;
    squarings -= 1;
  }
  return E;
}

@call
matrix matrix_exp(matrix<square> A) {
  return matrix_exp_value(A);
}

// exp([A' E_; 0 A']) holds the derivative in its upper right block. Najfeld, Havel (1995), "Derivatives of the matrix exponential and
// their computation".
@vjp(matrix_exp)
matrix matrix_exp_vjp(matrix A, matrix E, matrix E_) {
  int n = rows(A);
  real largest = max(abs(E_)) + 1e-300;
  matrix[n, n] O = rep_matrix(0, n, n);
  matrix[2 * n, 2 * n] B = append_row(append_col(A', E_ / largest), append_col(O, A'));
  return largest * block(matrix_exp_value(B), 1, n + 1, n, n);
}

matrix matrix_exp_multiply(matrix<square> A, matrix B) {
  return matrix_exp(A) * B;
}

// exp(t A) B
matrix scale_matrix_exp_multiply(real t, matrix<square> A, matrix B) {
  return matrix_exp(t * A) * B;
}
