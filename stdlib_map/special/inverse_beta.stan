// The inverse of the regularised incomplete beta function in x. Stan Functions Reference, "Combinatorial functions".

// log I_p(a, b), q = 1 - p
real log_inc_beta(real a, real b, real p, real q) {
  int is_lower = beta_is_lower(a, b, p);
  real c = is_lower ? a : b;
  real d = is_lower ? b : a;
  real near = is_lower ? p : q;
  real far = is_lower ? q : p;
  real log_tail = log_beta_weight(c, d, near, far) + log(beta_tail_factor(c, d, near, far));
  return is_lower ? log_tail : log1m_exp(log_tail);
}

// The logarithm of the tail's probability is a concave function of the log odds of x, so Newton's method converges from everywhere: after
// the first step it comes from one side, and digits double at the end. The smaller of p and 1 - p is matched, from the log odds of the
// mean.
@elementwise
@facts(nonnegative, at_most_one)
real inv_inc_beta(real<positive> a, real<positive> b, real<lower=0, upper=1> p) {
  int is_lower = p <= 0.5;
  real c = is_lower ? a : b;
  real d = is_lower ? b : a;
  real wanted = log(is_lower ? p : 1 - p);
  real odds = log(c / d);
  real step = 1;
  int steps = 0;
  while (abs(step) > 1e-9 * (1 + 0.001 * abs(odds)) && steps < 100) {
    real x = inv_logit(odds);
    real rest = inv_logit(-odds);
    real log_tail = log_inc_beta(c, d, x, rest);
    real next = odds + (wanted - log_tail) * exp(log_tail - log_beta_weight(c, d, x, rest));
    step = greater_of(next, -700) - odds;
    odds += step;
    steps += 1;
  }
  real x = inv_logit(is_lower ? odds : -odds);
  return p == 0 ? 0 : (p == 1 ? 1 : x);
}

// dx / dp = B(a, b) x^(1 - a) (1 - x)^(1 - b), and what a and b do to p goes the other way
@derivative(inv_inc_beta, p)
real inv_inc_beta_slope_p(real a, real b, real p) {
  return 1 / inc_beta_slope_x(a, b, inv_inc_beta(a, b, p));
}

@derivative(inv_inc_beta, a)
real inv_inc_beta_slope_a(real a, real b, real p) {
  real x = inv_inc_beta(a, b, p);
  return -inc_beta_slope_a(a, b, x) / inc_beta_slope_x(a, b, x);
}

@derivative(inv_inc_beta, b)
real inv_inc_beta_slope_b(real a, real b, real p) {
  real x = inv_inc_beta(a, b, p);
  return -inc_beta_slope_b(a, b, x) / inc_beta_slope_x(a, b, x);
}
