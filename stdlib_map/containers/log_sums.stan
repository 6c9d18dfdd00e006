// Sums on the log scale, and softmax.

// The largest element, or 0 where that is infinite, so that differences from it are no NaN.
real finite_max(vector x) {
  real m = max(x);
  return is_inf(m) ? 0 : m;
}

// log sum exp(x_i)
@call
real log_sum_exp(vector x) {
  real m = finite_max(x);
  return m + log(sum(exp(x - m)));
}

// x_ = r_ exp(x - r), in terms that the value has computed already
@vjp(log_sum_exp)
vector log_sum_exp_vjp(vector x, real r, real r_) {
  vector[rows(x)] e = exp(x - finite_max(x));
  return r_ / (sum(e) + 1e-300) * e;
}

real log_sum_exp(matrix x) {
  return log_sum_exp(to_vector(x));
}

// exp(x) / sum exp(x_i)
@call
vector softmax(vector x) {
  vector[rows(x)] e = exp(x - max(x));
  return e / sum(e);
}

@vjp(softmax)
vector softmax_vjp(vector x, vector y, vector y_) {
  return y .* (y_ - dot_product(y, y_));
}

// x - log sum exp(x_i)
@call
vector log_softmax(vector x) {
  return x - log_sum_exp(x);
}

@vjp(log_softmax)
vector log_softmax_vjp(vector x, vector y, vector y_) {
  return y_ - sum(y_) * exp(y);
}

// log sum theta_i exp(l_i) for a simplex theta
@call
real log_mix(vector<simplex, evident> theta, vector<not_nan> l) {
  real m = finite_max(l);
  return m + log(sum(theta .* exp(l - m)));
}

// theta_ = r_ exp(l - r), l_ = theta theta_
@vjp(log_mix)
tuple(vector, vector) log_mix_vjp(vector theta, vector l, real r, real r_) {
  vector[rows(l)] e = exp(l - finite_max(l));
  vector[rows(l)] theta_ = r_ / (sum(theta .* e) + 1e-300) * e;
  return (theta_, theta .* theta_);
}

// the sum of those of the outcomes
real log_mix(vector theta, array[] vector l) {
  real total = 0;
  for (n in 1:size(l)) {
    total += log_mix(theta, l[n]);
  }
  return total;
}
