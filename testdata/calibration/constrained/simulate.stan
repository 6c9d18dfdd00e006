data {
  real<lower=0> scale;
}
generated quantities {
  real bounded = uniform_rng(-1, 3);
  real below = bounded - exponential_rng(1);
  real shifted = normal_rng(2, 3);
  vector[3] steps;
  vector[3] proportions = dirichlet_rng([2, 1, 3]');
  vector[3] direction;
  vector[2] y_bounded;
  vector[3] y_steps;
  array[6] int y_categories;
  vector[3] y_direction;
  for (i in 1:3) {
    steps[i] = exponential_rng(0.5);
    direction[i] = std_normal_rng();
  }
  steps = sort_asc(steps);
  direction /= norm2(direction);
  y_bounded[1] = normal_rng(bounded + shifted, scale);
  y_bounded[2] = normal_rng(below, scale);
  for (i in 1:3) {
    y_steps[i] = normal_rng(steps[i], scale);
    y_direction[i] = normal_rng(direction[i], scale);
  }
  for (i in 1:6) {
    y_categories[i] = categorical_rng(proportions);
  }
}
