// Parameters of constrained types with data of their own: bounds, an order, a simplex, a direction, an affine transform.
data {
  real<lower=0> scale;  // of the errors
  vector[2] y_bounded;
  vector[3] y_steps;
  array[6] int<lower=1, upper=3> y_categories;
  vector[3] y_direction;
}
parameters {
  real<lower=-1, upper=3> bounded;
  real<upper=bounded> below;
  real<offset=2, multiplier=3> shifted;
  positive_ordered[3] steps;
  simplex[3] proportions;
  unit_vector[3] direction;
}
model {
  bounded - below ~ exponential(1);
  shifted ~ normal(2, 3);
  steps ~ exponential(0.5);
  proportions ~ dirichlet([2, 1, 3]');
  y_bounded ~ normal([bounded + shifted, below], scale);
  y_steps ~ normal(steps, scale);
  y_categories ~ categorical(proportions);
  y_direction ~ normal(direction, scale);
}
