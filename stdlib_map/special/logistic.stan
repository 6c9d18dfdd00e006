// The logistic function and its relatives. Stan Functions Reference, "Link functions" and "Composed functions".

@elementwise
@facts(nonnegative, at_most_one)
real inv_logit(real x) {
  return 1 / (1 + exp(-x));
}

// s (1 - s) with 1 - s = s exp(-x), the power bounded for where it overflows and s is 0
@derivative(inv_logit, x)
real inv_logit_slope(real x) {
  real power = exp(-x);
  real s = 1 / (1 + power);
  return s * (s * lesser_of(power, 1.7976931348623157e308));
}

@elementwise
real logit(real p) {
  return log(p / (1 - p));
}

@derivative(logit, p)
real logit_slope(real p) {
  return 1 / (p * (1 - p));
}

// log(1 / (1 + exp(-x))) = min(x, 0) - log(1 + exp(-|x|))
@elementwise
real log_inv_logit(real x) {
  return lesser_of(x, 0) - log1p_unit(exp(-abs(x)));
}

@derivative(log_inv_logit, x)
real log_inv_logit_slope(real x) {
  real power = exp(-abs(x));
  real high = 1 / (1 + power);
  return x < 0 ? high : power * high;
}

// log(1 / (1 + exp(x)))
@elementwise
real log1m_inv_logit(real x) {
  return -log1p_exp(x);
}

@derivative(log1m_inv_logit, x)
real log1m_inv_logit_slope(real x) {
  return -log1p_exp_slope(x);
}

// log(inv_logit(x) - inv_logit(y)) for y <= x
real log_inv_logit_diff(real x, real y) {
  return log_inv_logit(x) + log1m_exp(y - x) + log1m_inv_logit(y);
}

// 1 - exp(-exp(x)) = tanh(exp(x) / 2) (1 + exp(-exp(x)))
@elementwise
@facts(nonnegative, at_most_one)
real inv_cloglog(real x) {
  real hazard = exp(x);
  return tanh(0.5 * hazard) * (1 + exp(-hazard));
}

@derivative(inv_cloglog, x)
real inv_cloglog_slope(real x) {
  return exp(x - exp(x));
}

// -y log(p) - (1 - y) log(1 - p)
real binary_log_loss(int y, real p) {
  return y != 0 ? -log(p) : -log1m(p);
}

// The approximation of Phi by a logistic function. Bowling et al. (2009), "A logistic approximation to the cumulative normal
// distribution".
real Phi_approx(real x) {
  return inv_logit(x * (1.5976 + 0.07056 * square(x)));
}
