// Owen's T function, the integral over [0, a] of exp(-h^2 (1 + x^2) / 2) / (1 + x^2) / (2 pi). Stan Functions Reference,
// "Probability-related functions"; Owen (1956), "Tables for computing bivariate normal probabilities".

// for h >= 0 and 0 <= a <= 1, by quadrature up to where the integrand is below exp(-37)
real owens_t_inner(real h, real a) {
  real width = lesser_of(a, 8.6 / h);
  real total = 0;
  for (k in 1:32) {
    real y = 1 + square(width * gauss_points()[k]);
    total += gauss_weights()[k] * exp(-0.5 * square(h) * (y - 1)) / y;
  }
  return exp(-0.5 * square(h)) * width * total / (2 * pi());
}

// for a > 1 by T(h, a) = (Q(h) + Q(a h)) / 2 - Q(h) Q(a h) - T(a h, 1 / a), Q the upper tail of the normal distribution; T is even in h and odd
// in a
@elementwise
real owens_t(real h, real a) {
  real size = abs(h);
  real slope = lesser_of(abs(a), 1e150);
  int steep = slope > 1;
  real reach = size * slope;
  real inner = owens_t_inner(steep ? reach : size, steep ? 1 / slope : slope);
  real near = 0.5 * erfc(sqrt(0.5) * size);
  real far = 0.5 * erfc(sqrt(0.5) * reach);
  return sign_of(a) * (steep ? 0.5 * (near + far) - near * far - inner : inner);
}

// -phi(h) (Phi(a h) - 1/2)
@derivative(owens_t, h)
real owens_t_slope_h(real h, real a) {
  return -0.19947114020071635 * exp(-0.5 * square(h)) * erf(sqrt(0.5) * a * h);
}

@derivative(owens_t, a)
real owens_t_slope_a(real h, real a) {
  real y = 1 + square(a);
  return exp(-0.5 * square(h) * y) / (2 * pi() * y);
}
