// Gumbel distribution with location mu and scale beta. Stan Functions Reference, "Gumbel distribution".

// -z - exp(-z) - log beta, z = (y - mu) / beta
real gumbel_lpdf(real<not_nan, evident> y, real<finite, evident> mu, real<positive, evident> beta) {
  real z = (y - mu) / beta;
  return -(z + exp(-z)) - log(beta);
}
