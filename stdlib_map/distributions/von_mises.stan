// Von Mises distribution with location mu and concentration kappa. Stan Functions Reference, "Von Mises
// distribution".

// kappa cos(mu - y) - log(2 pi) - log I_0(kappa)
real von_mises_lpdf(real<finite, evident> y, real<finite, evident> mu, real<nonnegative, finite> kappa) {
  return kappa * cos(mu - y) - log(2 * pi()) - log_modified_bessel_first_kind(0, kappa);
}
