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

real skew_normal_lcdf(real<not_nan> y, real<finite> xi, real<positive> omega, real<finite> alpha) {
  real z = (y - xi) / omega;
  return log(0.5 * erfc(-sqrt(0.5) * z) - 2 * owens_t(z, alpha));
}

real skew_normal_lccdf(real<not_nan> y, real<finite> xi, real<positive> omega, real<finite> alpha) {
  real z = (y - xi) / omega;
  return log(0.5 * erfc(sqrt(0.5) * z) + 2 * owens_t(z, alpha));
}
