// Vectors and matrices.

vector multi_normal_cholesky_rng(vector<finite> mu, matrix<lower_triangular> L) {
  return mu + L * std_normal_rng(size(mu));
}

vector multi_normal_rng(vector<finite> mu, matrix<symmetric> Sigma) {
  return mu + cholesky_decompose(Sigma) * std_normal_rng(size(mu));
}

vector multi_student_t_cholesky_rng(real<positive> nu, vector<finite> mu, matrix<lower_triangular> L) {
  return mu + L * std_normal_rng(size(mu)) * sqrt(0.5 * nu * exp(-log_std_gamma_rng(0.5 * nu)));
}

vector multi_student_t_rng(real<positive> nu, vector<finite> mu, matrix<symmetric> Sigma) {
  return mu + cholesky_decompose(Sigma) * std_normal_rng(size(mu)) * sqrt(0.5 * nu * exp(-log_std_gamma_rng(0.5 * nu)));
}

// The lower triangle of a k by k matrix filled with standard normal numbers, the rest 0, and its diagonal.
matrix normal_triangle_rng(int k) {
  matrix[k, k] z = to_matrix(std_normal_rng(k * k), k, k);
  matrix[k, k] below;
  for (i in 1:k) {
    for (j in 1:k) {
      below[i, j] = i > j ? z[i, j] : 0;
    }
  }
  return below;
}

// The Cholesky factor of a matrix from wishart(nu, I) (Bartlett 1933): normal numbers below the diagonal, and on it roots of chi
// square ones with nu, nu - 1, ... degrees of freedom.
matrix bartlett_rng(real nu, int k) {
  vector[k] shape = 0.5 * (nu + 1 - linspaced_vector(k, 1, k));
  vector[k] log_gamma = log_std_gamma_rng(shape);
  return add_diag(normal_triangle_rng(k), exp(0.5 * (log_gamma + log(2))));
}

matrix wishart_cholesky_rng(real<lower=cols(L_S) - 1> nu, matrix<lower_triangular> L_S) {
  return L_S * bartlett_rng(nu, rows(L_S));
}

matrix wishart_rng(real<lower=cols(S) - 1> nu, matrix<symmetric> S) {
  return tcrossprod(cholesky_decompose(S) * bartlett_rng(nu, rows(S)));
}

// The inverse of a matrix from wishart(nu, inverse(S)).
matrix inv_wishart_rng(real<lower=cols(S) - 1> nu, matrix<symmetric> S) {
  int k = rows(S);
  matrix[k, k] root = mdivide_left_tri_low(bartlett_rng(nu, k), cholesky_decompose(S)');
  return crossprod(root);
}

matrix inv_wishart_cholesky_rng(real<lower=cols(L_S) - 1> nu, matrix<lower_triangular> L_S) {
  int k = rows(L_S);
  return cholesky_decompose(crossprod(mdivide_left_tri_low(bartlett_rng(nu, k), L_S')));
}

// The onion of Lewandowski, Kurowicka and Joe (2009): each row of the Cholesky factor is a point of the unit sphere, the squared
// length of all but its last coordinate a beta number.
matrix lkj_corr_cholesky_rng(int<lower=1> K, real<positive> eta) {
  matrix[K, K] z = normal_triangle_rng(K);
  vector[K] place = linspaced_vector(K, 1, K);
  vector[K] inner = 0.5 * (place - 1) + (1 - step(place - 1.5));
  vector[K] logit_length = logit_beta_rng(inner, eta + 0.5 * (K - place));
  matrix[K, K] L = rep_matrix(0, K, K);
  L[1, 1] = 1;
  for (i in 2:K) {
    real size = sqrt(inv_logit(logit_length[i])) / sqrt(dot_self(z[i]));
    for (j in 1:K) {
      L[i, j] = i == j ? sqrt(inv_logit(-logit_length[i])) : size * z[i, j];
    }
  }
  return L;
}

matrix lkj_corr_rng(int<lower=1> K, real<positive> eta) {
  return multiply_lower_tri_self_transpose(lkj_corr_cholesky_rng(K, eta));
}
