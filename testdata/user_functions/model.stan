// Overloads, recursion on data, a function that adds to the target, tuples.
functions {
  real scale(real x) {
    return 2 * x;
  }
  vector scale(vector x) {
    return 3 * x;
  }
  real power_sum(real x, int n) {
    if (n == 0) {
      return 1;
    }
    return pow(x, n) + power_sum(x, n - 1);
  }
  void penalise_lp(vector x, real weight) {
    x ~ normal(0, weight);
    target += -weight;
  }
  tuple(real, vector) split(vector x) {
    return (sum(x), x - mean(x));
  }
  real triangle_lpdf(real x, real c) {
    return x < c ? log(x) - log(c) : log1m(x) - log1m(c);
  }
}
data {
  int<lower=1> N;
  vector[N] w;
}
parameters {
  vector[N] x;
  real<lower=0, upper=1> u;
}
model {
  tuple(real, vector[N]) parts = split(x);
  penalise_lp(x, 1.5);
  target += power_sum(0.1 * parts.1, 3) - dot_self(parts.2);
  target += scale(u) + sum(scale(x) .* w);
  u ~ triangle(0.3);
  x ~ normal(0, 1);
  {
    real a;
    vector[N] b;
    (a, b) = split(x .* w);
    target += a * b[1];
  }
}
