// Uniform distribution on the integers from low to high. Stan Functions Reference, "Discrete range
// distribution".

// -log(high - low + 1)
real discrete_range_lpmf(int y, int low, int<lower=low> high) {
  return y < low || y > high ? negative_infinity() : -log(high - low + 1.0);
}

real discrete_range_cdf(int y, int low, int<lower=low> high) {
  return y < low ? 0 : (y >= high ? 1 : (y - low + 1.0) / (high - low + 1.0));
}

real discrete_range_lcdf(int y, int low, int<lower=low> high) {
  return y < low ? negative_infinity() : (y >= high ? 0 : log((y - low + 1.0) / (high - low + 1.0)));
}

real discrete_range_lccdf(int y, int low, int<lower=low> high) {
  return y < low ? 0 : (y >= high ? negative_infinity() : log((high - y * 1.0) / (high - low + 1.0)));
}
