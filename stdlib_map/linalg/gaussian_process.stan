// Covariance matrices of Gaussian processes: of the points x, or of x1 with x2. Rasmussen, Williams (2006), "Gaussian
// Processes for Machine Learning", 4.2. Where points are vectors, their distance is Euclidean; with an array of length
// scales every coordinate has its own.

matrix squared_distances(array[] real x, array[] real y) {
  matrix[size(x), size(y)] D;
  for (i in 1:size(x)) {
    for (j in 1:size(y)) {
      D[i, j] = square(x[i] - y[j]);
    }
  }
  return D;
}

matrix squared_distances(array[] vector x, array[] vector y) {
  matrix[size(x), size(y)] D;
  for (i in 1:size(x)) {
    for (j in 1:size(y)) {
      D[i, j] = squared_distance(x[i], y[j]);
    }
  }
  return D;
}

// sum_d ((x_d - y_d) / l_d)^2
matrix scaled_squared_distances(array[] vector x, array[] vector y, array[] real l) {
  matrix[size(x), size(y)] D;
  vector[size(l)] w = inv_square(to_vector(l));
  for (i in 1:size(x)) {
    for (j in 1:size(y)) {
      D[i, j] = dot_product(w, square(x[i] - y[j]));
    }
  }
  return D;
}

matrix distances(array[] real x, array[] real y) {
  matrix[size(x), size(y)] D;
  for (i in 1:size(x)) {
    for (j in 1:size(y)) {
      D[i, j] = abs(x[i] - y[j]);
    }
  }
  return D;
}

matrix distances(array[] vector x, array[] vector y) {
  matrix[size(x), size(y)] D;
  for (i in 1:size(x)) {
    for (j in 1:size(y)) {
      D[i, j] = distance(x[i], y[j]);
    }
  }
  return D;
}

matrix scaled_distances(array[] vector x, array[] vector y, array[] real l) {
  array[size(x)] vector[size(l)] u;
  array[size(y)] vector[size(l)] v;
  for (i in 1:size(x)) {
    u[i] = x[i] ./ to_vector(l);
  }
  for (j in 1:size(y)) {
    v[j] = y[j] ./ to_vector(l);
  }
  return distances(u, v);
}

// ---- sigma^2 exp(-d^2 / (2 l^2)) ----

matrix exp_quad_kernel(matrix D, real<positive_finite> sigma, real l) {
  return square(sigma) * exp(-0.5 * inv_square(l) * D);
}

matrix gp_exp_quad_cov(array[] real<not_nan> x, real sigma, real<positive_finite> l) {
  return exp_quad_kernel(squared_distances(x, x), sigma, l);
}

matrix gp_exp_quad_cov(array[] real<not_nan> x1, array[] real<not_nan> x2, real sigma, real<positive_finite> l) {
  return exp_quad_kernel(squared_distances(x1, x2), sigma, l);
}

matrix gp_exp_quad_cov(array[] vector<not_nan> x, real sigma, real<positive_finite> l) {
  return exp_quad_kernel(squared_distances(x, x), sigma, l);
}

matrix gp_exp_quad_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma, real<positive_finite> l) {
  return exp_quad_kernel(squared_distances(x1, x2), sigma, l);
}

matrix gp_exp_quad_cov(array[] vector<not_nan> x, real sigma, array[] real<positive_finite> l) {
  return exp_quad_kernel(scaled_squared_distances(x, x, l), sigma, 1);
}

matrix gp_exp_quad_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma,
                       array[] real<positive_finite> l) {
  return exp_quad_kernel(scaled_squared_distances(x1, x2, l), sigma, 1);
}

// ---- sigma^2 exp(-d / l) ----

matrix exponential_kernel(matrix D, real<positive_finite> sigma, real l) {
  return square(sigma) * exp(-inv(l) * D);
}

matrix gp_exponential_cov(array[] real<not_nan> x, real sigma, real<positive_finite> l) {
  return exponential_kernel(distances(x, x), sigma, l);
}

matrix gp_exponential_cov(array[] real<not_nan> x1, array[] real<not_nan> x2, real sigma, real<positive_finite> l) {
  return exponential_kernel(distances(x1, x2), sigma, l);
}

matrix gp_exponential_cov(array[] vector<not_nan> x, real sigma, real<positive_finite> l) {
  return exponential_kernel(distances(x, x), sigma, l);
}

matrix gp_exponential_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma, real<positive_finite> l) {
  return exponential_kernel(distances(x1, x2), sigma, l);
}

matrix gp_exponential_cov(array[] vector<not_nan> x, real sigma, array[] real<positive_finite> l) {
  return exponential_kernel(scaled_distances(x, x, l), sigma, 1);
}

matrix gp_exponential_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma,
                          array[] real<positive_finite> l) {
  return exponential_kernel(scaled_distances(x1, x2, l), sigma, 1);
}

// ---- sigma^2 (1 + r) exp(-r), r = sqrt(3) d / l ----

matrix matern32_kernel(matrix D, real<positive_finite> sigma, real l) {
  matrix[rows(D), cols(D)] r = (sqrt(3) / l) * D;
  return square(sigma) * ((1 + r) .* exp(-r));
}

matrix gp_matern32_cov(array[] real<not_nan> x, real sigma, real<positive_finite> l) {
  return matern32_kernel(distances(x, x), sigma, l);
}

matrix gp_matern32_cov(array[] real<not_nan> x1, array[] real<not_nan> x2, real sigma, real<positive_finite> l) {
  return matern32_kernel(distances(x1, x2), sigma, l);
}

matrix gp_matern32_cov(array[] vector<not_nan> x, real sigma, real<positive_finite> l) {
  return matern32_kernel(distances(x, x), sigma, l);
}

matrix gp_matern32_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma, real<positive_finite> l) {
  return matern32_kernel(distances(x1, x2), sigma, l);
}

matrix gp_matern32_cov(array[] vector<not_nan> x, real sigma, array[] real<positive_finite> l) {
  return matern32_kernel(scaled_distances(x, x, l), sigma, 1);
}

matrix gp_matern32_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma,
                       array[] real<positive_finite> l) {
  return matern32_kernel(scaled_distances(x1, x2, l), sigma, 1);
}

// ---- sigma^2 (1 + r + r^2 / 3) exp(-r), r = sqrt(5) d / l ----

matrix matern52_kernel(matrix D, real<positive_finite> sigma, real l) {
  matrix[rows(D), cols(D)] r = (sqrt(5) / l) * D;
  return square(sigma) * ((1 + r + square(r) / 3) .* exp(-r));
}

matrix gp_matern52_cov(array[] real<not_nan> x, real sigma, real<positive_finite> l) {
  return matern52_kernel(distances(x, x), sigma, l);
}

matrix gp_matern52_cov(array[] real<not_nan> x1, array[] real<not_nan> x2, real sigma, real<positive_finite> l) {
  return matern52_kernel(distances(x1, x2), sigma, l);
}

matrix gp_matern52_cov(array[] vector<not_nan> x, real sigma, real<positive_finite> l) {
  return matern52_kernel(distances(x, x), sigma, l);
}

matrix gp_matern52_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma, real<positive_finite> l) {
  return matern52_kernel(distances(x1, x2), sigma, l);
}

matrix gp_matern52_cov(array[] vector<not_nan> x, real sigma, array[] real<positive_finite> l) {
  return matern52_kernel(scaled_distances(x, x, l), sigma, 1);
}

matrix gp_matern52_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma,
                       array[] real<positive_finite> l) {
  return matern52_kernel(scaled_distances(x1, x2, l), sigma, 1);
}

// ---- sigma^2 exp(-2 sin(pi d / p)^2 / l^2) ----

matrix periodic_kernel(matrix D, real<positive_finite> sigma, real<positive_finite> l, real<positive_finite> p) {
  return square(sigma) * exp(-2 * inv_square(l) * square(sin(pi() / p * D)));
}

matrix gp_periodic_cov(array[] real<not_nan> x, real sigma, real l, real p) {
  return periodic_kernel(distances(x, x), sigma, l, p);
}

matrix gp_periodic_cov(array[] real<not_nan> x1, array[] real<not_nan> x2, real sigma, real l, real p) {
  return periodic_kernel(distances(x1, x2), sigma, l, p);
}

matrix gp_periodic_cov(array[] vector<not_nan> x, real sigma, real l, real p) {
  return periodic_kernel(distances(x, x), sigma, l, p);
}

matrix gp_periodic_cov(array[] vector<not_nan> x1, array[] vector<not_nan> x2, real sigma, real l, real p) {
  return periodic_kernel(distances(x1, x2), sigma, l, p);
}

// ---- sigma^2 + x1' x2 ----

matrix gp_dot_prod_cov(array[] real<finite> x1, array[] real<finite> x2, real<nonnegative, finite> sigma) {
  return square(sigma) + to_vector(x1) * to_vector(x2)';
}

matrix gp_dot_prod_cov(array[] real<finite> x, real<nonnegative, finite> sigma) {
  return gp_dot_prod_cov(x, x, sigma);
}

matrix gp_dot_prod_cov(array[] vector<finite> x1, array[] vector<finite> x2, real<nonnegative, finite> sigma) {
  matrix[size(x1), size(x2)] K;
  for (i in 1:size(x1)) {
    for (j in 1:size(x2)) {
      K[i, j] = dot_product(x1[i], x2[j]);
    }
  }
  return square(sigma) + K;
}

matrix gp_dot_prod_cov(array[] vector<finite> x, real<nonnegative, finite> sigma) {
  return gp_dot_prod_cov(x, x, sigma);
}
