// Bessel functions of the first and second kind, of integer order. Stan Functions Reference, "Combinatorial functions"; NIST Digital Library of
// Mathematical Functions (DLMF), chapter 10.
//
// Orders 0 and 1 for x < 25 from J_n(x) = integral over [0, pi] of cos(n t - x sin t) / pi, which 32 points in a quarter of the period give
// exactly, and Neumann's series of Y_n in J (DLMF 10.23.16, 17), summed into weights of the same points; for x >= 25 from Hankel's
// asymptotic series (DLMF 10.17), as minimax polynomials in 1 / x^2. Higher orders by the recurrence, which is stable upwards for Y, and for J while
// the order is below x.

// sin(t) at the points t = (2 k - 1) pi / 128, k = 1 ... 32
array[] real quarter_sines() {
  return {0.024541228522912288, 0.07356456359966743, 0.1224106751992162, 0.17096188876030122, 0.2191012401568698,
          0.26671275747489837, 0.31368174039889146, 0.35989503653498817, 0.40524131400498986, 0.4496113296546066,
          0.49289819222978404, 0.5349976198870973, 0.5758081914178453, 0.6152315905806268, 0.6531728429537768,
          0.6895405447370669, 0.7242470829514669, 0.7572088465064846, 0.7883464276266062, 0.8175848131515837,
          0.8448535652497071, 0.8700869911087115, 0.8932243011955153, 0.9142097557035307, 0.9329927988347388,
          0.9495281805930367, 0.9637760657954398, 0.9757021300385286, 0.9852776423889412, 0.99247953459871,
          0.9972904566786902, 0.9996988186962042};
}

// sum over m of (-1)^m cos(2 m t) / (32 m)
array[] real neumann_weights_0() {
  return {-0.021613953464660773, -0.021687974886916647, -0.021240200940142836, -0.021452279822658342,
          -0.020570751943931855, -0.020891033751881047, -0.019603125556661705, -0.019982147545451703,
          -0.018327260608353706, -0.018696230775404787, -0.01672381855483967, -0.016994640272798192,
          -0.01476157850263048, -0.014826141551044449, -0.012393402215239428, -0.012121289596726821,
          -0.009549777348821493, -0.008782796857961895, -0.006127977150497982, -0.0046682975217020965,
          -0.001972691051527634, 0.00044262291982971266, 0.0031614679724252448, 0.006917813996114376,
          0.009690691756737653, 0.015440070424115035, 0.01840411272433487, 0.027506032427365674, 0.031105228999142,
          0.04757878071711844, 0.05384856057068752, 0.108891987411983};
}

// sum over m of (-1)^m (2 m + 1) sin((2 m + 1) t) / (32 m (m + 1))
array[] real neumann_weights_1() {
  return {-0.0008224462122087673, -0.006473396123926101, -0.008084871342566117, -0.013554707398833922,
          -0.015066364218544334, -0.020173685463603028, -0.02152038766534386, -0.02608290856102851,
          -0.027201505972884503, -0.03103476902229436, -0.031864609231243374, -0.03477946195697694,
          -0.035262545288761445, -0.03706049911377185, -0.03714103097672234, -0.03760594292003803,
          -0.037228833487135446, -0.03611193250871051, -0.03521934606870027, -0.03221143527159779,
          -0.030735427451905193, -0.025412216677182704, -0.02325868280134433, -0.014963203113034555,
          -0.01197376143703815, 0.00047298655160831095, 0.0046267968704896845, 0.02380489042854099,
          0.030007773886180106, 0.06378974424545178, 0.07601911616921107, 0.18655195210443565};
}

// Hankel's series for orders 0 and 1: J_n(x) = sqrt(2 / (pi x)) (P cos(c) - Q sin(c)), Y_n(x) = sqrt(2 / (pi x)) (P sin(c) + Q cos(c)),
// c = x - n pi / 2 - pi / 4. The functions give P and Q for 1 / x^2 = w <= 1 / 625.
real hankel_p_0(real w) {
  return 1 + w * (-0.07031249999907906 + w * (0.11215209282328928 + w * (-0.5724830801085619
         + w * (6.051478035034401 + w * -96.98296073776037))));
}

real hankel_q_0(real x, real w) {
  return (-0.12499999999994699 + w * (0.07324218683114116 + w * (-0.22710563433475284
         + w * (1.7242889206088605 + w * -22.163182344101624)))) / x;
}

real hankel_p_1(real w) {
  return 1 + w * (0.11718749999899669 + w * (-0.14419554924861283 + w * (0.676572613065213
         + w * (-6.859345378417683 + w * 107.41207868295828))));
}

real hankel_q_1(real x, real w) {
  return (0.3749999999999418 + w * (-0.10253906176595108 + w * (0.2775738488245006
         + w * (-1.9897594591498038 + w * 24.81735085794333)))) / x;
}

// for x >= 0
real bessel_j0(real x) {
  real far = greater_of(x, 25);
  real w = inv_square(far);
  real near = 0;
  for (k in 1:32) {
    near += cos(x * quarter_sines()[k]);
  }
  return x < 25 ? near / 32
                : (hankel_p_0(w) * (cos(far) + sin(far)) - hankel_q_0(far, w) * (sin(far) - cos(far))) / sqrt(pi() * far);
}

real bessel_j1(real x) {
  real far = greater_of(x, 25);
  real w = inv_square(far);
  real near = 0;
  for (k in 1:32) {
    near += quarter_sines()[k] * sin(x * quarter_sines()[k]);
  }
  return x < 25 ? near / 32
                : (hankel_p_1(w) * (sin(far) - cos(far)) + hankel_q_1(far, w) * (sin(far) + cos(far))) / sqrt(pi() * far);
}

real bessel_y0(real x) {
  real far = greater_of(x, 25);
  real w = inv_square(far);
  real near = 0;
  for (k in 1:32) {
    near += neumann_weights_0()[k] * cos(x * quarter_sines()[k]);
  }
  return x < 25 ? 2 / pi() * ((log(0.5 * x) + 0.5772156649015329) * bessel_j0(x) - 2 * near)
                : (hankel_p_0(w) * (sin(far) - cos(far)) + hankel_q_0(far, w) * (cos(far) + sin(far))) / sqrt(pi() * far);
}

real bessel_y1(real x) {
  real far = greater_of(x, 25);
  real w = inv_square(far);
  real near = 0;
  for (k in 1:32) {
    near += neumann_weights_1()[k] * sin(x * quarter_sines()[k]);
  }
  return x < 25 ? 2 / pi() * ((log(0.5 * x) - 0.42278433509846713) * bessel_j1(x) - bessel_j0(x) / x - near)
                : (hankel_q_1(far, w) * (sin(far) - cos(far)) - hankel_p_1(w) * (cos(far) + sin(far))) / sqrt(pi() * far);
}

// J_n(x) for n > x: Poisson's integral, (x / 2)^n / (sqrt(pi) Gamma(n + 1/2)) times that of cos(t)^(2 n) cos(x sin t) over [-pi / 2, pi / 2]
real bessel_j_small(int n, real x) {
  real total = 0;
  for (k in 1:32) {
    total += (1 - square(quarter_sines()[k])) ^ n * cos(x * quarter_sines()[k]);
  }
  return exp(n * log(0.5 * greater_of(x, 1e-300)) - lgamma_positive(n + 0.5)) * 0.05538918284079737 * total;
}

@elementwise
real bessel_first_kind(int v, real<not_nan> x) {
  int n = abs(v);
  real size = abs(x);
  real before = bessel_j0(size);
  real current = bessel_j1(size);
  for (k in 1:(n - 1)) {
    real next = 2 * k / size * current - before;
    before = current;
    current = next;
  }
  real upward = n == 0 ? before : current;
  real value = size > n ? upward : bessel_j_small(n, size);
  return n % 2 == 1 && (v < 0) != (x < 0) ? -value : value;
}

@derivative(bessel_first_kind, x)
real bessel_first_kind_slope(int v, real x) {
  return 0.5 * (bessel_first_kind(v - 1, x) - bessel_first_kind(v + 1, x));
}

@elementwise
real bessel_second_kind(int v, real<positive> x) {
  int n = abs(v);
  real before = bessel_y0(x);
  real current = bessel_y1(x);
  for (k in 1:(n - 1)) {
    real next = 2 * k / x * current - before;
    before = current;
    current = next;
  }
  real value = n == 0 ? before : current;
  return n % 2 == 1 && v < 0 ? -value : value;
}

@derivative(bessel_second_kind, x)
real bessel_second_kind_slope(int v, real x) {
  return 0.5 * (bessel_second_kind(v - 1, x) - bessel_second_kind(v + 1, x));
}
