// A true dependence with branches on data and on parameters, break and continue.
data {
  int<lower=1> T;
  array[T] int<lower=0, upper=2> kind;
  vector[T] y;
}
parameters {
  real a;
  real<lower=0> b;
}
model {
  real state = a;
  for (t in 1:T) {
    if (kind[t] == 2) {
      continue;
    }
    if (kind[t] == 1) {
      state = 0.5 * state + b * y[t];
    } else if (state > 0) {
      state = state * 0.9 - sqrt(1 + square(state));
    } else {
      state = state + b;
    }
    target += normal_lpdf(y[t] | state, 1 + b);
    if (t > 15) {
      break;
    }
  }
  a ~ normal(0, 1);
  b ~ exponential(1);
}
