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

// The chance of a t variable above |t|: I_x(nu / 2, 1 / 2) / 2 with x = nu / (nu + t^2), near t = 0 by the complement.
real student_t_tail(real t, real nu) {
  real s = square(t);
  int far = s > nu;
  real a = far ? 0.5 * nu : 0.5;
  real b = far ? 0.5 : 0.5 * nu;
  real half = 0.5 * inc_beta(a, b, (far ? nu : s) / (nu + s));
  return far ? half : 0.5 - half;
}

real student_t_cdf(real<not_nan> y, real<positive_finite> nu, real<finite> mu, real<positive_finite> sigma) {
  real t = (y - mu) / sigma;
  real tail = student_t_tail(t, nu);
  return is_inf(y) ? y > 0 : (t < 0 ? tail : 1 - tail);
}

real student_t_lcdf(real<not_nan> y, real<positive_finite> nu, real<finite> mu, real<positive_finite> sigma) {
  real t = (y - mu) / sigma;
  real tail = student_t_tail(t, nu);
  return is_inf(y) ? (y > 0 ? 0 : negative_infinity()) : (t < 0 ? log(tail) : log1m(tail));
}

real student_t_lccdf(real<not_nan> y, real<positive_finite> nu, real<finite> mu, real<positive_finite> sigma) {
  return student_t_lcdf(-y | nu, -mu, sigma);
}
