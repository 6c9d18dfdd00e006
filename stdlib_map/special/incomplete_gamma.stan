// The regularised incomplete gamma functions P and Q = 1 - P. Stan Functions Reference, "Combinatorial functions".
//
// With t = x exp(w), Q(a, x) = x^a exp(-x) / Gamma(a) times the integral of exp(g(w)), g(w) = a w - x (exp(w) - 1), over w > 0, and P is that over
// w < 0. g is concave with its maximum at log(a / x), so the integral away from the maximum falls from 1 on: P is computed where x < a, Q where
// x > a, and the other as the complement. Gauss-Legendre quadrature up to where the integrand is below exp(-36) has a relative
// error below 1e-14, and loses nothing in the tails. P is taken for a + 2,
// P(a, x) = x^a exp(-x) / Gamma(a + 1) (1 + x / (a + 1)) + P(a + 2, x), which is smooth for small a too; that serves all x < 1.

// log(ratio) - v for v = ratio - 1, given both: -v^2 / 2 + ... for small v. With r = v / (2 + v), log(1 + v) = 2 atanh(r); a minimax
// rational function for |v| < 1/2, error below 3e-16.
real log_excess(real ratio, real v) {
  real r = v / (2 + v);
  real w = square(r);
  real near = 2 * r * w
              * (-2.134048531120778 + w * (2.6161650278954904 + w * (-0.7159527831901192 + w * 0.008362582755838793)))
              / (-6.402145593362167 + w * (11.689782439650903 + w * (-6.417951125642706 + w))) - v * r;
  real far = log(ratio) - v;
  return abs(v) < 0.5 ? near : far;
}

// log(x^a exp(-x) / Gamma(a)), by Stirling's formula at y = a + 11/2 as in gamma.stan, in the difference of x and y
real log_gamma_weight(real a, real x) {
  real y = a + 5.5;
  return y * log_excess(x / y, (x - y) / y) - 5.5 * log(x) - (stirling_correction(y) + 0.9189385332046728)
         + log(six_factors(a));
}

// Whether the lower tail is the one computed.
int gamma_is_lower(real a, real x) {
  return x < a || x < 1;
}

// The width w where the integrand is below exp(-36), for the order a of the integral and side -1 or 1: from the quadratic part of g, for small x on the
// right bounded by that of the exponential, and two steps of Newton's method, which are never short.
real gamma_width(real a, real x, real side) {
  real slope = abs(a - x);
  real parabola = 72 / (slope + sqrt(square(slope) + 72 * x));
  real start = side > 0 ? lesser_of(parabola, greater_of(log(1 + 72 / x), 1.26)) : parabola;
  real first = start + (36 + side * a * start - x * expm1(side * start)) / (side * (x * exp(side * start) - a));
  return first + (36 + side * a * first - x * expm1(side * first)) / (side * (x * exp(side * first) - a));
}

// the integral of (level + slope w) exp(g(w))
real gamma_integral(real a, real x, real side, real level, real slope) {
  real width = gamma_width(a, x, side);
  real total = 0;
  for (k in 1:32) {
    real w = width * gauss_points()[k];
    total += gauss_weights()[k] * (level + slope * w) * exp(side * a * w - x * expm1(side * w));
  }
  return width * total;
}

// the tail on the side where it is computed
real gamma_tail(real a, real x) {
  int left = gamma_is_lower(a, x);
  real z = greater_of(lesser_of(x, 1e300), 1e-300);
  real integral = gamma_integral(a + 2 * left, z, 1 - 2 * left, 1, 0);
  real from_below = (1 + z / (a + 1) * (1 + z * integral)) / a;
  return exp(log_gamma_weight(a, z)) * (left ? from_below : integral);
}

@elementwise
@facts(nonnegative, at_most_one)
real gamma_p(real<positive> a, real<nonnegative> x) {
  real tail = gamma_tail(a, x);
  return x == 0 ? 0 : (gamma_is_lower(a, x) ? tail : 1 - tail);
}

@elementwise
@facts(nonnegative, at_most_one)
real gamma_q(real<positive> a, real<nonnegative> x) {
  real tail = gamma_tail(a, x);
  return x == 0 ? 1 : (gamma_is_lower(a, x) ? 1 - tail : tail);
}

// x^(a - 1) exp(-x) / Gamma(a)
@derivative(gamma_p, x)
real gamma_p_slope_x(real a, real x) {
  real z = greater_of(lesser_of(x, 1e300), 1e-300);
  return exp(log_gamma_weight(a, z)) / z;
}

@derivative(gamma_q, x)
real gamma_q_slope_x(real a, real x) {
  return -gamma_p_slope_x(a, x);
}

// The derivative of the integrand brings down log t - digamma(a) = log(x) - digamma(a) + w.
@derivative(gamma_p, a)
real gamma_p_slope_a(real a, real x) {
  int left = gamma_is_lower(a, x);
  real z = greater_of(lesser_of(x, 1e300), 1e-300);
  real side = 1 - 2 * left;
  real order = a + 2 * left;
  real y = order + 5.5;
  real w = square(1 / y);
  real level = log(z / y) - w * (0.04166666666615974 + w * (-0.007291666361971346 + w * (0.0038441847296427363
               + w * (-0.00412839486973266 + w * (0.0072850432875265925 + w * -0.01415984718834061)))))
               + six_inverses(order);
  real integral = gamma_integral(order, z, side, level, side);
  real from_below = (level + (1 + z * (level + z * integral)) / (a + 1)) / a;
  return exp(log_gamma_weight(a, z)) * (left ? from_below : -integral);
}

@derivative(gamma_q, a)
real gamma_q_slope_a(real a, real x) {
  return -gamma_p_slope_a(a, x);
}
