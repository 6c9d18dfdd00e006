// Frechet distribution with shape alpha and scale sigma. Stan Functions Reference, "Frechet distribution".

// -(y / sigma)^-alpha + log alpha - (alpha + 1) log y + alpha log sigma
real frechet_lpdf(real<positive, evident> y, real<positive_finite, evident> alpha,
                  real<positive_finite, evident> sigma) {
  real log_y = log(y);
  real log_sigma = log(sigma);
  return -exp(alpha * (log_sigma - log_y)) + log(alpha) - (alpha + 1) * log_y + alpha * log_sigma;
}

// exp(-h), h = (y / sigma)^-alpha
real frechet_cdf(real<positive> y, real<positive_finite> alpha, real<positive_finite> sigma) {
  real h = exp(alpha * (log(sigma) - log(y)));
  return exp(-h);
}

real frechet_lcdf(real<positive> y, real<positive_finite> alpha, real<positive_finite> sigma) {
  real h = exp(alpha * (log(sigma) - log(y)));
  return -h;
}

real frechet_lccdf(real<positive> y, real<positive_finite> alpha, real<positive_finite> sigma) {
  real h = exp(alpha * (log(sigma) - log(y)));
  return log1m_exp(-h);
}
