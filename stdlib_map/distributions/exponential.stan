// Exponential distribution with rate beta. Stan Functions Reference, "Exponential distribution".

// log beta - beta y
real exponential_lpdf(real<nonnegative> y, real<positive_finite, evident> beta) {
  return log(beta) - beta * y;
}
