int bernoulli_rng(real<lower=0, upper=1> theta) {
  return unit_rng() < theta;
}

int bernoulli_logit_rng(real<finite> alpha) {
  return unit_rng() < inv_logit(alpha);
}
