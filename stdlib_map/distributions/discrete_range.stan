// Uniform distribution on the integers from low to high. Stan Functions Reference, "Discrete range
// distribution".

// -log(high - low + 1)
real discrete_range_lpmf(int y, int low, int<lower=low> high) {
  return y < low || y > high ? negative_infinity() : -log(high - low + 1.0);
}
