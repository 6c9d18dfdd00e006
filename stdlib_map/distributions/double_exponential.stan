// Double exponential (Laplace) distribution with location mu and scale sigma. Stan Functions Reference,
// "Double exponential (Laplace) distribution".

// -log 2 - log sigma - |y - mu| / sigma
real double_exponential_lpdf(real<finite, evident> y, real<finite, evident> mu,
                             real<positive_finite, evident> sigma) {
  return -abs(y - mu) / sigma - log(2) - log(sigma);
}
