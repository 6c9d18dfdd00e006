// Hyperbolic functions and their inverses. Stan Functions Reference, "Hyperbolic trigonometric functions".

// tanh(x / 2) (cosh(x) + 1), where nothing cancels, and cosh(x) + 1 = (exp(x / 2) + exp(-x / 2))^2 / 2
@elementwise
real sinh(real x) {
  real root = exp(0.5 * x);
  real both = root + 1 / root;
  return tanh(0.5 * x) * (0.5 * both) * both;
}

@derivative(sinh, x)
real sinh_slope(real x) {
  return cosh(x);
}

// (exp(x) + exp(-x)) / 2, by the squares of exp(x / 2) and exp(-x / 2), which do not overflow before the result does
@elementwise
@facts(positive)
real cosh(real x) {
  real root = exp(0.5 * x);
  real inverse = 1 / root;
  return 0.5 * root * root + 0.5 * inverse * inverse;
}

@derivative(cosh, x)
real cosh_slope(real x) {
  return sinh(x);
}

// sign(x) log(|x| + sqrt(1 + x^2)) = sign(x) log(1 + |x| (1 + |x| / (1 + sqrt(1 + x^2))))
@elementwise
real asinh(real x) {
  real size = abs(x);
  real bounded = lesser_of(size, 1e150);
  return sign_of(x) * log1p(size * (1 + bounded / (1 + sqrt(1 + square(bounded)))));
}

@derivative(asinh, x)
real asinh_slope(real x) {
  return 1 / hypot(1, x);
}

// log(x + sqrt(x^2 - 1)) = log(1 + d + sqrt(d (d + 2))), d = x - 1
@elementwise
@facts(nonnegative)
real acosh(real<lower=1> x) {
  real above = x - 1;
  return log1p(above + sqrt(above) * sqrt(x + 1));
}

@derivative(acosh, x)
real acosh_slope(real x) {
  return 1 / (sqrt(x - 1) * sqrt(x + 1));
}

// log((1 + x) / (1 - x)) / 2 = sign(x) log(1 + 2 |x| / (1 - |x|)) / 2
@elementwise
real atanh(real<lower=-1, upper=1> x) {
  real size = abs(x);
  return 0.5 * sign_of(x) * log1p(2 * size / (1 - size));
}

@derivative(atanh, x)
real atanh_slope(real x) {
  return 1 / ((1 - x) * (1 + x));
}
