// Standard normal distribution. Stan Functions Reference, "Standard normal distribution".

// -y^2 / 2 - log(2 pi) / 2
real std_normal_lpdf(real<not_nan, evident> y) {
  return -0.5 * square(y) - 0.5 * log(2 * pi());
}
