// Exponentially modified normal distribution: normal (mu, sigma) plus exponential (rate lambda). Stan
// Functions Reference, "Exponentially modified Gaussian distribution".

// -log 2 + log lambda + lambda (mu - y + lambda sigma^2 / 2) + log erfc((mu - y + lambda sigma^2) / (sqrt 2 sigma)).
// With u = (mu - y + lambda sigma^2) / sigma and log erfc(u / sqrt 2) = log 2 + log Phi(-u): no term underflows.
real exp_mod_normal_lpdf(real<not_nan, evident> y, real<finite, evident> mu,
                         real<positive_finite> sigma, real<positive_finite, evident> lambda) {
  real d = mu - y;
  real v = lambda * square(sigma);
  return log(lambda) - log(2)
         + (lambda * (d + 0.5 * v) + log_Phi(-(d + v) / sigma) + log(2));
}

// Phi(z) - exp(v (v / 2 - z)) Phi(z - v), z = (y - mu) / sigma, v = lambda sigma
real exp_mod_normal_cdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma, real<positive_finite> lambda) {
  return exp(exp_mod_normal_lcdf(y | mu, sigma, lambda));
}

real exp_mod_normal_lcdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma, real<positive_finite> lambda) {
  real z = (y - mu) / sigma;
  real v = lambda * sigma;
  return is_inf(y) ? (y < 0 ? negative_infinity() : 0)
                   : log_diff_exp(log_Phi(z), v * (0.5 * v - z) + log_Phi(z - v));
}

real exp_mod_normal_lccdf(real<not_nan> y, real<finite> mu, real<positive_finite> sigma, real<positive_finite> lambda) {
  real z = (y - mu) / sigma;
  real v = lambda * sigma;
  return is_inf(y) ? (y > 0 ? negative_infinity() : 0)
                   : log_sum_exp(log_Phi(-z), v * (0.5 * v - z) + log_Phi(z - v));
}
