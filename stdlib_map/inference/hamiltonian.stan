// The energy of a position x and a momentum p is -log density(x) + p' M^-1 p / 2. The inverse metric M^-1 is of one of three kinds:
// 0, the unit matrix; 1, diagonal (scale); 2, dense (metric). Of a dense one, `factor` is the inverse of its transposed Cholesky
// factor.

vector velocity(int kind, vector scale, matrix metric, vector p) {
  if (kind == 0) return p;
  if (kind == 1) return scale .* p;
  return metric * p;
}

// p ~ normal(0, M), given standard normal numbers z
vector momentum(int kind, vector scale, matrix factor, vector z) {
  if (kind == 0) return z;
  if (kind == 1) return z ./ sqrt(scale);
  return factor * z;
}

matrix momentum_factor(matrix metric) {
  return solve_lower_transposed(cholesky_decompose(metric), identity_matrix(rows(metric)));
}

// n standard normal numbers from n uniform ones, or n + 1 where n is odd, by the transform of Box and Muller (1958)
vector normal_of_units(vector u, int n) {
  int half = (n + 1) %/% 2;
  vector[half] size = sqrt(-2 * log(head(u, half)));
  vector[half] angle = 2 * pi() * segment(u, half + 1, half);
  return head(append_row(size .* cos(angle), size .* sin(angle)), n);
}
