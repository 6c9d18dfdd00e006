// Chi-square distribution with nu degrees of freedom. Stan Functions Reference, "Chi-square distribution".

// -nu / 2 log 2 - lgamma(nu / 2) + (nu / 2 - 1) log y - y / 2
real chi_square_lpdf(real<nonnegative, evident> y, real<positive_finite> nu) {
  real half_nu = 0.5 * nu;
  return -(half_nu * log(2) + lgamma(half_nu)) + (half_nu - 1) * log(y) - 0.5 * y;
}

// P(nu / 2, y / 2), the regularised incomplete gamma function
real chi_square_cdf(real<nonnegative> y, real<positive_finite> nu) {
  return y == 0 ? 0 : (is_inf(y) ? 1 : gamma_p(0.5 * nu, 0.5 * y));
}

real chi_square_lcdf(real<nonnegative> y, real<positive_finite> nu) {
  return y == 0 ? negative_infinity() : (is_inf(y) ? 0 : log(gamma_p(0.5 * nu, 0.5 * y)));
}

real chi_square_lccdf(real<nonnegative> y, real<positive_finite> nu) {
  return y == 0 ? 0 : (is_inf(y) ? negative_infinity() : log(gamma_q(0.5 * nu, 0.5 * y)));
}
