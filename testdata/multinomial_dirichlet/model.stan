// Categorical data with Dirichlet priors.
data {
  int<lower=2> K;
  int<lower=0> N;
  array[N] int<lower=1, upper=K> z;
  array[K] int<lower=0> counts;
  vector<lower=0>[K] a;
}
parameters {
  simplex[K] theta;
  vector[K] eta;
}
model {
  theta ~ dirichlet(a);
  z ~ categorical(theta);
  counts ~ multinomial(theta);
  eta ~ normal(0, 1);
  z ~ categorical_logit(eta);
}
