// Cooling of a body whose times of measurement are uncertain: the solution is differentiated with respect to times. The old
// interface, with constants of both types.
functions {
  vector cooling(real t, vector u, real rate, real ambient, real swing) {
    return -rate * (u - ambient - swing * sin(t));
  }
  array[] real pair(real t, array[] real u, array[] real theta, data array[] real x, data array[] int k) {
    return {-theta[1] * u[1] + x[1], theta[1] * u[1] - theta[2] * u[2] ^ k[1]};
  }
}
data {
  int<lower=1> T;
  array[T] real times, u;
  array[T] real v;
  array[1] real x;
  array[1] int k;
  array[2] real<lower=0> initial;
}
parameters {
  real<lower=0> rate;
  real ambient;
  real<lower=0> first;
  real<upper=0.4> begin;
  array[T] real<lower=-0.2, upper=0.2> late;
  array[2] real<lower=0> theta;
}
model {
  array[T] real at;
  for (t in 1 : T) at[t] = times[t] + late[t];
  array[T] vector[1] body = ode_rk45(cooling, [first]', begin, at, rate, ambient, 0.5);
  array[T] vector[1] other = ode_rk45_tol(cooling, [10.0]', begin, times, 1e-9, 1e-9, 100000, 0.25, 1.0, 0.5);
  array[T, 2] real stages = integrate_ode_rk45(pair, initial, begin, at, theta, x, k);
  array[T, 2] real coarse = integrate_ode_rk45(pair, {first, 1}, -1, times, theta, x, k, 1e-4, 1e-3, 1000);
  rate ~ exponential(1);
  ambient ~ normal(0, 1);
  first ~ normal(10, 3);
  begin ~ normal(0, 0.1);
  late ~ normal(0, 0.1);
  theta ~ exponential(1);
  u ~ normal(body[ : , 1], 0.5);
  u ~ normal(other[ : , 1], 2);
  v ~ normal(stages[ : , 2], 0.3);
  v ~ normal(coarse[ : , 1], 3);
}
