// Rounding, remainders and scaling by powers of two.

real trunc(real x) {
  return sign_of(x) * floor(abs(x));
}

// to the nearest integer, halves away from zero
real round(real x) {
  real size = abs(x);
  real whole = floor(size);
  return sign_of(x) * (whole + (size - whole >= 0.5));
}

// x - y trunc(x / y), without rounding: an IR op by itself (lower/intrinsics.c)
real fmod(real x, real y) {
  return x - y * trunc(x / y);
}

// x 2^n; the power in two factors, for it may be out of range where the product is not
real ldexp(real x, int n) {
  int half = n / 2;
  return x * 2.0 ^ half * 2.0 ^ (n - half);
}

real fma(real x, real y, real z) {
  return x * y + z;
}
