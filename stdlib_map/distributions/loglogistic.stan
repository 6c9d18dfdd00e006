// Log-logistic distribution with scale alpha and shape beta. Stan Functions Reference, "Log-logistic distribution".

// (beta - 1) log y - 2 log(1 + (y / alpha)^beta) + log beta - beta log alpha
real loglogistic_lpdf(real<positive_finite, evident> y, real<positive_finite, evident> alpha,
                      real<positive_finite, evident> beta) {
  real log_y = log(y);
  real log_alpha = log(alpha);
  return ((beta - 1) * log_y - 2 * log1p_exp(beta * (log_y - log_alpha)))
         + (log(beta) - beta * log_alpha);
}

// 1 / (1 + (y / alpha)^-beta)
real loglogistic_cdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : inv_logit(beta * (log(y) - log(alpha)));
}
