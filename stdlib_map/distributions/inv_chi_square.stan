// Inverse chi-square distribution with nu degrees of freedom. Stan Functions Reference, "Inverse
// chi-square distribution".

// -nu / 2 log 2 - lgamma(nu / 2) - (nu / 2 + 1) log y - 1 / (2 y)
real inv_chi_square_lpdf(real<not_nan, evident> y, real<positive_finite> nu) {
  real half_nu = 0.5 * nu;
  return y <= 0 ? negative_infinity()
                : -((half_nu + 1) * log(y)) - (half_nu * log(2) + lgamma(half_nu)) - 0.5 / y;
}

// Q(nu / 2, 1 / (2 y)), the complement of the regularised incomplete gamma function
real inv_chi_square_cdf(real<nonnegative> y, real<positive_finite> nu) {
  return y == 0 ? 0 : (is_inf(y) ? 1 : gamma_q(0.5 * nu, 0.5 / y));
}

real inv_chi_square_lcdf(real<nonnegative> y, real<positive_finite> nu) {
  return y == 0 ? negative_infinity() : (is_inf(y) ? 0 : log(gamma_q(0.5 * nu, 0.5 / y)));
}

real inv_chi_square_lccdf(real<nonnegative> y, real<positive_finite> nu) {
  return y == 0 ? 0 : (is_inf(y) ? negative_infinity() : log(gamma_p(0.5 * nu, 0.5 / y)));
}
