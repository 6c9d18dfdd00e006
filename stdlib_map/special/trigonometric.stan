// Trigonometric functions and their inverses. Stan Functions Reference, "Trigonometric functions". The derivatives are the
// textbook's.

@elementwise
real tan(real x) {
  return sin(x) / cos(x);
}

@derivative(tan, x)
real tan_slope(real x) {
  return 1 / square(cos(x));
}

// 2 atan(x) for -1 <= x <= 1: x times a rational function of x^2, its minimax approximation; relative error below 2e-16
real twice_atan_unit(real x) {
  real w = square(x);
  return 2 * x
         * (113.29771617569848 + w * (253.70624609263157 + w * (197.58640036201112 + w * (62.97087726726721
         + w * (7.277276987541063 + w * (0.16274279700669003 + w * -0.0014327649681596044))))))
         / (113.2977161756985 + w * (291.4721514845235 + w * (272.0842409555502 + w * (111.5565819676064
         + w * (19.096199947569048 + w)))));
}

// twice the arctangent of the tangent of the half angle
@elementwise
real atan(real x) {
  real t = lesser_of(greater_of(x, -1e150), 1e150);
  return twice_atan_unit(t / (1 + sqrt(1 + square(t))));
}

@derivative(atan, x)
real atan_slope(real x) {
  return 1 / (1 + square(x));
}

// The angle of the point (x, y): in the right half plane from the tangent of the half angle, mirrored for the left. The point is scaled to a
// size of 1; the smallest summand only makes the angle of the origin 0.
@elementwise
real atan2(real y, real x) {
  real size = greater_of(greater_of(abs(x), abs(y)), 1e-300);
  real across = abs(x) / size;
  real up = y / size;
  real angle = twice_atan_unit(up / (across + sqrt(square(across) + square(up) + 1e-300)));
  return x < 0 ? (y < 0 ? -pi() : pi()) - angle : angle;
}

@derivative(atan2, y)
real atan2_slope_y(real y, real x) {
  return x / (square(x) + square(y));
}

@derivative(atan2, x)
real atan2_slope_x(real y, real x) {
  return -y / (square(x) + square(y));
}

@elementwise
real asin(real x) {
  return twice_atan_unit(x / (1 + sqrt((1 - x) * (1 + x))));
}

@derivative(asin, x)
real asin_slope(real x) {
  return 1 / sqrt((1 - x) * (1 + x));
}

// 2 atan(t) with t = sqrt((1 - x) / (1 + x))
@elementwise
@facts(nonnegative)
real acos(real x) {
  return 2 * atan(sqrt((1 - x) / (1 + x)));
}

@derivative(acos, x)
real acos_slope(real x) {
  return -1 / sqrt((1 - x) * (1 + x));
}

// sqrt(x^2 + y^2), scaled by the larger
@elementwise
@facts(nonnegative)
real hypot(real x, real y) {
  real larger = greater_of(abs(x), abs(y));
  real ratio = lesser_of(abs(x), abs(y)) / greater_of(larger, 1e-300);
  return larger * sqrt(1 + square(ratio));
}

@derivative(hypot, x)
real hypot_slope_x(real x, real y) {
  return x / hypot(x, y);
}

@derivative(hypot, y)
real hypot_slope_y(real x, real y) {
  return y / hypot(x, y);
}
