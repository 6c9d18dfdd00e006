// Distributions whose distribution function has an inverse in closed form.

// standard exponential
real std_exponential_rng() {
  return -log(open_unit_rng());
}

real exponential_rng(real<positive_finite> beta) {
  return std_exponential_rng() / beta;
}

real cauchy_rng(real<finite> mu, real<positive_finite> sigma) {
  return mu + sigma * tan(pi() * (open_unit_rng() - 0.5));
}

// on either side an exponential number
real double_exponential_rng(real<finite> mu, real<positive_finite> sigma) {
  real u = open_unit_rng() - 0.5;
  return mu - sigma * sign_of(u) * log(2 * abs(u));
}

// below mu with probability tau, at a rate of 2 (1 - tau) / sigma; above at a rate of 2 tau / sigma
real skew_double_exponential_rng(real<finite> mu, real<positive_finite> sigma, real<lower=0, upper=1> tau) {
  real u = open_unit_rng();
  return u < tau ? mu + sigma * log(u / tau) / (2 * (1 - tau)) : mu - sigma * log((1 - u) / (1 - tau)) / (2 * tau);
}

real frechet_rng(real<positive_finite> alpha, real<positive_finite> sigma) {
  return sigma * std_exponential_rng() ^ (-1 / alpha);
}

real weibull_rng(real<positive_finite> alpha, real<positive_finite> sigma) {
  return sigma * std_exponential_rng() ^ (1 / alpha);
}

real rayleigh_rng(real<positive> sigma) {
  return sigma * sqrt(2 * std_exponential_rng());
}

real gumbel_rng(real<finite> mu, real<positive_finite> beta) {
  return mu - beta * log(std_exponential_rng());
}

real logistic_rng(real<finite> mu, real<positive_finite> sigma) {
  real u = open_unit_rng();
  return mu + sigma * log(u / (1 - u));
}

real loglogistic_rng(real<positive_finite> alpha, real<positive_finite> beta) {
  real u = open_unit_rng();
  return alpha * (u / (1 - u)) ^ (1 / beta);
}

real pareto_rng(real<positive_finite> y_min, real<positive_finite> alpha) {
  return y_min * exp(std_exponential_rng() / alpha);
}

real pareto_type_2_rng(real<finite> mu, real<positive_finite> lambda, real<positive_finite> alpha) {
  return mu + lambda * expm1(std_exponential_rng() / alpha);
}
