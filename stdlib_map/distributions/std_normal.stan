// Standard normal distribution. Stan Functions Reference, "Standard normal distribution".

// -y^2 / 2 - log(2 pi) / 2
real std_normal_lpdf(real<not_nan, evident> y) {
  return -0.5 * square(y) - 0.5 * log(2 * pi());
}

// Mills' ratio Phi(-t) / phi(t) for t >= 0: (1 + t) times it as a polynomial in s = (t - 5) / (t + 5), which interpolates it at the
// Chebyshev points of degree 22; relative error below 5e-16.
@facts(positive)
real mills_ratio(real t) {
  real s = 1 - 10 / (t + 5);
  return (1.1568486282918946 + s * (-0.22948753825211862 + s * (0.07778159886873591
         + s * (0.025072179302116814 + s * (-0.06617760077902489 + s * (0.061505045827832776
         + s * (-0.03802659218695909 + s * (0.01634823142851537 + s * (-0.004201290320221854
         + s * (1.9529659469871244e-05 + s * (0.00045704388164876 + s * (-0.00013437030708913402
         + s * (-2.480571624657323e-05 + s * (2.269926090128769e-05
         + s * (-1.765610461697322e-07 + s * (-3.259594825178372e-06
         + s * (3.2081792057719536e-07 + s * (4.7227476072784846e-07
         + s * (-6.609470334164999e-08 + s * (-6.377877629924255e-08
         + s * (9.178862997871726e-09 + s * (5.5214624772750975e-09
         + s * -7.231108021949056e-10)))))))))))))))))))))) / (1 + t);
}

// log Phi(x): -x^2 / 2 - log(2 pi) / 2 + log of Mills' ratio at -x on the left, log(1 - Phi(-x)) on the right
@elementwise
real log_Phi(real x) {
  real ratio = mills_ratio(abs(x));
  real half_square = 0.5 * square(x);
  return x < 0 ? log(ratio) - half_square - 0.5 * log(2 * pi())
               : log1p(-exp(-half_square) * inv_sqrt(2 * pi()) * ratio);
}

// phi(x) / Phi(x)
@derivative(log_Phi, x)
real log_Phi_slope(real x) {
  real ratio = mills_ratio(abs(x));
  real density = exp(-0.5 * square(x)) * inv_sqrt(2 * pi());
  return x < 0 ? 1 / ratio : density / (1 - density * ratio);
}

// log(Phi(b) - Phi(a)) for a < b, taken on the left of zero, where neither is near 1
real log_Phi_difference(real a, real b) {
  real left = a + b > 0 ? -b : a;
  real right = a + b > 0 ? -a : b;
  return log_diff_exp(log_Phi(right), log_Phi(left));
}

real std_normal_cdf(real<not_nan, evident> y) {
  return 0.5 * erfc(-y * sqrt(0.5));
}

real std_normal_lcdf(real<not_nan, evident> y) {
  return log_Phi(y);
}

real std_normal_lccdf(real<not_nan, evident> y) {
  return log_Phi(-y);
}

// the inverses of std_normal_cdf and of its logarithm
real std_normal_qf(real<lower=0, upper=1> p) {
  return inv_Phi(p);
}


// x with log_Phi(x) = p: on the left the quantile of the tail, which beyond its range is the start of a step of Newton's method; on the
// right by symmetry.
@elementwise
real std_normal_log_qf(real<upper=0> p) {
  int is_right = p > -log(2);
  real left = is_right ? log1m_exp(p) : p;
  real t = lesser_of(sqrt(-2 * left), 1e20);
  real near = -normal_tail_quantile(t);
  real far = near - (log_Phi(near) - left) / log_Phi_slope(near);
  real x = left == negative_infinity() ? left : (t < 38 ? near : far);
  return is_right ? -x : x;
}

@derivative(std_normal_log_qf, p)
real std_normal_log_qf_slope(real p) {
  return 1 / log_Phi_slope(std_normal_log_qf(p));
}
