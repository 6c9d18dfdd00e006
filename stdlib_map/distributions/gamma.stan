// Gamma distribution with shape alpha and rate beta. Stan Functions Reference, "Gamma distribution".

// alpha log beta - lgamma alpha + (alpha - 1) log y - beta y
real gamma_lpdf(real<positive_finite, evident> y, real<positive_finite> alpha,
                real<positive_finite, evident> beta) {
  return -lgamma(alpha) + alpha * log(beta) + (alpha - 1) * log(y) - beta * y;
}
