// Pareto distribution of type 2 (Lomax) with location mu, scale lambda and shape alpha. Stan Functions Reference,
// "Pareto type 2 distribution".

// log alpha - log lambda - (alpha + 1) log(1 + (y - mu) / lambda)
real pareto_type_2_lpdf(real<lower=mu> y, real mu, real<positive_finite, evident> lambda,
                        real<positive_finite, evident> alpha) {
  return log(alpha) - log(lambda) - (alpha + 1) * log1p((y - mu) / lambda);
}
