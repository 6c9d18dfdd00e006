data {
  int<lower=2> K;
  int<lower=0> N;
  int<lower=1> D;
  array[N] row_vector[D] x;
}
generated quantities {
  vector[D] beta;
  vector[K - 1] c;
  array[N] int y;
  for (d in 1:D) {
    beta[d] = normal_rng(0, 2);
  }
  for (k in 1:(K - 1)) {
    c[k] = normal_rng(0, 3);
  }
  c = sort_asc(c);
  for (n in 1:N) {
    y[n] = ordered_logistic_rng(x[n] * beta, c);
  }
}
