// The standard normal distribution by the transform of Box and Muller (1958): exact, and in the tails as fine as the uniform
// numbers near 0.
real std_normal_rng() {
  vector[2] u = unit_rng(2);
  return sqrt(-2 * log(1 - u[1])) * cos(2 * pi() * u[2]);
}

vector std_normal_rng(int n) {
  vector[2 * n] u = unit_rng(2 * n);
  return sqrt(-2 * log(1 - head(u, n))) .* cos(2 * pi() * tail(u, n));
}

real normal_rng(real<finite> mu, real<positive, finite> sigma) {
  return mu + sigma * std_normal_rng();
}
