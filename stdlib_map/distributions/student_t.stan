// Student's t distribution with nu degrees of freedom, location mu and scale sigma. Stan Functions
// Reference, "Student-t distribution".

// lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(nu) / 2 - log(pi) / 2 - log sigma
//   - (nu + 1) / 2 log(1 + z^2 / nu), z = (y - mu) / sigma
real student_t_lpdf(real<not_nan, evident> y, real<positive_finite, evident> nu, real<finite, evident> mu,
                    real<positive_finite, evident> sigma) {
  real half_nu = 0.5 * nu;
  return -((half_nu + 0.5) * log1p(square((y - mu) / sigma) / nu)) - 0.5 * log(pi())
         + (lgamma(half_nu + 0.5) - lgamma(half_nu) - 0.5 * log(nu)) - log(sigma);
}
