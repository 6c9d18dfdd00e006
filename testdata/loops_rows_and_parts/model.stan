// Recursions over rows whose columns are independent, through indices and through functions of parts; moving windows; parts of what an inner loop computes.
data {
  int<lower=3> T;
  int<lower=1> K;
  matrix[T, K] y;
  vector[T] lag;
}
parameters {
  matrix[K, K] a;
  vector<lower=0, upper=1>[K] rho;
  real<lower=0> sigma;
}
transformed parameters {
  matrix[T, K] level = rep_matrix(0, T, K);
  array[T, K] real score;
  for (k in 1:K) {
    level[1:2, k] = rep_vector(rho[k], 2);
    for (t in 3:T) {
      real memory = dot_product(sub_col(level, 1, k, t - 1), tail(lag, t - 1));
      level[t, k] = rho[k] * level[t - 1, k] + 0.1 * memory;
    }
  }
  for (k in 1:K) {
    score[1, k] = a[1, k];
  }
  for (t in 2:T) {
    for (k in 1:K) {
      array[K] real terms;
      for (j in 1:K) {
        terms[j] = score[t - 1, j] + a[j, k];
      }
      score[t, k] = log_sum_exp(terms) - 1;
    }
  }
}
model {
  to_vector(a) ~ normal(0, 1);
  sigma ~ exponential(1);
  for (k in 1:K) {
    col(y, k) ~ normal(col(level, k), sigma);
  }
  for (t in 3:T) {
    y[t, 1] ~ normal(mean(level[t - 2:t, 1]), sigma);
  }
  for (k in 1:K) {
    for (j in 1:K) {
      target += -0.1 * j * exp(a[j])[k];
    }
  }
  target += -0.1 * square(score[T, 1] - score[T, K]);
}
