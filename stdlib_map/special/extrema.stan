// The larger and the smaller of two numbers.

// IR ops by themselves (lower/intrinsics.c): NaN where either argument is NaN. For the library's own use.
real greater_of(real x, real y) {
  return x > y ? x : y;
}

real lesser_of(real x, real y) {
  return x < y ? x : y;
}

// 1, 0 or -1: the sign of x
real sign_of(real x) {
  return (x > 0) - (x < 0);
}

// A NaN counts as missing.
real fmax(real x, real y) {
  return x >= y || is_nan(y) ? x : y;
}

real fmin(real x, real y) {
  return x <= y || is_nan(y) ? x : y;
}

// x - y where it is positive, else 0
real fdim(real x, real y) {
  return x > y || is_nan(x) || is_nan(y) ? x - y : 0;
}
