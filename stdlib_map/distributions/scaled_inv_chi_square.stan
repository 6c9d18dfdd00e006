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
