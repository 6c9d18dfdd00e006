// Beta distribution with shapes alpha and beta. Stan Functions Reference, "Beta distribution".

// lgamma(alpha + beta) - lgamma alpha - lgamma beta + (alpha - 1) log y + (beta - 1) log(1 - y)
real beta_lpdf(real<lower=0, upper=1, evident> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return -lgamma(alpha) - lgamma(beta) + lgamma(alpha + beta) + (alpha - 1) * log(y)
         + (beta - 1) * log(1 - y);
}
