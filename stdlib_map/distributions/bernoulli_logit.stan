// Bernoulli distribution with chance of success inv_logit(alpha). Stan Functions Reference, "Bernoulli
// distribution, logit parameterization".

// exp(-|t|), and 0 where t < -20: there Stan takes log inv_logit(t) to be t
real bernoulli_logit_tail(real t) {
  return (t >= -20) * exp(-abs(t));
}

// log inv_logit(t), t = alpha for n = 1 and -alpha for n = 0, as a term of a sum: what rounding loses near 0 is beneath notice
@elementwise
real bernoulli_logit_term(int n, real alpha) {
  real t = (2 * n - 1) * alpha;
  return lesser_of(t, 0) - log(1 + bernoulli_logit_tail(t));
}

// 1 - inv_logit(t), with the sign of t. For n = 1 and alpha > 20 Stan has the other sign, and so have we: what it amounts to is
// 2 exp(-20) at most.
@derivative(bernoulli_logit_term, alpha)
real bernoulli_logit_term_slope(int n, real alpha) {
  real sign = 2 * n - 1;
  real t = sign * alpha;
  real tail = bernoulli_logit_tail(t);
  real high = 1 / (1 + tail);
  real low = tail * high;
  real turned = alpha > 20 ? -low : low;
  return sign * (t < 0 ? high : turned);
}

real bernoulli_logit_lpmf(int<lower=0, upper=1> n, real<not_nan, evident> alpha) {
  return bernoulli_logit_term(n, alpha);
}
