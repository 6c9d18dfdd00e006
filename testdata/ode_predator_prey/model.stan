// Foxes and voles, counted every other month: the equations of Lotka and Volterra with a carrying capacity of the prey.
functions {
  vector rates(real t, vector n, real growth, real capacity, vector hunt, real death) {
    real eaten = hunt[1] * n[1] * n[2];
    return [growth * n[1] * (1 - n[1] / capacity) - eaten, hunt[2] * eaten - death * n[2]]';
  }
}
data {
  int<lower=1> T;
  real start;
  array[T] real<lower=start> times;
  array[T] vector<lower=0>[2] counts;
  real<lower=0> capacity;
  int<lower=0> later;
}
parameters {
  vector[2] log_initial;
  real<lower=0> growth;
  vector<lower=0>[2] hunt;
  real<lower=0> death;
  real<lower=0> sigma;
}
transformed parameters {
  array[T] vector[2] density = ode_rk45(rates, exp(log_initial), start, times, growth, capacity, hunt, death);
}
model {
  log_initial ~ normal(1, 1);
  growth ~ lognormal(0, 0.5);
  hunt ~ lognormal(-1, 0.5);
  death ~ lognormal(-1, 0.5);
  sigma ~ exponential(2);
  for (t in 1 : T) counts[t] ~ lognormal(log(density[t]), sigma);
}
generated quantities {
  array[later] vector[2] forecast;
  {
    array[later] real ahead;
    for (k in 1 : later) ahead[k] = times[T] + 0.75 * k;
    forecast = ode_rk45_tol(rates, density[T], times[T], ahead, 1e-8, 1e-8, 10000, growth, capacity, hunt, death);
  }
  real peak = max(density[ : , 1]);
}
