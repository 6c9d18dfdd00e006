// Beta distribution with shapes alpha and beta. Stan Functions Reference, "Beta distribution".

// lgamma(alpha + beta) - lgamma alpha - lgamma beta + (alpha - 1) log y + (beta - 1) log(1 - y)
real beta_lpdf(real<lower=0, upper=1, evident> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return -lgamma(alpha) - lgamma(beta) + lgamma(alpha + beta) + (alpha - 1) * log(y)
         + (beta - 1) * log(1 - y);
}

// I_y(alpha, beta), the regularised incomplete beta function, and 1 - I_y(alpha, beta) = I_(1 - y)(beta, alpha)
real beta_cdf(real<lower=0, upper=1> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : (y == 1 ? 1 : inc_beta(alpha, beta, y));
}

real beta_lcdf(real<lower=0, upper=1> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? negative_infinity() : (y == 1 ? 0 : log(inc_beta(alpha, beta, y)));
}

real beta_lccdf(real<lower=0, upper=1> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : (y == 1 ? negative_infinity() : log(inc_beta(beta, alpha, 1 - y)));
}
