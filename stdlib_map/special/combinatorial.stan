// Beta functions, factorials and binomial coefficients. Stan Functions Reference, "Combinatorial functions". The notation and the bounds are
// those of gamma.stan.

// log(Gamma(x + d) / Gamma(x)), x and x + d >= 0, without the cancellation of lgamma(x + d) - lgamma(x) for large x
@elementwise
real lgamma_ratio(real x, real d) {
  real y = x + 5.5;
  real top = y + d;
  real step = d / y;
  real grown = 1 + step;
  real log_grown = log(grown) + (step - (grown - 1)) / grown;
  return y * log_grown + d * (log(top) - 1) + (stirling_correction(top) - stirling_correction(y))
         - log(six_factors(x + d) / six_factors(x));
}

// sum of 1 / ((x + k) (x + d + k)), k = 0 ... 5
real six_inverse_products(real x, real top) {
  return 1 / (x * top) + 1 / ((x + 1) * (top + 1)) + 1 / ((x + 2) * (top + 2)) + 1 / ((x + 3) * (top + 3))
         + 1 / ((x + 4) * (top + 4)) + 1 / ((x + 5) * (top + 5));
}

// digamma(x + d) - digamma(x) for x and x + d >= 0, likewise; of the series in w the divided difference is taken, so that small d keep their
// digits
@derivative(lgamma_ratio, x)
real digamma_growth(real x, real d) {
  real y = x + 5.5;
  real top = y + d;
  real w = square(1 / y);
  real v = square(1 / top);
  real step = d / y;
  real grown = 1 + step;
  real c3 = -0.01415984718834061 * w + 0.0072850432875265925;
  real c2 = c3 * w - 0.00412839486973266;
  real c1 = c2 * w + 0.0038441847696427363;
  real c0 = c1 * w - 0.007291666361971346;
  real difference = (((((-0.01415984718834061 * v + c3) * v + c2) * v + c1) * v + c0) * v) + (c0 * w + 0.04166666666615974);
  return log(grown) + (step - (grown - 1)) / grown
         + d * six_inverse_products(x, x + d) - d / top * (1 + y / top) * w * difference;
}

@derivative(lgamma_ratio, d)
real lgamma_ratio_slope_d(real x, real d) {
  return digamma_positive(x + d);
}

// log(Gamma(a) Gamma(b) / Gamma(a + b))
@elementwise
real lbeta(real<nonnegative> a, real<nonnegative> b) {
  real smaller = lesser_of(a, b);
  return lgamma_positive(smaller) - lgamma_ratio(greater_of(a, b), smaller);
}

@derivative(lbeta, a)
real lbeta_slope_a(real a, real b) {
  return -digamma_growth(a, b);
}

@derivative(lbeta, b)
real lbeta_slope_b(real a, real b) {
  return -digamma_growth(b, a);
}

@facts(nonnegative)
real beta(real<nonnegative> a, real<nonnegative> b) {
  return exp(lbeta(a, b));
}

// log(n! / (k! (n - k)!)), by the smaller of k and n - k
@elementwise
real lchoose(real<lower=-1> n, real<lower=-1, upper=n + 1> k) {
  real rest = n - k;
  real smaller = lesser_of(k, rest);
  real log_factorial = lgamma_positive(smaller + 1);
  return smaller == 0 ? 0 : lgamma_ratio(greater_of(k, rest) + 1, smaller) - log_factorial;
}

@derivative(lchoose, n)
real lchoose_slope_n(real n, real k) {
  return digamma_growth(n - k + 1, k);
}

@derivative(lchoose, k)
real lchoose_slope_k(real n, real k) {
  return digamma_positive(n - k + 1) - digamma_positive(k + 1);
}

int choose(int<lower=0> n, int<lower=0> k) {
  return k > n ? 0 : to_int(floor(exp(lchoose(n, min(k, n))) + 0.5));
}

// x (x + 1) ... (x + n - 1) = Gamma(x + n) / Gamma(x), and its logarithm; the derivative of the product by the product rule, for it may be 0
real log_rising_factorial(real<positive> x, real n) {
  real top = x + n;
  return top < 0 ? lgamma(top) - lgamma(x) : lgamma_ratio(x, top < 0 ? 0 : n);
}

@elementwise
real rising_factorial(real<not_nan> x, int<lower=0> n) {
  real product = 1;
  for (k in 1:n) {
    product *= x + (k - 1);
  }
  return product;
}

@derivative(rising_factorial, x)
real rising_factorial_slope(real x, int n) {
  real product = 1;
  real slope = 0;
  for (k in 1:n) {
    slope = slope * (x + (k - 1)) + product;
    product *= x + (k - 1);
  }
  return slope;
}

int rising_factorial(int x, int<lower=0> n) {
  int product = 1;
  for (k in 1:n) {
    product *= x + (k - 1);
  }
  return product;
}

// x (x - 1) ... (x - n + 1) = Gamma(x + 1) / Gamma(x - n + 1), and its logarithm
real log_falling_factorial(real<positive> x, real n) {
  real bottom = x - n + 1;
  return bottom < 0 ? lgamma(x + 1) - lgamma(bottom) : lgamma_ratio(bottom < 0 ? 1 : bottom, n);
}

@elementwise
real falling_factorial(real<not_nan> x, int<lower=0> n) {
  real product = 1;
  for (k in 1:n) {
    product *= x - (k - 1);
  }
  return product;
}

@derivative(falling_factorial, x)
real falling_factorial_slope(real x, int n) {
  real product = 1;
  real slope = 0;
  for (k in 1:n) {
    slope = slope * (x - (k - 1)) + product;
    product *= x - (k - 1);
  }
  return slope;
}

int falling_factorial(int x, int<lower=0> n) {
  int product = 1;
  for (k in 1:n) {
    product *= x - (k - 1);
  }
  return product;
}
