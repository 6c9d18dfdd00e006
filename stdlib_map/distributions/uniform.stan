// Uniform distribution on [alpha, beta]. Stan Functions Reference, "Uniform distribution".

// -log(beta - alpha)
real uniform_lpdf(real<not_nan> y, real<finite> alpha, real<finite> beta) {
  if (beta <= alpha) {
    reject("uniform_lpdf: the upper bound is not above the lower bound");
  }
  return (y < alpha || y > beta ? negative_infinity() : 0) - log(beta - alpha);
}
