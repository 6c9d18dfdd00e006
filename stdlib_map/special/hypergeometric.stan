// Hypergeometric functions by their series, the terms of which follow from one another; a derivative is the series of the terms' derivatives, by
// the product rule. NIST Digital Library of Mathematical Functions (DLMF), chapters 15 and 16.

// 1F0(a; z) = (1 - z)^-a
@elementwise
real hypergeometric_1F0(real<finite> a, real<lower=-1, upper=1> z) {
  return exp(-a * log1m(z));
}

@derivative(hypergeometric_1F0, a)
real hypergeometric_1F0_slope_a(real a, real z) {
  return -log1m(z) * exp(-a * log1m(z));
}

@derivative(hypergeometric_1F0, z)
real hypergeometric_1F0_slope_z(real a, real z) {
  return a * exp(-(a + 1) * log1m(z));
}

// Whether a series goes on after `count` terms: the last one counts, and does not end the patience.
int series_goes_on(real term, real total, int count) {
  return abs(term) > 1e-17 * abs(total) && count < 100000;
}

// sum of (a)_k (b)_k / (c)_k z^k / k!
real gauss_series(real a, real b, real c, real z) {
  real term = 1;
  real total = 1;
  int k = 0;
  while (series_goes_on(term, total, k)) {
    term *= (a + k) * (b + k) / ((c + k) * (k + 1)) * z;
    total += term;
    k += 1;
  }
  return total;
}

// its derivative where a, b, c move at the speeds da, db, dc
real gauss_series_slope(real a, real b, real c, real z, real da, real db, real dc) {
  real term = 1;
  real total = 1;
  real slope = 0;
  real slopes = 0;
  int k = 0;
  while (k < 2 || series_goes_on(term, total, k) || series_goes_on(slope, slopes, k)) {
    real ratio = (a + k) * (b + k) / ((c + k) * (k + 1)) * z;
    slope = slope * ratio + term * ((da * (b + k) + db * (a + k)) / ((c + k) * (k + 1)) * z - ratio * dc / (c + k));
    term *= ratio;
    total += term;
    slopes += slope;
    k += 1;
  }
  return slopes;
}

// Gauss's function for z < 1; for z < 0 by Pfaff's transformation, (1 - z)^-a1 2F1(a1, b - a2; b; z / (z - 1)) (DLMF 15.8.1), at z = 1 by Gauss's sum
// (DLMF 15.4.20)
@elementwise
real hypergeometric_2F1(real<finite> a1, real<finite> a2, real<finite> b, real<finite, upper=1> z) {
  int negative = z < 0;
  real inside = z == 1 ? 0 : z;
  real series = gauss_series(a1, negative ? b - a2 : a2, b, negative ? inside / (inside - 1) : inside);
  real scaled = negative ? exp(-a1 * log1m(inside)) * series : series;
  return z == 1 ? tgamma(b) * tgamma(b - a1 - a2) / (tgamma(b - a1) * tgamma(b - a2)) : scaled;
}

@derivative(hypergeometric_2F1, a1)
real hypergeometric_2F1_slope_a1(real a1, real a2, real b, real z) {
  int negative = z < 0;
  real y = negative ? z / (z - 1) : z;
  real slope = gauss_series_slope(a1, negative ? b - a2 : a2, b, y, 1, 0, 0);
  real log_scale = negative ? log1m(z) : 0;
  return exp(-a1 * log_scale) * (slope - log_scale * gauss_series(a1, negative ? b - a2 : a2, b, y));
}

@derivative(hypergeometric_2F1, a2)
real hypergeometric_2F1_slope_a2(real a1, real a2, real b, real z) {
  return hypergeometric_2F1_slope_a1(a2, a1, b, z);
}

@derivative(hypergeometric_2F1, b)
real hypergeometric_2F1_slope_b(real a1, real a2, real b, real z) {
  int negative = z < 0;
  real slope = gauss_series_slope(a1, negative ? b - a2 : a2, b, negative ? z / (z - 1) : z, 0, negative, 1);
  return (negative ? exp(-a1 * log1m(z)) : 1) * slope;
}

// F' = a1 a2 / b 2F1(a1 + 1, a2 + 1; b + 1; z)
@derivative(hypergeometric_2F1, z)
real hypergeometric_2F1_slope_z(real a1, real a2, real b, real z) {
  return a1 * a2 / b * hypergeometric_2F1(a1 + 1, a2 + 1, b + 1, z);
}

// sum of prod (a_i)_k / prod (b_i)_k z^k / k!
@call
real hypergeometric_series(vector a, vector b, real z) {
  real term = 1;
  real total = 1;
  int k = 0;
  while (series_goes_on(term, total, k)) {
    term *= prod(a + k) / prod(b + k) * z / (k + 1);
    total += term;
    k += 1;
  }
  return total;
}

// The terms' relative derivatives are sums of 1 / (a_i + j) and -1 / (b_i + j); that of z is k / z.
@vjp(hypergeometric_series)
tuple(vector, vector, real) hypergeometric_series_vjp(vector a, vector b, real z, real value, real cotangent) {
  real term = 1;
  real total = 1;
  vector[rows(a)] above = zeros_vector(rows(a));
  vector[rows(b)] below = zeros_vector(rows(b));
  vector[rows(a)] above_total = zeros_vector(rows(a));
  vector[rows(b)] below_total = zeros_vector(rows(b));
  real power_total = 0;
  int k = 0;
  while (series_goes_on(term * (k + 1), total, k)) {
    above += inv(a + k);
    below -= inv(b + k);
    term *= prod(a + k) / prod(b + k) * z / (k + 1);
    total += term;
    above_total += term * above;
    below_total += term * below;
    power_total += term * (k + 1);
    k += 1;
  }
  return (cotangent * above_total, cotangent * below_total, cotangent * power_total / z);
}

real hypergeometric_pFq(vector<finite> a, vector<finite> b, real<finite> z) {
  if (rows(a) > rows(b) + 1 && z != 0 || rows(a) == rows(b) + 1 && abs(z) > 1) {
    reject("hypergeometric_pFq: the series does not converge");
  }
  return hypergeometric_series(a, b, z);
}

real hypergeometric_3F2(vector a, vector b, real z) {
  return hypergeometric_pFq(a, b, z);
}
