// Inverse gamma distribution with shape alpha and scale beta. Stan Functions Reference, "Inverse gamma
// distribution".

// alpha log beta - lgamma alpha - (alpha + 1) log y - beta / y
real inv_gamma_lpdf(real<not_nan, evident> y, real<positive_finite> alpha,
                    real<positive_finite, evident> beta) {
  return y <= 0 ? negative_infinity()
                : -lgamma(alpha) + alpha * log(beta) - (alpha + 1) * log(y) - beta / y;
}

// Q(alpha, beta / y), the complement of the regularised incomplete gamma function
real inv_gamma_cdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : (is_inf(y) ? 1 : gamma_q(alpha, beta / y));
}

real inv_gamma_lcdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? negative_infinity() : (is_inf(y) ? 0 : log(gamma_q(alpha, beta / y)));
}

real inv_gamma_lccdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : (is_inf(y) ? negative_infinity() : log(gamma_p(alpha, beta / y)));
}
