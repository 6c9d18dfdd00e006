// Gamma distribution with shape alpha and rate beta. Stan Functions Reference, "Gamma distribution".

// alpha log beta - lgamma alpha + (alpha - 1) log y - beta y
real gamma_lpdf(real<positive_finite, evident> y, real<positive_finite> alpha,
                real<positive_finite, evident> beta) {
  return -lgamma(alpha) + alpha * log(beta) + (alpha - 1) * log(y) - beta * y;
}

// P(alpha, beta y), the regularised incomplete gamma function
real gamma_cdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : (is_inf(y) ? 1 : gamma_p(alpha, beta * y));
}

real gamma_lcdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? negative_infinity() : (is_inf(y) ? 0 : log(gamma_p(alpha, beta * y)));
}

real gamma_lccdf(real<nonnegative> y, real<positive_finite> alpha, real<positive_finite> beta) {
  return y == 0 ? 0 : (is_inf(y) ? negative_infinity() : log(gamma_q(alpha, beta * y)));
}
