// Special functions over a range of arguments.
data {
  int<lower=1> N;
  vector[N] x;
}
parameters {
  vector[N] z;
}
transformed parameters {
  vector[N] u = inv_logit(z);
  vector[N] v = exp(z);
}
model {
  target += sum(lgamma(v)) + sum(Phi(z)) + sum(Phi_approx(z)) + sum(erf(z)) + sum(log(erfc(z)));
  target += sum(log1p(v)) + sum(expm1(z)) + sum(log1m(u)) + sum(log1m_exp(-v)) + sum(log1p_exp(z)) + sum(logit(u));
  target += sum(tan(0.3 * z)) + sum(atan(z)) + sum(asinh(z)) + sum(sinh(z)) + sum(cosh(z)) + sum(acos(tanh(z)));
  target += log_sum_exp(z) + dot_product(softmax(z), x) + sum(inv_Phi(u)) + sum(cbrt(v)) + sum(inv_cloglog(z));
  for (n in 1:N) {
    target += log_mix(u[n], z[n], x[n]) + lbeta(v[n], 1.5) + log_diff_exp(z[n] + 1, z[n]) + atan2(z[n], v[n]);
    target += hypot(z[n], 1) + fma(z[n], x[n], u[n]) + lmultiply(v[n], u[n]) + pow(v[n], z[n]) + fdim(z[n], x[n]);
  }
}
