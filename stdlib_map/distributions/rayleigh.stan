// Rayleigh distribution with scale sigma. Stan Functions Reference, "Rayleigh distribution".

// log y - 2 log sigma - (y / sigma)^2 / 2
real rayleigh_lpdf(real<positive, evident> y, real<positive, evident> sigma) {
  return -0.5 * square(y / sigma) - 2 * log(sigma) + log(y);
}
