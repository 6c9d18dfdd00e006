// Bernoulli distribution with chance of success inv_logit(alpha). Stan Functions Reference, "Bernoulli
// distribution, logit parameterization".

// u = -alpha for n = 1 and alpha for n = 0; far below 0 exp(u) is 0 anyway
real bernoulli_logit_odds(int n, real alpha) {
  return greater_of((1 - 2 * n) * alpha, -750);
}

// u, and beyond 20, where Stan takes 1 + exp(u) to be exp(u), what makes it so
real bernoulli_logit_bounded(real u) {
  return u > 20 ? 37 : u;
}

// -log(1 + exp(u)), as a term of a sum: what rounding loses near 0 is beneath notice
@elementwise
real bernoulli_logit_term(int n, real alpha) {
  real u = bernoulli_logit_odds(n, alpha);
  real v = bernoulli_logit_bounded(u);
  return v - u - log(1 + exp(v));
}

// exp(u) / (1 + exp(u)), with the sign of -u. For n = 1 and alpha > 20 Stan has the other sign, and so have we: what it amounts to is
// 2 exp(-20) at most.
@derivative(bernoulli_logit_term, alpha)
real bernoulli_logit_term_slope(int n, real alpha) {
  real odds = exp(bernoulli_logit_bounded(bernoulli_logit_odds(n, alpha)));
  real turned = alpha > 20;
  return (2 * n - 1 - 2 * n * turned) * (odds / (1 + odds));
}

real bernoulli_logit_lpmf(int<lower=0, upper=1> n, real<not_nan, evident> alpha) {
  return bernoulli_logit_term(n, alpha);
}
