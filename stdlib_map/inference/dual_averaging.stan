// Nesterov's dual averaging of the logarithm of the step size (Hoffman and Gelman 2014), after `count` iterations since it began:
// the logarithm to go on with, its average and the averaged excess. With `counts` 0 the latter two stay.
tuple(real, real, real) dual_averaging(int counts, real accept, real delta, real count, real average, real excess, real mu) {
  real weight = counts / (count + 10);
  real e = (1 - weight) * excess + weight * (delta - accept);
  real x = mu - e * (sqrt(count) / 0.05);
  real share = counts * greater_of(count, 1) ^ -0.75;
  return (x, (1 - share) * average + share * x, e);
}
