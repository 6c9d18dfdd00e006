// Scaled inverse chi-square distribution with nu degrees of freedom and scale s. Stan Functions Reference,
// "Scaled inverse chi-square distribution".

// nu / 2 log(nu / 2) - lgamma(nu / 2) + nu log s - (nu / 2 + 1) log y - nu s^2 / (2 y)
real scaled_inv_chi_square_lpdf(real<not_nan, evident> y, real<positive_finite, evident> nu,
                                real<positive_finite, evident> s) {
  real half_nu = 0.5 * nu;
  return y <= 0 ? negative_infinity()
                : (half_nu * log(half_nu) - lgamma(half_nu)) + nu * log(s)
                  - (half_nu + 1) * log(y) - half_nu * square(s) / y;
}

// Q(nu / 2, nu s^2 / (2 y)), the complement of the regularised incomplete gamma function
real scaled_inv_chi_square_cdf(real<nonnegative> y, real<positive_finite> nu,
                               real<positive_finite> s) {
  return y == 0 ? 0 : (is_inf(y) ? 1 : gamma_q(0.5 * nu, 0.5 * nu * square(s) / y));
}

real scaled_inv_chi_square_lcdf(real<nonnegative> y, real<positive_finite> nu,
                                real<positive_finite> s) {
  return y == 0 ? negative_infinity() : (is_inf(y) ? 0 : log(gamma_q(0.5 * nu, 0.5 * nu * square(s) / y)));
}

real scaled_inv_chi_square_lccdf(real<nonnegative> y, real<positive_finite> nu,
                                 real<positive_finite> s) {
  return y == 0 ? 0 : (is_inf(y) ? negative_infinity() : log(gamma_p(0.5 * nu, 0.5 * nu * square(s) / y)));
}
