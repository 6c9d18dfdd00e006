// The regularised incomplete beta function. Stan Functions Reference, "Combinatorial functions".
//
// With the odds of t those of x times exp(-w), I_x(a, b) = x^a (1 - x)^b / B(a, b) times the integral of exp(g(w)) over w > 0,
// g(w) = -a w - (a + b) log(1 - x + x exp(-w)), which falls from 1 on where x < a / (a + b). It is computed as the incomplete gamma functions are:
// the tail away from the maximum, by quadrature, for a + 2,
// I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) (1 + x (a + b) / (a + 1)) + I_x(a + 2, b), and the other tail, I_(1 - x)(b, a), as the
// complement. Of a tail with less than one expected event, x (a + b) < 1, the maximum does not matter.

// Whether the tail below x is the one computed.
int beta_is_lower(real a, real b, real x) {
  real below = x * (a + b);
  real above = (1 - x) * (a + b);
  return (above >= 1 && (below <= a || below < 1)) || (above < 1 && x <= 0.5);
}

// log(p^a q^b / B(a, b)), q = 1 - p, by Stirling's formula in the differences of observed and expected parts, which come from the smaller of p
// and q: that one is exact
real log_beta_weight(real a, real b, real p, real q) {
  real y = a + 5.5;
  real z = b + 5.5;
  real both = y + b;
  real excess = p < q ? p * both - y : b - q * both;
  return y * log_excess(p * both / y, excess / y) + z * log_excess(q * both / z, (-5.5 - excess) / z)
         - 5.5 * log(p * q * both)
         + (stirling_correction(both) - stirling_correction(y) - stirling_correction(z) - 0.9189385332046728)
         + log(six_factors(a) * (six_factors(b) / six_factors(a + b)));
}

// log(p) for p = 1 - q, by the smaller of the two
real log_share(real p, real q) {
  real bounded = greater_of(p, 0.5);
  return log(p) + ((1 - bounded) - lesser_of(q, 0.5)) / bounded;
}

// log(1 + r (exp(w) - 1)) for 0 <= r <= 1/2
real log_odds_shift(real r, real w) {
  real t = r * expm1(w);
  real sum = 1 + t;
  return log(sum) + (t - (sum - 1)) / sum;
}

// g(w) = drift w - n log_odds_shift(r, side w), where r is the smaller of p and q: drift = -a and side = -1 where it is p, drift = n - a and side = 1
// where it is q. The width w where the integrand is below exp(-36) comes from the quadratic part of g and two steps of Newton's method, which
// are never short.
real beta_width(real drift, real n, real r, real side) {
  real slope = greater_of(n * r * side - drift, 0);
  real start = 72 / (slope + sqrt(square(slope) + 72 * n * r * (1 - r)));
  real grown = r * exp(side * start);
  real first = start + (36 + drift * start - n * log_odds_shift(r, side * start))
                       / (n * side * grown / (1 - r + grown) - drift);
  real grown_more = r * exp(side * first);
  return first + (36 + drift * first - n * log_odds_shift(r, side * first))
                 / (n * side * grown_more / (1 - r + grown_more) - drift);
}

// the integral of (level - slope w - shift log_odds_shift(r, side w)) exp(g(w))
real beta_integral(real drift, real n, real r, real side, real level, real slope, real shift) {
  real width = beta_width(drift, n, r, side);
  real total = 0;
  for (k in 1:32) {
    real w = width * gauss_points()[k];
    real log_rest = log_odds_shift(r, side * w);
    total += gauss_weights()[k] * (level - slope * w - shift * log_rest) * exp(drift * w - n * log_rest);
  }
  return width * total;
}

// I_p(a, b) over p^a q^b / B(a, b) where that tail is the one computed
real beta_tail_factor(real a, real b, real p, real q) {
  real n = a + b;
  int rare = p < q;
  real integral = beta_integral(rare ? -(a + 2) : b, n + 2, lesser_of(p, q), 1 - 2 * rare, 1, 0, 0);
  return (1 + p * n / (a + 1) * (1 + p * (n + 1) * integral)) / a;
}

@elementwise
@facts(nonnegative, at_most_one)
real inc_beta(real<nonnegative> a, real<nonnegative> b, real<lower=0, upper=1> x) {
  int is_lower = beta_is_lower(a, b, x);
  real c = is_lower ? a : b;
  real d = is_lower ? b : a;
  real p = greater_of(is_lower ? x : 1 - x, 1e-300);
  real q = greater_of(is_lower ? 1 - x : x, 1e-300);
  real tail = exp(log_beta_weight(c, d, p, q)) * beta_tail_factor(c, d, p, q);
  return x == 0 ? 0 : (x == 1 ? 1 : (is_lower ? tail : 1 - tail));
}

// x^(a - 1) (1 - x)^(b - 1) / B(a, b)
@derivative(inc_beta, x)
real inc_beta_slope_x(real a, real b, real x) {
  real p = greater_of(x, 1e-300);
  real q = greater_of(1 - x, 1e-300);
  return exp(log_beta_weight(a, b, p, q) - log(p * q));
}

// The derivative with respect to the shape of the tail below x (first = 1) or above it. In the tail computed, of shapes c and n - c, it brings
// down log t - digamma(c) + digamma(n) for c (toward = 1), log(1 - t) - digamma(n - c) + digamma(n) for the other; each of the two
// terms in front of the integral has its own digamma.
real inc_beta_shape_slope(real a, real b, real x, int first) {
  int is_lower = beta_is_lower(a, b, x);
  int toward = is_lower == first;
  real c = is_lower ? a : b;
  real d = is_lower ? b : a;
  real n = a + b;
  real p = greater_of(is_lower ? x : 1 - x, 1e-300);
  real q = greater_of(is_lower ? 1 - x : x, 1e-300);
  real level = log_share(toward ? p : q, toward ? q : p) + digamma_growth(toward ? c + 2 : d, toward ? d : c + 2);
  int rare = p < q;
  real integral = beta_integral(rare ? -(c + 2) : d, n + 2, lesser_of(p, q), 1 - 2 * rare, level, toward - 1 + rare, 1);
  real second = level - 1 / (n + 1);
  real slope = exp(log_beta_weight(c, d, p, q)) / c
               * (second + (toward ? 1 / (c + 1) : 0) - 1 / n + p * n / (c + 1) * (second + p * (n + 1) * integral));
  return is_lower ? slope : -slope;
}

@derivative(inc_beta, a)
real inc_beta_slope_a(real a, real b, real x) {
  return inc_beta_shape_slope(a, b, x, 1);
}

@derivative(inc_beta, b)
real inc_beta_slope_b(real a, real b, real x) {
  return inc_beta_shape_slope(a, b, x, 0);
}
