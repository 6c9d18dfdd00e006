// Chemical equilibria: concentrations that solve systems of equations, by all solvers.
functions {
  vector balance(vector x, vector k, real total, array[] int powers) {
    return [x[1] + 2 * x[2] + x[3] - total, k[1] * x[1] ^ powers[1] - x[2], k[2] * x[1] * x[2] - x[3]]';
  }
  vector kepler(vector e, vector theta, data array[] real x, data array[] int k) {
    return e - theta[1] * sin(e) - theta[2] * x[1] * k[1];
  }
}
data {
  int<lower=1> S;
  array[S] real total;
  array[S] real y;
  array[1] real x;
  array[1] int k;
}
transformed data {
  vector[1] fixed = algebra_solver(kepler, [1.0]', [0.5, 1]', x, k);
}
parameters {
  vector<lower=0>[2] rates;
  real<lower=0, upper=1> eccentricity;
  real<lower=0> anomaly;
  real<lower=0> sigma;
}
transformed parameters {
  array[S] vector[3] c;
  for (s in 1 : S) c[s] = solve_newton(balance, [0.3, 0.2, 0.1]', rates, total[s], {2});
}
model {
  vector[1] e = algebra_solver(kepler, [1.0]', [eccentricity, anomaly]', x, k);
  vector[1] same = algebra_solver_newton(kepler, [anomaly]', [eccentricity, anomaly]', x, k, 1e-3, 1e-10, 200);
  vector[3] other = solve_powell_tol(balance, [0.3, 0.2, 0.1]', 1e-12, 1e-8, 500, rates, 1.5 + 0.1 * anomaly, {3});
  rates ~ lognormal(0, 1);
  eccentricity ~ beta(2, 2);
  anomaly ~ exponential(1);
  sigma ~ exponential(1);
  y ~ normal(c[ : , 3], sigma);
  1.2 ~ normal(e + same + fixed, sigma);
  0.3 ~ normal(other[2], 1);
}
generated quantities {
  vector[3] more = solve_newton_tol(balance, [0.3, 0.2, 0.1]', 1e-3, 1e-10, 100, rates, 3.0, {1});
  vector[3] again = solve_powell(balance, [0.3, 0.2, 0.1]', rates, 3.0, {1});
}
