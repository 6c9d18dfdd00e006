// Conditions that data decide, and what they leave of `~` statements: both sides count as parameters where one holds some.
// And sizes that a loop with branches stacks for its gradient.
functions {
  real either(int first, real u, real v) {
    return first ? u : v;
  }
  real neither(int first, real u) {
    real w = first ? 0.5 : u;
    return first ? 2 * w : w;
  }
}
data {
  int<lower=3> N;
  int<lower=1, upper=N> K;
  vector[N] x;
  array[N] int<lower=1, upper=N> g;
}
parameters {
  real a;
  real<lower=0> s;
  vector[N] y;
}
model {
  a ~ normal(0, 1);
  s ~ lognormal(0, 1);
  y ~ normal(0, K == 2 ? 1.5 : s);
  x ~ logistic(K == 2 ? x[1] : a, 2);
  x ~ cauchy(K == 2 ? 0.5 : x[2], N > 2 ? 1.5 : 2);
  x ~ student_t(4, either(1, x[2], a), 1.5);
  x ~ gumbel(either(1, x[2], 0.5), 1.5);
  x ~ double_exponential(neither(1, a), 1.5);
  x[1 : K] ~ normal((K == 2 ? x : y)[1 : K], 2.5);
  real level = y[g[N]];
  vector[N] state = log1p_exp(x);
  for (i in 2 : N) {
    vector[N] total = cumulative_sum(state);
    for (j in 1 : N) {
      if (s > level) {
        sum(x) ~ cauchy(y[K], s);
        total[1 : K] = tanh(total[g][1 : K]);
      }
    }
    target += 0.1 * total[i];
    state[i] = tanh(a) * state[i - 1] + 0.1 * tanh(a);
  }
}
