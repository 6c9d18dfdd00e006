// Products of matrices and quadratic forms.

// A' A
matrix crossprod(matrix A) {
  return A' * A;
}

// A A'
matrix tcrossprod(matrix A) {
  return A * A';
}

// B' A B
matrix quad_form(matrix<square> A, matrix B) {
  return B' * (A * B);
}

real quad_form(matrix<square> A, vector b) {
  return dot_product(b, A * b);
}

// the same for a symmetric A, made symmetric against rounding
matrix quad_form_sym(matrix<square, symmetric, evident> A, matrix B) {
  matrix[cols(B), cols(B)] Q = B' * (A * B);
  return 0.5 * (Q + Q');
}

real quad_form_sym(matrix<square, symmetric, evident> A, vector b) {
  return dot_product(b, A * b);
}

// diag(v) A diag(v)
matrix quad_form_diag(matrix<square> A, vector v) {
  return v * v' .* A;
}

// sum A_ii
real trace(matrix A) {
  return sum(diagonal(A));
}

// tr(A B)
real trace_dot(matrix A, matrix B) {
  return sum(A' .* B);
}

// tr(B' A B)
real trace_quad_form(matrix<square> A, matrix B) {
  return sum(B .* (A * B));
}

real trace_quad_form(matrix<square> A, vector b) {
  return dot_product(b, A * b);
}

// tr(D B' A B)
real trace_gen_quad_form(matrix<square> D, matrix<square> A, matrix B) {
  return sum((B * D') .* (A * B));
}

// A^n by repeated squaring
matrix matrix_power(matrix<square> A, int<lower=0> n) {
  int k = rows(A);
  matrix[k, k] P = identity_matrix(k);
  if (n <= 4) {
    for (i in 1:n) {
      P = P * A;
    }
  } else {
    matrix[k, k] S = A;
    int m = n;
    while (m > 0) {
      if (m % 2 == 1) {
        P = P * S;
      }
      S = S * S;
      m = m %/% 2;
    }
  }
  return P;
}
