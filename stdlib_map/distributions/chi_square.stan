// Chi-square distribution with nu degrees of freedom. Stan Functions Reference, "Chi-square distribution".

// -nu / 2 log 2 - lgamma(nu / 2) + (nu / 2 - 1) log y - y / 2
real chi_square_lpdf(real<nonnegative, evident> y, real<positive_finite> nu) {
  real half_nu = 0.5 * nu;
  return -(half_nu * log(2) + lgamma(half_nu)) + (half_nu - 1) * log(y) - 0.5 * y;
}
