// The error function, the normal distribution function and their inverses. Stan Functions Reference, "Probability-related functions".

// exp(a^2) erfc(a) for a >= 0: the minimax rational approximation of degree 9 / 10 on [0, 28], relative error below 1e-16. It has the right
// limit 1 / (a sqrt(pi)) too; a is bounded for the powers.
@facts(positive)
real erfc_scaled(real x) {
  real a = lesser_of(x, 1e25);
  return (9094.822107148935 + a * (19914.44918475765 + a * (21572.494879114423 + a * (14846.091036963368
         + a * (7082.964353049839 + a * (2419.4452227274583 + a * (591.632779846398 + a * (100.20689516148853
         + a * (10.747761098662973 + a * 0.5641895835460414)))))))))
         / (9094.822107148935 + a * (30176.856978904118 + a * (46528.60951538653 + a * (44012.75290515415
         + a * (28370.641745221874 + a * (13069.022771609001 + a * (4376.661082329372 + a * (1058.1667530585012
         + a * (178.1120972458468 + a * (19.049910547490825 + a))))))))));
}

// on the left by erfc(-x) = 2 - erfc(x)
@elementwise
@facts(nonnegative)
real erfc(real x) {
  real right = exp(-square(x)) * erfc_scaled(abs(x));
  return x < 0 ? 2 - right : right;
}

// -2 / sqrt(pi) exp(-x^2)
@derivative(erfc, x)
real erfc_slope(real x) {
  return -1.1283791670955126 * exp(-square(x));
}

// 1 - erfc(|x|) with the sign of x, near 0 a polynomial in x^2 (minimax on [-0.3, 0.3], relative error below 1e-16)
@elementwise
@facts(at_most_one)
real erf(real x) {
  real w = square(lesser_of(abs(x), 1));
  real near = x * (1.1283791670955126 + w * (-0.37612638903174517 + w * (0.11283791669315928 + w * (-0.02686616955290248
              + w * (0.005223942931263486 + w * (-0.0008542660180552886 + w * 0.00011594623752065525))))));
  real far = sign_of(x) * (1 - exp(-square(x)) * erfc_scaled(abs(x)));
  return abs(x) < 0.3 ? near : far;
}

@derivative(erf, x)
real erf_slope(real x) {
  return 1.1283791670955126 * exp(-square(x));
}

// erfc(-x / sqrt(2)) / 2
@elementwise
@facts(nonnegative, at_most_one)
real Phi(real<not_nan, evident> x) {
  real half_square = 0.5 * square(x);
  real right = 0.5 * exp(-half_square) * erfc_scaled(sqrt(0.5) * abs(x));
  return x > 0 ? 1 - right : right;
}

// exp(-x^2 / 2) / sqrt(2 pi)
@derivative(Phi, x)
real Phi_slope(real x) {
  return 0.3989422804014327 * exp(-0.5 * square(x));
}

// The x with Phi(-x) = exp(-t^2 / 2), t >= sqrt(2 log 2): the minimax rational approximation of degree 11 / 10 on t <= 39, error below
// 8e-16 max(x, 0.3).
real normal_tail_quantile(real t) {
  return (-983419.015942416 + t * (-14873485.645231068 + t * (-42667912.70525175 + t * (-26402688.224828772
         + t * (16703166.528151698 + t * (23431249.910999328 + t * (10324272.698517581 + t * (2281897.022455089
         + t * (245431.89360727757 + t * (11561.422826840842 + t * (205.93850550834543
         + t * 1.0000022355888871)))))))))))
         / (255271.44921050817 + t * (5726981.670008523 + t * (26241319.316386063 + t * (42072432.688873716
         + t * (30042956.998257637 + t * (11201728.458322074 + t * (2333169.378861021 + t * (246566.94250182
         + t * (11568.572723071426 + t * (205.94092276642408 + t))))))))));
}

// by the smaller of the two tails
@elementwise
real inv_Phi(real<lower=0, upper=1> p) {
  real tail = lesser_of(p, 1 - p);
  real x = normal_tail_quantile(sqrt(-2 * log(tail)));
  real size = tail == 0 ? positive_infinity() : x;
  return p < 0.5 ? -size : size;
}

// The reciprocal of the density at x = inv_Phi(p): Mills' ratio at |x| over the tail's probability, which keeps all digits far out.
@derivative(inv_Phi, p)
real inv_Phi_slope(real p) {
  return 1.2533141373155003 * erfc_scaled(sqrt(0.5) * abs(inv_Phi(p))) / lesser_of(p, 1 - p);
}

// -inv_Phi(z / 2) / sqrt(2)
@elementwise
real inv_erfc(real<lower=0, upper=2> z) {
  return -sqrt(0.5) * inv_Phi(0.5 * z);
}

@derivative(inv_erfc, z)
real inv_erfc_slope(real z) {
  return -0.8862269254527579 * erfc_scaled(abs(inv_erfc(z))) / lesser_of(z, 2 - z);
}
