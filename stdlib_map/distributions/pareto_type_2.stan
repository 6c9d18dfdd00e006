// Pareto distribution of type 2 (Lomax) with location mu, scale lambda and shape alpha. Stan Functions Reference,
// "Pareto type 2 distribution".

// log alpha - log lambda - (alpha + 1) log(1 + (y - mu) / lambda)
real pareto_type_2_lpdf(real<lower=mu> y, real mu, real<positive_finite, evident> lambda,
                        real<positive_finite, evident> alpha) {
  return log(alpha) - log(lambda) - (alpha + 1) * log1p((y - mu) / lambda);
}

// 1 - (1 + (y - mu) / lambda)^-alpha
real pareto_type_2_cdf(real<nonnegative, lower=mu> y, real mu, real<positive_finite> lambda,
                       real<positive_finite> alpha) {
  real s = -alpha * log1p((y - mu) / lambda);
  return -expm1(s);
}

real pareto_type_2_lcdf(real<nonnegative, lower=mu> y, real mu, real<positive_finite> lambda,
                        real<positive_finite> alpha) {
  real s = -alpha * log1p((y - mu) / lambda);
  return log1m_exp(s);
}

real pareto_type_2_lccdf(real<nonnegative, lower=mu> y, real mu, real<positive_finite> lambda,
                         real<positive_finite> alpha) {
  real s = -alpha * log1p((y - mu) / lambda);
  return s;
}
