data {
  real<lower=0> scale;
  vector[2] y_bounded;
  vector[3] y_steps;
  array[6] int<lower=1, upper=3> y_categories;
  vector[3] y_direction;
}
parameters {
  real<lower=-1, upper=3> bounded;
  real<upper=bounded> below;
  real shifted;
  positive_ordered[3] steps;
  simplex[3] proportions;
  unit_vector[3] direction;
}
generated quantities {
  real log_likelihood = normal_lpdf(y_bounded | [bounded + shifted, below], scale) + normal_lpdf(y_steps | steps, scale)
                        + categorical_lpmf(y_categories | proportions) + normal_lpdf(y_direction | direction, scale);
}
