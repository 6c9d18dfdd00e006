// Loops whose iterations work on pieces of different sizes: few sizes, two of them, and more than are worth a copy of the body each.
functions {
  real category_lpmf(int y, real theta, vector steps) {
    vector[rows(steps) + 1] score = append_row(0.0, theta - steps);
    return log_softmax(cumulative_sum(score))[y + 1];
  }
}
data {
  int<lower=1> I;
  int<lower=1> J;
  int<lower=1> N;
  array[I] int<lower=1> steps;
  array[I] int<lower=1> width;
  array[N] int<lower=1, upper=I> item;
  array[N] int<lower=1, upper=J> person;
  array[N] int<lower=0> y;
}
transformed data {
  array[I] int first;
  first[1] = 1;
  for (i in 2 : I) first[i] = first[i - 1] + steps[i - 1];
}
parameters {
  vector[sum(steps)] beta;
  vector[J] theta;
  real<lower=0> scale;
}
transformed parameters {
  vector[N] spread;
  vector[N] whole;
  real last;
  for (n in 1 : N) {
    int i = item[n];
    // sizes that differ in two ways
    matrix[steps[i], width[i]] m = rep_matrix(segment(beta, first[i], steps[i]), width[i]);
    real total = sum(m * rep_vector(scale, width[i]));
    spread[n] = total + dot_self(m[1]);
    last = total + theta[person[n]];
  }
  for (n in 1 : N) {
    // a size for each iteration
    whole[n] = sum(head(theta, n % J + 1)) + n * scale;
  }
}
model {
  beta ~ normal(0, 1);
  theta ~ normal(0, 1);
  scale ~ exponential(1);
  for (n in 1 : N)
    y[n] ~ category(theta[person[n]] * scale, segment(beta, first[item[n]], steps[item[n]]));
  target += -0.01 * dot_self(spread) - 0.001 * dot_self(whole) + 0.1 * last;
}
