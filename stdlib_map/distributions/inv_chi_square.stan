// Inverse chi-square distribution with nu degrees of freedom. Stan Functions Reference, "Inverse
// chi-square distribution".

// -nu / 2 log 2 - lgamma(nu / 2) - (nu / 2 + 1) log y - 1 / (2 y)
real inv_chi_square_lpdf(real<not_nan, evident> y, real<positive_finite> nu) {
  real half_nu = 0.5 * nu;
  return y <= 0 ? negative_infinity()
                : -((half_nu + 1) * log(y)) - (half_nu * log(2) + lgamma(half_nu)) - 0.5 / y;
}
