// Regression on an orthogonalised design, computed in transformed data.
data {
  int<lower=1> N;
  int<lower=1> K;
  matrix[N, K] X;
  vector[N] y;
}
transformed data {
  matrix[N, K] Xc;
  vector[K] means;
  for (k in 1:K) {
    means[k] = mean(X[, k]);
    Xc[, k] = X[, k] - means[k];
  }
  matrix[K, K] S = crossprod(Xc) / (N - 1);
  matrix[K, K] L = cholesky_decompose(S);
  matrix[N, K] Q = Xc / L';
}
parameters {
  vector[K] theta;
  real alpha;
  real<lower=0> sigma;
}
transformed parameters {
  vector[K] beta = L' \ theta;
}
model {
  theta ~ normal(0, 1);
  alpha ~ normal(0, 10);
  sigma ~ cauchy(0, 1);
  y ~ normal(alpha + Q * theta, sigma);
}
