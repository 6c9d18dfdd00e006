// What one step hands to the next, in the forms that series and learning models have: levels that are smoothed, levels with a trend, errors
// of two steps back, values of choices, a filter's mean, logarithms of volatility, three hidden states.
functions {
  // The mean of a Kalman filter with a gain that is given: position and speed.
  real track_lpdf(vector y, matrix step, vector gain, real noise) {
    vector[2] state = rep_vector(0, 2);
    real lp = 0;
    for (t in 1:rows(y)) {
      state = step * state;
      lp += normal_lpdf(y[t] | state[1], noise);
      state += gain * (y[t] - state[1]);
    }
    return lp;
  }
}
data {
  int<lower=3> T;
  vector[T] y;
  array[T] int<lower=1, upper=2> choice;
  vector[T] reward;
}
parameters {
  real<lower=0, upper=1> smooth;
  vector<lower=0, upper=1>[2] holt;
  real<lower=-1, upper=1> phi;
  vector[2] theta;
  real<lower=0, upper=1> rate;
  real<lower=0> inverse_temperature;
  vector<lower=0, upper=1>[2] gain;
  vector[3] logistic;
  array[3] vector[3] moves;
  ordered[3] mu;
  real<lower=0> sigma;
}
model {
  vector[T] level;
  vector[T] height;
  vector[T] slope;
  vector[T] err;
  vector[2] v = rep_vector(0.5, 2);
  real s = sigma;
  vector[3] alpha;
  array[3] vector[3] log_move;
  level[1] = y[1];
  height[1] = y[1];
  slope[1] = y[2] - y[1];
  for (t in 2:T) {
    level[t] = smooth * y[t - 1] + (1 - smooth) * level[t - 1];
    height[t] = holt[1] * y[t] + (1 - holt[1]) * (height[t - 1] + slope[t - 1]);
    slope[t] = holt[2] * (height[t] - height[t - 1]) + (1 - holt[2]) * slope[t - 1];
  }
  y ~ normal(level, sigma);
  for (t in 2:T) {
    y[t] ~ normal(height[t - 1] + slope[t - 1], 2 * sigma);
  }
  err[1] = y[1];
  err[2] = y[2] - phi * y[1];
  for (t in 3:T) {
    err[t] = y[t] - phi * y[t - 1] - theta[1] * err[t - 1] - theta[2] * err[t - 2];
  }
  err ~ student_t(4, 0, sigma);
  for (t in 1:T) {
    choice[t] ~ categorical_logit(inverse_temperature * v);
    v[choice[t]] += rate * (reward[t] - v[choice[t]]);
  }
  for (t in 2:T) {
    s = exp(logistic[1] + logistic[2] * log(s) + 0.1 * logistic[3] * abs(y[t - 1]));
    y[t] ~ normal(0, s);
  }
  y ~ track([[1, 0.5], [0, 0.9]], gain, sigma);
  for (k in 1:3) {
    log_move[k] = log_softmax(moves[k]);
    alpha[k] = normal_lpdf(y[1] | mu[k], sigma);
  }
  for (t in 2:T) {
    vector[3] next;
    for (k in 1:3) {
      vector[3] terms;
      for (j in 1:3) {
        terms[j] = alpha[j] + log_move[j, k];
      }
      next[k] = log_sum_exp(terms) + normal_lpdf(y[t] | mu[k], sigma);
    }
    alpha = next;
  }
  target += log_sum_exp(alpha);
  theta ~ normal(0, 0.5);
  logistic ~ normal(0, 1);
  inverse_temperature ~ exponential(1);
  for (k in 1:3) {
    moves[k] ~ normal(0, 1);
  }
  mu ~ normal(0, 2);
  sigma ~ lognormal(0, 1);
}
