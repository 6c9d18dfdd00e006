// What the algorithms of inference are given. The bodies only tell the types: each is the work of the compiler (lower/sampler.c).

// The log density of the program's model at a point of the unconstrained space, and its gradient; -inf and 0 where Stan would
// throw.
tuple(real, vector) log_density_gradient(vector x) {
  return (not_a_number(), x);
}

// Whether x holds for some chain. It is the same for all chains, so that they stay in step in the loops and branches that it decides:
// what each of them computes there must not matter to those for which x does not hold.
int some_chain(int x) {
  return x;
}

// The sum of x over all chains, the same for all of them likewise.
real over_chains(real x) {
  return x;
}

// n numbers from (0, 1), of the chain's own, different for each number.
vector numbered_units(real number, int n) {
  return rep_vector(number, n);
}
