// An autocatalytic reaction whose rate constants differ by orders of magnitude, solved by methods for stiff equations; and an enzyme that
// saturates, in the old interface.
functions {
  vector reaction(real t, vector c, vector k) {
    real slow = k[1] * c[1];
    real back = k[2] * c[2] * c[3];
    real fast = k[3] * square(c[2]);
    return [back - slow, slow - back - fast, fast]';
  }
  array[] real enzyme(real t, array[] real c, array[] real theta, data array[] real x, data array[] int k) {
    real inflow = t > 0 ? x[1] * exp(-theta[3] * t) : 0;
    return {inflow - theta[1] * c[1] / (theta[2] + c[1])};
  }
  vector reaction_free(real t, vector y, real a) {
    return -a * y .* (1 - 0.5 * y) + 0.1 * sin(t);
  }
}
data {
  int<lower=1> T;
  array[T] real<lower=0> times;
  array[T] real product;
  array[T] real<lower=0> drug;
  array[1] real<lower=0> x;
}
parameters {
  real<lower=0> slow;
  real<lower=0> fast;
  real<lower=0> start;
  array[3] real<lower=0> theta;
  real<lower=0> sigma;
}
transformed parameters {
  vector[3] k = [0.04 * slow, 1e4 * fast, 3e7 * fast]';
}
model {
  array[T] vector[3] c = ode_bdf(reaction, [start, 0, 0]', 0, times, k);
  array[T, 1] real e = integrate_ode_bdf(enzyme, {0}, 0, times, theta, x, rep_array(0, 0));
  slow ~ lognormal(0, 0.3);
  fast ~ lognormal(0, 0.3);
  start ~ lognormal(0, 0.1);
  theta ~ lognormal(0, 1);
  sigma ~ exponential(5);
  product ~ normal(c[ : , 3], sigma);
  drug ~ normal(e[ : , 1], sigma);
}
generated quantities {
  array[T] vector[3] loose = ode_bdf_tol(reaction, [1, 0, 0]', 0, times, 1e-8, 1e-10, 100000, k);
  array[T] vector[1] smooth = ode_adams(reaction_free, [1]', 0, times, theta[1]);
  array[T] vector[1] smooth_too = ode_adams_tol(reaction_free, [1]', 0, times, 1e-9, 1e-9, 100000, theta[1]);
  array[T] vector[1] backward = ode_adjoint_tol_ctl(reaction_free, [1]', 0, times, 1e-9, [1e-9]', 1e-9, [1e-9]', 1e-9, 1e-9, 100000, 50, 1, 2, 2, theta[1]);
  array[T, 1] real old = integrate_ode_adams(enzyme, {0.5}, 0, times, theta, x, rep_array(0, 0), 1e-9, 1e-9, 100000);
}
