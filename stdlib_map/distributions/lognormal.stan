// Lognormal distribution: log y is normal with location mu and scale sigma. Stan Functions Reference,
// "Lognormal distribution".

// -z^2 / 2 - log(2 pi) / 2 - log sigma - log y, z = (log y - mu) / sigma; Stan never drops the constant.
real lognormal_lpdf(real<nonnegative, evident> y, real<finite, evident> mu,
                    real<positive_finite, evident> sigma) {
  real log_y = log(y);
  real z = (log_y - mu) / sigma;
  return y == 0 ? negative_infinity()
                : -(0.5 * square(z) + 0.5 * log(2 * pi())) - log(sigma) - log_y;
}

// Phi(z), and the logarithms of Phi(z) and Phi(-z)
real lognormal_cdf(real<nonnegative> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (log(y) - mu) / sigma;
  return y == 0 ? 0 : 0.5 * erfc(-sqrt(0.5) * z);
}

real lognormal_lcdf(real<nonnegative> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (log(y) - mu) / sigma;
  return y == 0 ? negative_infinity() : log_Phi(z);
}

real lognormal_lccdf(real<nonnegative> y, real<finite> mu, real<positive_finite> sigma) {
  real z = (log(y) - mu) / sigma;
  return y == 0 ? 0 : log_Phi(-z);
}
