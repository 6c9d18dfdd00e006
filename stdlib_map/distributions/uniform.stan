// Uniform distribution on [alpha, beta]. Stan Functions Reference, "Uniform distribution".

// -log(beta - alpha)
real uniform_lpdf(real<not_nan> y, real<finite> alpha, real<finite> beta) {
  if (beta <= alpha) {
    reject("uniform_lpdf: the upper bound is not above the lower bound");
  }
  return (y < alpha || y > beta ? negative_infinity() : 0) - log(beta - alpha);
}

// (y - alpha) / (beta - alpha); like Stan, nothing is said of either tail outside the bounds
real uniform_cdf(real<not_nan> y, real<finite> alpha, real<finite> beta) {
  if (beta <= alpha) {
    reject("uniform_cdf: the upper bound is not above the lower bound");
  }
  return y < alpha || y > beta ? 0 : (y - alpha) / (beta - alpha);
}

real uniform_lcdf(real<not_nan> y, real<finite> alpha, real<finite> beta) {
  if (beta <= alpha) {
    reject("uniform_lcdf: the upper bound is not above the lower bound");
  }
  return y < alpha || y > beta ? negative_infinity() : log((y - alpha) / (beta - alpha));
}

real uniform_lccdf(real<not_nan> y, real<finite> alpha, real<finite> beta) {
  if (beta <= alpha) {
    reject("uniform_lccdf: the upper bound is not above the lower bound");
  }
  return y < alpha || y > beta ? 0 : log((beta - y) / (beta - alpha));
}
