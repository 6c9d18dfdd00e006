// Beta distribution with mean mu and precision kappa. Stan Functions Reference, "Beta proportion distribution".

// lgamma kappa - lgamma(mu kappa) - lgamma((1 - mu) kappa) + (mu kappa - 1) log y + ((1 - mu) kappa - 1) log(1 - y)
real beta_proportion_lpdf(real<lower=0, upper=1, evident> y, real<positive> mu, real<positive_finite> kappa) {
  if (mu >= 1) {
    reject("beta_proportion_lpdf: the location is not less than 1");
  }
  real a = mu * kappa;
  real b = kappa - a;
  return lgamma(kappa) - (lgamma(a) + lgamma(b)) + ((a - 1) * log(y) + (b - 1) * log1m(y));
}

real beta_proportion_lcdf(real<lower=0, upper=1> y, real<positive> mu, real<positive_finite> kappa) {
  if (mu >= 1) {
    reject("beta_proportion_lcdf: the location is not less than 1");
  }
  return beta_lcdf(y | mu * kappa, (1 - mu) * kappa);
}

real beta_proportion_lccdf(real<lower=0, upper=1> y, real<positive> mu, real<positive_finite> kappa) {
  if (mu >= 1) {
    reject("beta_proportion_lccdf: the location is not less than 1");
  }
  return beta_lccdf(y | mu * kappa, (1 - mu) * kappa);
}
