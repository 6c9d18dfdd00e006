// Transport between compartments with a dose that decays, in several subjects: arguments of all kinds, and a loop over subjects.
functions {
  vector flow(real t, vector a, matrix exchange, real dose, vector decay, array[] int into, array[] real loss, int power, row_vector unused) {
    int K = rows(a);
    vector[K] d = exchange * a;
    real entering = dose * exp(-decay[1] * t ^ power);
    for (k in 1 : size(into)) d[into[k]] += entering / size(into);
    for (k in 1 : K) d[k] -= loss[k] * a[k] / (1 + square(a[k]));
    return d;
  }
}
data {
  int<lower=1> K, T, S;
  array[T] real<lower=0> times;
  array[S] vector<lower=0>[K] initial;
  array[S] real dose;
  array[2] int<lower=1, upper=K> into;
  array[S, T] real y;
  real<lower=0> relative, absolute;
  int<lower=1> steps;
}
transformed data {
  row_vector[2] unused = [1, 2];
  array[1] vector[K] settled = ode_ckrk(flow, initial[1], 0, {1.5}, diag_matrix(rep_vector(-0.2, K)), 1.0, [0.5]', into, rep_array(0.1, K), 1, unused);
}
parameters {
  array[S] real<lower=0, upper=1> rate;
  real<lower=0> decay;
  array[K] real<lower=0> loss;
  real<lower=0> sigma;
}
transformed parameters {
  array[S, T] vector[K] amount;
  for (s in 1 : S) {
    matrix[K, K] exchange = rep_matrix(rate[s] / K, K, K) - diag_matrix(rep_vector(rate[s], K));
    amount[s] = ode_ckrk_tol(flow, initial[s], 0, times, relative, absolute, steps, exchange, dose[s], [decay]', into, loss, 2, unused);
  }
}
model {
  decay ~ exponential(1);
  loss ~ exponential(2);
  sigma ~ exponential(2);
  settled[1] ~ normal(sigma, 1);
  for (s in 1 : S) for (t in 1 : T) y[s, t] ~ normal(sum(amount[s, t]), sigma);
}
generated quantities {
  array[2] vector[K] rough = ode_rk45_tol(flow, initial[S], -0.5, {0.5, 2}, 1e-3, 1e-3, 100, diag_matrix(rep_vector(-decay, K)), dose[S], [decay]', {1}, loss, 1, unused);
}
