// One observation, so that loops over pairs and differences have no iterations; and loops with a condition in loops without.
functions {
  real shrunk(real u, vector v) {
    if (u > 0.3) return u * mean(v);
    vector[rows(v)] r = v;
    for (n in 2 : rows(v)) r[n] = 0.5 * r[n - 1] + v[n];
    return sum(tanh(r));
  }
}
data {
  int<lower=1> N;
  int<lower=1> K;
  vector[N] x;
  matrix[N, 3] w;
  array[N] int<lower=1, upper=N> g;
}
parameters {
  real a;
  real<lower=0> s;
  vector[N] z;
  vector[K] y;
}
model {
  real last = a;
  real previous = sum(x);
  a ~ normal(0, 1);
  s ~ lognormal(0, 1);
  z ~ normal(variance(z), s + sd(x));
  y ~ normal(0, 1);
  for (i in 2 : N) last = tanh(z[g[i]]);
  for (i in 1 : N) last * a ~ cauchy(0, s);
  for (i in 1 : K) {
    for (j in 1 : N - 1) {
      target += shrunk(w[j, 2], z) * y[i];
      previous = z[j];
    }
    int halvings = 0;
    while (halvings < K + 1) {
      target += 0.1 * square(y[i] - halvings);
      halvings += 1;
    }
  }
  for (i in 1 : K) {
    real step = 1;
    while (step > 0.2) step *= inv_logit(y[i]);
    target += step * previous;
  }
}
