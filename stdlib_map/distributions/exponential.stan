// Exponential distribution with rate beta. Stan Functions Reference, "Exponential distribution".

// log beta - beta y
real exponential_lpdf(real<nonnegative> y, real<positive_finite, evident> beta) {
  return log(beta) - beta * y;
}

// 1 - exp(-beta y)
real exponential_cdf(real<nonnegative> y, real<positive_finite> beta) {
  return -expm1(-beta * y);
}

real exponential_lcdf(real<nonnegative> y, real<positive_finite> beta) {
  return log1m_exp(-beta * y);
}

real exponential_lccdf(real<nonnegative> y, real<positive_finite> beta) {
  return -beta * y;
}
