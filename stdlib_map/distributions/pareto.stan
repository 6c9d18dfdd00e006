// Pareto distribution with minimum y_min and shape alpha. Stan Functions Reference, "Pareto distribution".

// log alpha + alpha log y_min - (alpha + 1) log y
real pareto_lpdf(real<not_nan, evident> y, real<positive_finite, evident> y_min,
                 real<positive_finite, evident> alpha) {
  return (y < y_min ? negative_infinity() : 0) + log(alpha) - (alpha + 1) * log(y)
         + alpha * log(y_min);
}

// 1 - (y_min / y)^alpha
real pareto_cdf(real<nonnegative> y, real<positive_finite> y_min, real<positive_finite> alpha) {
  real s = alpha * (log(y_min) - log(y));
  return y < y_min ? 0 : -expm1(s);
}

real pareto_lcdf(real<nonnegative> y, real<positive_finite> y_min, real<positive_finite> alpha) {
  real s = alpha * (log(y_min) - log(y));
  return y < y_min ? negative_infinity() : log1m_exp(s);
}

real pareto_lccdf(real<nonnegative> y, real<positive_finite> y_min, real<positive_finite> alpha) {
  real s = alpha * (log(y_min) - log(y));
  return y < y_min ? 0 : s;
}
