// Normal distribution and its relatives.

// cos(2 pi u) for a uniform number u, as a sine, whose argument is exact: runtimes lack cosines of doubles more often than sines
real cos_turn(real u) {
  return sin(2 * pi() * (0.25 - u));
}

vector cos_turn(vector u) {
  return sin(2 * pi() * (0.25 - u));
}

// A standard normal number from two uniform ones, by the transform of Box and Muller (1958). It is exact, and as fine in the tails
// as the uniform numbers are near 0: up to 8.5.
real std_normal_rng() {
  vector[2] u = open_unit_rng(2);
  return sqrt(-2 * log(u[1])) * cos_turn(u[2]);
}

vector std_normal_rng(int n) {
  vector[2 * n] u = open_unit_rng(2 * n);
  return sqrt(-2 * log(head(u, n))) .* cos_turn(tail(u, n));
}

real normal_rng(real<finite> mu, real<positive_finite> sigma) {
  return mu + sigma * std_normal_rng();
}

real lognormal_rng(real<finite> mu, real<positive_finite> sigma) {
  return exp(mu + sigma * std_normal_rng());
}

// the sum of a normal and an exponential number
real exp_mod_normal_rng(real<finite> mu, real<positive_finite> sigma, real<positive_finite> lambda) {
  vector[3] u = open_unit_rng(3);
  return mu + sigma * sqrt(-2 * log(u[1])) * cos_turn(u[2]) - log(u[3]) / lambda;
}

// A normal number, and the size of another that it is correlated with (Azzalini 1985). The sine and the cosine of one angle give
// two independent normal numbers.
real skew_normal_rng(real<finite> xi, real<positive_finite> omega, real<finite> alpha) {
  vector[2] u = open_unit_rng(2);
  real size = sqrt(-2 * log(u[1]));
  return xi + omega * size * (alpha * abs(cos_turn(u[2])) + sin(2 * pi() * u[2])) / sqrt(1 + square(alpha));
}
