// Modified Bessel functions. Stan Functions Reference, "Combinatorial functions"; NIST Digital Library of Mathematical Functions (DLMF), chapter 10.
//
// I_m(x) is Schlaefli's integral along the path of steepest descent, t(theta) = s + i theta with sinh(s) = m theta / (x sin(theta)): the integral over
// [0, pi] of exp(x cosh(s) cos(theta) - m s) / pi (DLMF 10.32.12; Temme (1975), "On the numerical evaluation of the modified Bessel function of the
// third kind"). Its integrand is positive and falls from theta = 0 on, which quadrature gives to all digits once m is not near 0: orders v + 2
// and v + 3 are integrated, and two steps down of I_(v - 1) = I_(v + 1) + (2 v / x) I_v lose nothing.

// The end of the integration over theta, where the integrand is below exp(-34).
real bessel_path_end(real m, real x) {
  real size = hypot(m, x);
  return lesser_of(pi(), sqrt(72 / size) * (1 + 8 / size));
}

// the exponent at theta less that at 0, q = theta / sin(theta)
real bessel_path_fall(real m, real x, real theta, real q) {
  real height = sqrt(square(x) + square(m * q));
  real start = sqrt(square(x) + square(m));
  return square(m) * (q - 1) * (q + 1) / (height + start) - 2 * height * square(sin(0.5 * theta))
         - m * log((m * q + height) / (m + start));
}

// I_m(x) over exp(exponent at theta = 0 of order m)
real bessel_i_scaled(real m, real x) {
  real width = bessel_path_end(m, x);
  real total = 0;
  for (k in 1:32) {
    real theta = width * gauss_points()[k];
    real q = theta / sin(theta);
    total += gauss_weights()[k] * exp(bessel_path_fall(m, x, theta, q));
  }
  return width * total / pi();
}

// its derivative with respect to m: the integrand brings down -(s + theta ds / dtheta)
real bessel_i_scaled_slope(real m, real x) {
  real width = bessel_path_end(m, x);
  real total = 0;
  for (k in 1:32) {
    real theta = width * gauss_points()[k];
    real q = theta / sin(theta);
    real height = sqrt(square(x) + square(m * q));
    total -= gauss_weights()[k] * exp(bessel_path_fall(m, x, theta, q))
             * (log((m * q + height) / x) + m * q * (1 - q * cos(theta)) / height);
  }
  return width * total / pi();
}

// the exponent at theta = 0
real bessel_path_start(real m, real x) {
  real size = hypot(m, x);
  return size - m * log((m + size) / x);
}

// (x / 2) I_(v + 1)(x) and (x / 2)^2 I_v(x), both over exp(bessel_path_start(v + 2, x))
real bessel_i_first(real v, real x) {
  real ratio = exp(bessel_path_start(v + 3, x) - bessel_path_start(v + 2, x));
  return 0.5 * x * ratio * bessel_i_scaled(v + 3, x) + (v + 2) * bessel_i_scaled(v + 2, x);
}

real bessel_i_second(real v, real x) {
  return square(0.5 * x) * bessel_i_scaled(v + 2, x) + (v + 1) * bessel_i_first(v, x);
}

@elementwise
real log_modified_bessel_first_kind(real<lower=-1> v, real<nonnegative> z) {
  real x = greater_of(z, 1e-300);
  real value = bessel_path_start(v + 2, x) + log(bessel_i_second(v, x)) - 2 * log(0.5 * x);
  real at_zero = v > 0 ? negative_infinity() : (v == 0 ? 0 : positive_infinity());
  return z == 0 ? at_zero : value;
}

// I_v' / I_v = I_(v + 1) / I_v + v / x
@derivative(log_modified_bessel_first_kind, z)
real log_modified_bessel_slope_z(real v, real z) {
  real x = greater_of(z, 1e-300);
  return 0.5 * x * bessel_i_first(v, x) / bessel_i_second(v, x) + v / x;
}

// by the derivatives of the steps down
@derivative(log_modified_bessel_first_kind, v)
real log_modified_bessel_slope_v(real v, real z) {
  real x = greater_of(z, 1e-300);
  real ratio = exp(bessel_path_start(v + 3, x) - bessel_path_start(v + 2, x));
  real second = bessel_i_scaled(v + 2, x);
  real second_slope = bessel_i_scaled_slope(v + 2, x);
  real first = bessel_i_first(v, x);
  real first_slope = 0.5 * x * ratio * bessel_i_scaled_slope(v + 3, x) + second + (v + 2) * second_slope;
  return (square(0.5 * x) * second_slope + first + (v + 1) * first_slope)
         / (square(0.5 * x) * second + (v + 1) * first);
}

// I_-n = I_n, and I_n(-x) = (-1)^n I_n(x)
@elementwise
real modified_bessel_first_kind(int v, real<not_nan> z) {
  real value = exp(log_modified_bessel_first_kind(abs(v), abs(z)));
  return z < 0 && v % 2 != 0 ? -value : value;
}

@derivative(modified_bessel_first_kind, z)
real modified_bessel_first_kind_slope(int v, real z) {
  return 0.5 * (modified_bessel_first_kind(v - 1, z) + modified_bessel_first_kind(v + 1, z));
}

// log I_0(x): the path runs along the imaginary axis, the exponent is x (cos(theta) - 1)
@elementwise
real log_bessel_i0(real x) {
  real width = lesser_of(pi(), sqrt(72 / x) * (1 + 8 / x));
  real total = 0;
  for (k in 1:32) {
    total += gauss_weights()[k] * exp(-2 * x * square(sin(0.5 * width * gauss_points()[k])));
  }
  return x + log(width / pi() * total);
}

// I_1(x) / I_0(x)
@derivative(log_bessel_i0, x)
real bessel_ratio(real x) {
  real width = lesser_of(pi(), sqrt(72 / x) * (1 + 8 / x));
  real total = 0;
  real missing = 0;
  for (k in 1:32) {
    real half = 2 * square(sin(0.5 * width * gauss_points()[k]));
    real weight = gauss_weights()[k] * exp(-x * half);
    total += weight;
    missing += weight * half;
  }
  return 1 - missing / total;
}

// Orders 0 and 1 of the second kind: for x < 2 by their series at 0 (DLMF 10.31), for x >= 2 as sqrt(pi / (2 x)) exp(-x) times a minimax rational function of
// 1 / x.
real bessel_k0(real x) {
  real z = square(0.5 * lesser_of(x, 2));
  real u = 1 / greater_of(x, 2);
  real i0 = 1 + z * (0.999999999999993 + z * (0.2500000000002013 + z * (0.02777777777558732
            + z * (0.0017361111229263336 + z * (6.944440894252907e-05 + z * (1.9290745720535502e-06
            + z * (3.930444936953389e-08 + z * 6.493952741337968e-10)))))));
  real sum = z * (0.9999999999999994 + z * (0.37500000000007644 + z * (0.050925925924269304
             + z * (0.003616898161735088 + z * (0.00015856476037793153 + z * (4.726198165724187e-06
             + z * (1.0193367489333247e-07 + z * 1.7589087028035896e-09)))))));
  real near = sum - (log(0.5 * x) + 0.5772156649015329) * i0;
  real far = exp(-x) * sqrt(0.5 * pi() * u)
             * (2.175523708426991 + u * (23.17998335345353 + u * (83.37687617705468 + u * (123.4576933953748
             + u * (73.21280628588799 + u * (14.025855869454391 + u * 0.41157733866464324))))))
             / (2.1755237084269923 + u * (23.451923817005305 + u * (86.15540014375256 + u * (132.73749511029516
             + u * (85.2208732863832 + u * (19.519439502169416 + u))))));
  return x < 2 ? near : far;
}

real bessel_k1(real x) {
  real z = square(0.5 * lesser_of(x, 2));
  real u = 1 / greater_of(x, 2);
  real i1 = 1 + z * (0.49999999999999917 + z * (0.0833333333333559 + z * (0.006944444444205387
            + z * (0.0003472222234836355 + z * (1.1574070352496745e-05 + z * (2.755796157674424e-07
            + z * (4.9145151862517005e-09 + z * 7.180149368577736e-11)))))));
  real sum = -0.1544313298030657 + z * (0.6727843350984642 + z * (0.18157516696092868 + z * (0.019182189838563624
             + z * (0.0011153594961746845 + z * (4.142246369555111e-05 + z * (1.071570302800315e-06
             + z * (2.042670678024896e-08 + z * 3.1518438962872635e-10)))))));
  real near = 1 / x + 0.5 * x * (log(0.5 * x) * i1 - 0.5 * sum);
  real far = exp(-x) * sqrt(0.5 * pi() * u)
             * (9.87390328322166 + u * (103.89338358987644 + u * (376.14957228323783 + u * (584.7223707207846
             + u * (398.21440571949915 + u * (106.49633922659947 + u * 7.573040677832064))))))
             / (9.873903283221653 + u * (100.19066985867978 + u * (339.7351691249659 + u * (468.05031581137825
             + u * (253.65856095909683 + u * (43.09436559528414 + u))))));
  return x < 2 ? near : far;
}

// the recurrence upwards, K_-n = K_n
@elementwise
@facts(nonnegative)
real modified_bessel_second_kind(int v, real<positive> z) {
  int n = abs(v);
  real before = bessel_k0(z);
  real current = bessel_k1(z);
  for (k in 1:(n - 1)) {
    real next = before + 2 * k / z * current;
    before = current;
    current = next;
  }
  return n == 0 ? before : current;
}

@derivative(modified_bessel_second_kind, z)
real modified_bessel_second_kind_slope(int v, real z) {
  return -0.5 * (modified_bessel_second_kind(v - 1, z) + modified_bessel_second_kind(v + 1, z));
}
