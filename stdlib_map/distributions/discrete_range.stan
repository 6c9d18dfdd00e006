// Uniform distribution on the integers from lower to upper. Stan Functions Reference, "Discrete range
// distribution".

// -log(upper - lower + 1)
real discrete_range_lpmf(int y | int lower, int<lower=lower> upper) {
  return y < lower || y > upper ? negative_infinity() : -log(upper - lower + 1.0);
}
