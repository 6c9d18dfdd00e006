// Weibull distribution with shape alpha and scale sigma. Stan Functions Reference, "Weibull distribution".

// -(y / sigma)^alpha + log alpha + (alpha - 1) log y - alpha log sigma
real weibull_lpdf(real<finite, evident> y, real<positive_finite, evident> alpha,
                  real<positive_finite, evident> sigma) {
  real log_y = log(y);
  real log_sigma = log(sigma);
  return y < 0 ? negative_infinity()
               : -exp(alpha * (log_y - log_sigma)) + log(alpha) + (alpha - 1) * log_y
                 - alpha * log_sigma;
}

// 1 - exp(-h), h = (y / sigma)^alpha
real weibull_cdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> sigma) {
  real h = exp(alpha * (log(y) - log(sigma)));
  return y == 0 ? 0 : -expm1(-h);
}

real weibull_lcdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> sigma) {
  real h = exp(alpha * (log(y) - log(sigma)));
  return y == 0 ? negative_infinity() : log1m_exp(-h);
}

real weibull_lccdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> sigma) {
  real h = exp(alpha * (log(y) - log(sigma)));
  return y == 0 ? 0 : -h;
}
