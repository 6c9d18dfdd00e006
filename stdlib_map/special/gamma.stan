// The gamma function, its logarithm and derivatives. Stan Functions Reference, "Combinatorial functions".
//
// For x >= 0 all go up by 6 to y = x + 11/2, where the asymptotic series in 1/y^2 around the half (Stirling's, de Moivre's form) has a
// minimax polynomial of low degree, and down again over the product x (x + 1) ... (x + 5) = z (z + 4) (z + 6), z = x (x + 5), or the
// corresponding sums. For x < 0 they are reflected. That costs nothing where x is known not to be negative.

// log(Gamma(y + 1/2) / sqrt(2 pi)) - y log(y) + y, y >= 5.5; absolute error below 3e-16
real stirling_correction(real y) {
  real u = 1 / y;
  real w = square(u);
  return u * (-0.041666666666650344 + w * (0.0024305555414494942 + w * (-0.0007688457125667095
         + w * (0.0005902139896128493 + w * (-0.0008203159547589132 + w * 0.0013898901497084624)))));
}

// x (x + 1) ... (x + 5), bounded for large x, where it does not matter any more
real six_factors(real x) {
  real bounded = lesser_of(x, 1e45);
  real z = bounded * (bounded + 5);
  return z * (z + 4) * (z + 6);
}

// log Gamma(x) for x >= 0
real lgamma_positive(real x) {
  real y = x + 5.5;
  return y * (log(y) - 1) + (stirling_correction(y) + 0.9189385332046728) - log(six_factors(x));
}

// sin(pi x) / pi, exact at the integers, up to its sign
real sine_of_turns(real x) {
  return sin(pi() * (x - floor(x + 0.5))) / pi();
}

// for x < 0: Gamma(x) Gamma(-x) = -pi / (x sin(pi x))
@elementwise
real lgamma(real x) {
  real size = lgamma_positive(abs(x));
  real reflected = -log(abs(x * sine_of_turns(x))) - size;
  return x < 0 ? reflected : size;
}

@derivative(lgamma, x)
real lgamma_slope(real x) {
  return digamma(x);
}

// sum of 1 / (x + k), k = 0 ... 5, from the products' derivative
real six_inverses(real x) {
  real bounded = lesser_of(x, 1e45);
  real up = bounded + 5;
  real z = bounded * up;
  return (bounded + up) * (24 + z * (20 + z * 3)) / (z * (z + 4) * (z + 6));
}

// digamma(x) for x >= 0; the series' absolute error is below 3e-16
real digamma_positive(real x) {
  real y = x + 5.5;
  real w = square(1 / y);
  return log(y) + w * (0.04166666666615974 + w * (-0.007291666361971346 + w * (0.0038441847696427363
         + w * (-0.00412839486973266 + w * (0.0072850432875265925 + w * -0.01415984718834061)))))
         - six_inverses(x);
}

// for x < 0: psi(x) = psi(-x) - 1 / x - pi cot(pi x)
@elementwise
real digamma(real x) {
  real size = digamma_positive(abs(x));
  real turn = pi() * (x - floor(x + 0.5));
  real reflected = size - 1 / x - pi() * cos(turn) / sin(turn);
  return x < 0 ? reflected : size;
}

@derivative(digamma, x)
real digamma_slope(real x) {
  return trigamma(x);
}

// sum of 1 / (x + k)^2, k = 0 ... 5
real six_inverse_squares(real x) {
  return square(1 / x) + square(1 / (x + 1)) + square(1 / (x + 2)) + square(1 / (x + 3)) + square(1 / (x + 4))
         + square(1 / (x + 5));
}

// trigamma(x) for x >= 0
real trigamma_positive(real x) {
  real u = 1 / (x + 5.5);
  real w = square(u);
  return u + u * w * (-0.08333333333300348 + w * (0.029166666405314658 + w * (-0.023065405851051643
         + w * (0.033063863334001624 + w * (-0.07497580397764778 + w * (0.2277208176330023
         + w * -0.5956918249095552))))))
         + six_inverse_squares(x);
}

// for x < 0: psi'(x) = pi^2 / sin(pi x)^2 + 1 / x^2 - psi'(-x)
@elementwise
@facts(nonnegative)
real trigamma(real x) {
  real size = trigamma_positive(abs(x));
  real reflected = 1 / square(sine_of_turns(x)) + 1 / square(x) - size;
  return x < 0 ? reflected : size;
}

@derivative(trigamma, x)
real trigamma_slope(real x) {
  return tetragamma(x);
}

// sum of 1 / (x + k)^3, k = 0 ... 5
real six_inverse_cubes(real x) {
  real a = 1 / x;
  real b = 1 / (x + 1);
  real c = 1 / (x + 2);
  real d = 1 / (x + 3);
  real e = 1 / (x + 4);
  real f = 1 / (x + 5);
  return a * square(a) + b * square(b) + c * square(c) + d * square(d) + e * square(e) + f * square(f);
}

// the second derivative of digamma for x >= 0
real tetragamma_positive(real x) {
  real y = x + 5.5;
  real w = square(1 / y);
  return w * (-1 + w * (0.2499999999948972 + w * (-0.14583332927914328 + w * (0.1614572387013036
         + w * (-0.29751476823093115 + w * (0.8217397804421098 + w * (-2.8874470834993997
         + w * 8.24545205340474)))))))
         - 2 * six_inverse_cubes(x);
}

// for x < 0: psi''(x) = psi''(-x) - 2 / x^3 - 2 pi^3 cos(pi x) / sin(pi x)^3
@elementwise
real tetragamma(real x) {
  real size = tetragamma_positive(abs(x));
  real turn = pi() * (x - floor(x + 0.5));
  real cosecant = pi() / sin(turn);
  real reflected = size - 2 / (x * square(x)) - 2 * cos(turn) * cosecant * square(cosecant);
  return x < 0 ? reflected : size;
}

// Gamma(x) for x >= 0. The power is taken in halves, for it overflows before the result.
real tgamma_positive(real x) {
  real y = x + 5.5;
  real half = (y * 0.36787944117144233) ^ (0.5 * y);
  return half / six_factors(x) * half * (2.5066282746310002 * exp(stirling_correction(y)));
}

// for x < 0: Gamma(x) Gamma(-x) = -pi / (x sin(pi x)), with the sign of the sine
@elementwise
real tgamma(real x) {
  real size = tgamma_positive(abs(x));
  real nearest = floor(x + 0.5);
  real sign = 1 - 2 * (nearest - 2 * floor(0.5 * nearest));
  real reflected = -sign / (x * sine_of_turns(x) * size);
  return x < 0 ? reflected : size;
}

@derivative(tgamma, x)
real tgamma_slope(real x) {
  return tgamma(x) * digamma(x);
}

// log of the multivariate gamma function: k (k - 1) / 4 log(pi) + sum of lgamma(x + (1 - j) / 2), j = 1 ... k
real lmgamma(int k, real x) {
  real total = 0.25 * k * (k - 1) * 1.1447298858494002;
  for (j in 1:k) {
    total += lgamma(x + 0.5 * (1 - j));
  }
  return total;
}
