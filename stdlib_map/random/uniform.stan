// Where all random numbers come from: one from [0, 1), or a vector of n, all multiples of 2^-52. They are the work of the compiler
// (lower/random.c); the bodies only tell the types.
real unit_rng() {
  return not_a_number();
}

vector unit_rng(int n) {
  return rep_vector(not_a_number(), n);
}

// from (0, 1), neither end included: odd multiples of 2^-53
real open_unit_rng() {
  return unit_rng() + 2.0 ^ -53;
}

vector open_unit_rng(int n) {
  return unit_rng(n) + 2.0 ^ -53;
}

real uniform_rng(real<finite> alpha, real<finite> beta) {
  return beta > alpha ? alpha + (beta - alpha) * unit_rng() : not_a_number();
}

// Each of the integers from l to u is as likely.
int discrete_range_rng(int l, int<lower=l> u) {
  return l + to_int(floor(unit_rng() * (u - l + 1)));
}
