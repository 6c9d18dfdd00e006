// Every constrained type as a parameter, with something that depends on all of its elements.
data {
  vector[3] w;
  matrix[3, 3] W;
}
parameters {
  real<upper=2> a;
  real<lower=-1, upper=3> b;
  vector<lower=a>[3] c;
  real<offset=1, multiplier=2> d;
  ordered[3] e;
  positive_ordered[3] f;
  unit_vector[3] g;
  cholesky_factor_corr[3] h;
  cholesky_factor_cov[3] i;
  corr_matrix[3] j;
  cov_matrix[3] k;
  array[2] vector<lower=0, upper=1>[3] m;
  matrix<lower=0>[3, 3] n;
}
model {
  target += a * b + dot_product(w, c) + square(d) - dot_self(e) - dot_product(w, f);
  target += dot_product(w, g) + sum(W .* h) - sum(square(i)) + sum(W .* j) - trace(W * k) - sum(square(k));
  target += dot_product(m[1], m[2]) - sum(n .* n) - square(a) - dot_self(c) - dot_self(f) - square(d) - square(b);
}
