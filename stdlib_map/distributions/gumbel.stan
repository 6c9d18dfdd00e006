// Gumbel distribution with location mu and scale beta. Stan Functions Reference, "Gumbel distribution".

// -z - exp(-z) - log beta, z = (y - mu) / beta
real gumbel_lpdf(real<not_nan, evident> y, real<finite, evident> mu, real<positive, evident> beta) {
  real z = (y - mu) / beta;
  return -(z + exp(-z)) - log(beta);
}

// exp(-e), e = exp(-(y - mu) / beta)
real gumbel_cdf(real<not_nan> y, real<finite> mu, real<positive> beta) {
  real e = exp((mu - y) / beta);
  return exp(-e);
}

real gumbel_lcdf(real<not_nan> y, real<finite> mu, real<positive> beta) {
  real e = exp((mu - y) / beta);
  return -e;
}

real gumbel_lccdf(real<not_nan> y, real<finite> mu, real<positive> beta) {
  real e = exp((mu - y) / beta);
  return log1m_exp(-e);
}
