// A piecewise linear trend with seasonal regressors; the change point matrix is filled by a while loop.
functions {
  matrix changepoint_matrix(vector t, vector change, int T, int S) {
    matrix[T, S] A = rep_matrix(0, T, S);
    row_vector[S] row = rep_row_vector(0, S);
    int at = 1;
    for (i in 1:T) {
      while (at <= S && t[i] >= change[at]) {
        row[at] = 1;
        at += 1;
      }
      A[i] = row;
    }
    return A;
  }
}
data {
  int T;
  int<lower=1> K;
  vector[T] t;
  vector[T] y;
  int S;
  vector[S] change;
  matrix[T, K] X;
  real<lower=0> tau;
  int<lower=0, upper=1> logistic;
}
transformed data {
  matrix[T, S] A = changepoint_matrix(t, change, T, S);
}
parameters {
  real k;
  real m;
  vector[S] delta;
  real<lower=0> sigma;
  vector[K] beta;
}
model {
  vector[T] trend = (k + A * delta) .* t + (m + A * (-change .* delta));
  k ~ normal(0, 5);
  m ~ normal(0, 5);
  delta ~ double_exponential(0, tau);
  sigma ~ normal(0, 0.5);
  beta ~ normal(0, 1);
  if (logistic == 1) {
    y ~ normal(inv_logit(trend), sigma);
  } else {
    y ~ normal(trend + X * beta, sigma);
  }
}
