// Where all random numbers come from: one from [0, 1), or a vector of n of them, all multiples of 2^-52. They are the work of the
// compiler (lower/random.c); the bodies only tell their types.
real unit_rng() {
  return not_a_number();
}

vector unit_rng(int n) {
  return rep_vector(not_a_number(), n);
}

real uniform_rng(real<finite> alpha, real<finite, lower=alpha> beta) {
  return alpha + (beta - alpha) * unit_rng();
}
