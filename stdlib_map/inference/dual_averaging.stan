// Nesterov's dual averaging of the logarithm of the step size (Hoffman and Gelman 2014), after `count` iterations since it began:
// the step size to go on with, the averaged logarithm and the averaged excess.
tuple(real, real, real) dual_averaging(real accept, real delta, real count, real average, real excess, real mu) {
  real weight = 1 / (count + 10);
  real e = (1 - weight) * excess + weight * (delta - accept);
  real x = mu - e * (sqrt(count) / 0.05);
  real share = count ^ -0.75;
  return (exp(x), (1 - share) * average + share * x, e);
}
