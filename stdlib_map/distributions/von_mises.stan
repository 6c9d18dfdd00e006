// Von Mises distribution with location mu and concentration kappa. Stan Functions Reference, "Von Mises
// distribution".

// kappa cos(mu - y) - log(2 pi) - log I_0(kappa)
real von_mises_lpdf(real<finite, evident> y, real<finite, evident> mu, real<nonnegative, finite> kappa) {
  return kappa * cos(mu - y) - log(2 * pi()) - log_bessel_i0(kappa);
}

// The distribution function with mean 0 at x in [-pi, pi]: 1 / 2 + x / (2 pi) + sum_n I_n(kappa) / I_0(kappa) sin(n x) / (n pi), the ratios
// of Bessel functions by backward recurrence. Hill (1977), "Algorithm 518: incomplete Bessel function I0: the von Mises distribution".
real von_mises_series(real x, real kappa) {
  real ratio = 0;
  real total = 0;
  for (k in 0:58) {
    int n = 59 - k;
    ratio = 1 / (2 * n / kappa + ratio);
    total = ratio * (sin(n * x) / n + total);
  }
  return 0.5 + x / (2 * pi()) + total / pi();
}

// Hill's normal approximation, for kappa of 50 and more: Phi(sqrt(2 / pi) exp(kappa) / I_0(kappa) sin(x / 2))
real von_mises_normal(real x, real kappa) {
  real scale = sqrt(2 / pi()) * exp(kappa - log_bessel_i0(kappa));
  return 0.5 * erfc(-sqrt(0.5) * scale * sin(0.5 * x));
}

// The series up to 49, the approximation from 50, and between them the two at the ends, mixed.
real von_mises_centered(real x, real kappa) {
  real weight = fmin(fmax(kappa - 49, 0), 1);
  return (1 - weight) * von_mises_series(x, fmin(kappa, 49)) + weight * von_mises_normal(x, fmax(kappa, 50));
}

// x moved by multiples of 2 pi into [-pi, pi)
real wrap_angle(real x) {
  return x - 2 * pi() * floor(x / (2 * pi()) + 0.5);
}

// The chance between -pi and y: the circle is cut opposite to the mean, where the centred function jumps from 1 to 0.
real von_mises_mass(real y, real mu, real kappa) {
  real center = wrap_angle(mu);
  real turn = center < 0 ? pi() : -pi();
  real jump = y > center + turn;
  return von_mises_centered(wrap_angle(y - mu), kappa) + jump - von_mises_centered(-turn - center, kappa);
}

real von_mises_cdf(real<lower=-pi(), upper=pi()> y, real<finite> mu, real<positive> kappa) {
  return y == -pi() ? 0 : (y == pi() ? 1 : fmax(von_mises_mass(y, mu, kappa), 0));
}

real von_mises_lcdf(real<lower=-pi(), upper=pi()> y, real<finite> mu, real<positive> kappa) {
  return y == -pi() ? negative_infinity() : (y == pi() ? 0 : log(fmax(von_mises_mass(y, mu, kappa), 0)));
}

real von_mises_lccdf(real<lower=-pi(), upper=pi()> y, real<finite> mu, real<positive> kappa) {
  return y == -pi() ? 0 : (y == pi() ? negative_infinity() : log(fmax(von_mises_mass(-y, -mu, kappa), 0)));
}
