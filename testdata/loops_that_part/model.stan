// Loops that chains leave at different iterations, with branches in them that data decide.
functions {
  real rectified(vector u, vector v) {
    real t = 0;
    for (n in 1 : rows(u)) {
      if (u[n] > 0) t += u[n] * v[n];
      else t -= 0.1 * v[n];
    }
    return tanh(t);
  }
  real first(real u, vector v) {
    if (u > 0.3) return u * mean(v);
    return sum(tanh(v));
  }
}
data {
  int<lower=1> N;
  vector[N] x;
}
parameters {
  real b;
  vector[N] q;
}
model {
  int k = 1;
  b ~ normal(0, 1);
  q ~ normal(0, 1);
  for (j in 2 : N) {
    if (x[j] + 0.5 * j > 1.5 + b) break;
    target += rectified(x[j] + x, q);
  }
  for (j in 1 : N) {
    for (i in 1 : 2) target += square(q[j]) * first(x[N + 1 - j], q / i);
    if (b > x[2] + 0.3 * j) {
      if (x[j] < 0) break;
    }
  }
  while (k <= N && q[k] < 0.5 + 0.1 * k) {
    q[k] ~ cauchy(rectified(x + k, q), 1.5);
    k += 1;
  }
}
