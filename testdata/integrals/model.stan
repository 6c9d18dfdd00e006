// Integrals as normalising constants and expectations: finite limits with singular ends, limits that are parameters, an infinite limit.
functions {
  real kernel(real x, real xc, array[] real theta, data array[] real x_r, data array[] int x_i) {
    return exp(-theta[1] * abs(x) ^ x_i[1] + theta[2] * x * x_r[1]);
  }
  real beta_kernel(real x, real xc, array[] real theta, data array[] real x_r, data array[] int x_i) {
    real right = xc > 0 ? xc : 1 - x;
    real left = xc > 0 ? x : -xc;
    return left ^ (theta[1] - 1) * right ^ (theta[2] - 1);
  }
  real decay(real x, real xc, array[] real theta, data array[] real x_r, data array[] int x_i) {
    return exp(-theta[1] * x) / (theta[2] + x);
  }
}
data {
  int<lower=1> N;
  array[N] real y;
  array[1] real x_r;
  array[1] int x_i;
}
transformed data {
  real known = integrate_1d(decay, 0, positive_infinity(), {1.0, 0.5}, x_r, x_i, 1e-8);
}
parameters {
  real<lower=0> a;
  real b;
  array[2] real<lower=0.2> shape;
  real limit;
}
model {
  array[2] real theta = {1 + a, tanh(b)};
  y ~ normal(b, 1);
  target += -N * log(integrate_1d(kernel, 0, positive_infinity(), theta, x_r, x_i, 1e-8));
  target += log(integrate_1d(beta_kernel, 0, 1, shape, x_r, x_i, 1e-8));
  target += log(integrate_1d(kernel, -1.5, 2 + exp(limit), theta, x_r, x_i, 1e-8));
  target += log(integrate_1d(decay, 0.5 * exp(limit), positive_infinity(), {a, shape[1]}, x_r, x_i, 1e-8));
  target += log(integrate_1d(kernel, negative_infinity(), 0.3, theta, x_r, x_i, 1e-8));
  a ~ exponential(known);
  b ~ normal(0, 1);
  shape ~ exponential(1);
  limit ~ normal(0, 1);
}
generated quantities {
  real partial = integrate_1d(decay, 1, 4, {a, 1}, x_r, x_i);
}
