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

// The sum of these terms, and their derivatives. Nearly always all are within the bounds, where there is less to do.
@call
tuple(real, vector) bernoulli_logit_sum(array[] int n, vector alpha) {
  vector[size(n)] sign = 2 * to_vector(n) - 1;
  vector[size(n)] u = -sign .* alpha;
  array[size(n)] int beyond;
  for (i in 1:size(n)) beyond[i] = abs(u[i]) > 20;
  real total;
  vector[size(n)] slopes;
  if (some_anywhere(beyond)) {
    total = sum(bernoulli_logit_term(n, alpha));
    slopes = to_vector(bernoulli_logit_term_slope(n, alpha));
  } else {
    vector[size(n)] odds = exp(lesser_of(u, 20));
    total = -sum(log(1 + odds));
    slopes = sign .* (odds ./ (1 + odds));
  }
  return (total, slopes);
}

@vjp(bernoulli_logit_sum)
vector bernoulli_logit_sum_vjp(array[] int n, vector alpha, real total, vector slopes, real total_, vector slopes_) {
  return total_ * slopes;
}

real bernoulli_logit_lpmf(int<lower=0, upper=1> n, real<not_nan, evident> alpha) {
  return bernoulli_logit_term(n, alpha);
}

// The same for a name of its own, by which the other overload calls it
real each_bernoulli_logit_lpmf(int n, real alpha) {
  return bernoulli_logit_term(n, alpha);
}

real bernoulli_logit_lpmf(array[] int<lower=0, upper=1> n, vector<not_nan, evident> alpha) {
  real total;
  if (has_many(n)) {
    if (size(n) != size(alpha)) reject("bernoulli_logit_lpmf: n and alpha differ in size");
    total = bernoulli_logit_sum(n, alpha).1;
  } else {
    total = each_bernoulli_logit_lpmf(n | alpha);
  }
  return total;
}
