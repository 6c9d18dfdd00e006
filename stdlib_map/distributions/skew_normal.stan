// Skew normal distribution with location xi, scale omega and shape alpha. Stan Functions Reference,
// "Skew normal distribution".

// -log(2 pi) / 2 - log omega - z^2 / 2 + log erfc(-alpha z / sqrt 2), z = (y - xi) / omega; the last term as
// log 2 + log Phi(alpha z), which does not underflow.
real skew_normal_lpdf(real<not_nan, evident> y, real<finite, evident> xi, real<positive, evident> omega,
                      real<finite, evident> alpha) {
  real z = (y - xi) / omega;
  return (log_Phi(alpha * z) + log(2)) - 0.5 * log(2 * pi()) - log(omega) - 0.5 * square(z);
}

// Phi(z) - 2 T(z, alpha), T Owen's function
real skew_normal_cdf(real<not_nan> y, real<finite> xi, real<positive> omega, real<finite> alpha) {
  real z = (y - xi) / omega;
  return 0.5 * erfc(-sqrt(0.5) * z) - 2 * owens_t(z, alpha);
}

// the integral of 2 phi(t) Phi(c t) over t > z, over the integrand at z, where that falls from z on: Gauss-Legendre quadrature up to where the integrand
// is below exp(-36) of it. The width is that of the least curvature, and two steps of Newton's method, which are never short as the
// logarithm of the integrand is concave. For positive c the part where Phi still rises to 1 is taken by itself.
real skew_normal_mills_ratio(real z, real c) {
  real start_log = log_Phi(c * z);
  real hazard = log_Phi_slope(c * z);
  real slope = greater_of(z - c * hazard, 0);
  real curvature = 1 + (c < 0 ? square(c) * hazard * (hazard + c * z) : 0);
  real first = 72 / (slope + sqrt(square(slope) + 72 * curvature));
  real second = first + (36 - z * first - 0.5 * square(first) + log_Phi(c * (z + first)) - start_log)
                        / (z + first - c * log_Phi_slope(c * (z + first)));
  real width = second + (36 - z * second - 0.5 * square(second) + log_Phi(c * (z + second)) - start_log)
                        / (z + second - c * log_Phi_slope(c * (z + second)));
  real rise = c > 0 ? lesser_of(width, greater_of(8.5 / c - z, 0)) : width;
  real total = 0;
  for (k in 1:32) {
    real w = rise * gauss_points()[k];
    real v = rise + (width - rise) * gauss_points()[k];
    total += gauss_weights()[k] * (rise * exp(log_Phi(c * (z + w)) - start_log - w * (z + 0.5 * w))
                                   + (width - rise) * exp(log_Phi(c * (z + v)) - start_log - v * (z + 0.5 * v)));
  }
  return total;
}

// log of 2 phi(z) Phi(alpha z)
real skew_normal_log_density(real z, real alpha) {
  return log(2) - 0.5 * log(2 * pi()) - 0.5 * square(z) + log_Phi(alpha * z);
}

// log of the probability above z: of the tail away from the mode, or the complement of the other
@elementwise
real log_skew_normal_tail(real z, real alpha) {
  real side = z < alpha * log_Phi_slope(alpha * z) ? -1 : 1;
  real log_tail = skew_normal_log_density(z, alpha) + log(skew_normal_mills_ratio(side * z, side * alpha));
  return side > 0 ? log_tail : log1m_exp(log_tail);
}

@derivative(log_skew_normal_tail, z)
real log_skew_normal_tail_slope_z(real z, real alpha) {
  return -exp(skew_normal_log_density(z, alpha) - log_skew_normal_tail(z, alpha));
}

// of the probability: the integral of 2 t phi(t) phi(alpha t) over t > z
@derivative(log_skew_normal_tail, alpha)
real log_skew_normal_tail_slope_alpha(real z, real alpha) {
  real precision = 1 + square(alpha);
  return exp(-0.5 * precision * square(z) - log_skew_normal_tail(z, alpha)) / (pi() * precision);
}

real skew_normal_lcdf(real<not_nan> y, real<finite> xi, real<positive> omega, real<finite> alpha) {
  real z = (y - xi) / omega;
  return log_skew_normal_tail(-z, -alpha);
}

real skew_normal_lccdf(real<not_nan> y, real<finite> xi, real<positive> omega, real<finite> alpha) {
  real z = (y - xi) / omega;
  return log_skew_normal_tail(z, alpha);
}
