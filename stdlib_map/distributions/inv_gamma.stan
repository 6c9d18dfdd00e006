// Inverse gamma distribution with shape alpha and scale beta. Stan Functions Reference, "Inverse gamma
// distribution".

// alpha log beta - lgamma alpha - (alpha + 1) log y - beta / y
real inv_gamma_lpdf(real<not_nan, evident> y, real<positive_finite> alpha,
                    real<positive_finite, evident> beta) {
  return y <= 0 ? negative_infinity()
                : -lgamma(alpha) + alpha * log(beta) - (alpha + 1) * log(y) - beta / y;
}
