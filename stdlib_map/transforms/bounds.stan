// Bounded and affinely transformed scalars; applied elementwise to containers.
// Stan Reference Manual, "Constraint transforms": lower bounded, upper bounded, lower and upper
// bounded, affinely transformed scalar. An infinite bound is no bound.

// x = lb + exp(y)
real lower_bound_constrain(real y, real lb) {
  return lb == negative_infinity() ? y : exp(y) + lb;
}

// log |dx/dy| = y
real lower_bound_jacobian(real y, real lb) {
  jacobian += lb == negative_infinity() ? 0 : y;
  return lower_bound_constrain(y, lb);
}

// y = log(x - lb)
real lower_bound_unconstrain(real x, real lb) {
  if (x < lb) {
    reject("lower_bound_unconstrain: the value is below its lower bound");
  }
  return lb == negative_infinity() ? x : log(x - lb);
}

// x = ub - exp(y)
real upper_bound_constrain(real y, real ub) {
  return ub == positive_infinity() ? y : ub - exp(y);
}

// log |dx/dy| = y
real upper_bound_jacobian(real y, real ub) {
  jacobian += ub == positive_infinity() ? 0 : y;
  return upper_bound_constrain(y, ub);
}

// y = log(ub - x)
real upper_bound_unconstrain(real x, real ub) {
  if (x > ub) {
    reject("upper_bound_unconstrain: the value is above its upper bound");
  }
  return ub == positive_infinity() ? x : log(ub - x);
}

// x = lb + (ub - lb) / (1 + exp(-y)); the logistic function in the form that keeps its left tail
real lower_upper_bound_constrain(real y, real lb, real ub) {
  if (lb >= ub) {
    reject("lower_upper_bound_constrain: the lower bound is not below the upper bound");
  }
  return lb == negative_infinity()
         ? upper_bound_constrain(y, ub)
         : (ub == positive_infinity() ? lower_bound_constrain(y, lb)
                                      : (ub - lb) / (1 + exp(-y)) + lb);
}

// log |dx/dy| = log(ub - lb) + log(s (1 - s)), s = 1 / (1 + exp(-y)), and log(s (1 - s)) =
// -y - 2 log(1 + exp(-y)): the plain logarithm does, for where exp(-y) is small, y is not.
real lower_upper_bound_jacobian(real y, real lb, real ub) {
  jacobian += lb == negative_infinity()
              ? (ub == positive_infinity() ? 0 : y)
              : (ub == positive_infinity() ? y : log(ub - lb) - y - 2 * log(1 + exp(-y)));
  return lower_upper_bound_constrain(y, lb, ub);
}

// y = logit((x - lb) / (ub - lb)) = log((x - lb) / (ub - x))
real lower_upper_bound_unconstrain(real x, real lb, real ub) {
  if (lb >= ub) {
    reject("lower_upper_bound_unconstrain: the lower bound is not below the upper bound");
  }
  if (x < lb || x > ub) {
    reject("lower_upper_bound_unconstrain: the value is not between its bounds");
  }
  return lb == negative_infinity()
         ? upper_bound_unconstrain(x, ub)
         : (ub == positive_infinity() ? lower_bound_unconstrain(x, lb)
                                      : log((x - lb) / (ub - x)));
}

// x = offset + multiplier y
real offset_multiplier_constrain(real y, real<finite> mu, real<positive_finite> sigma) {
  return sigma * y + mu;
}

// log |dx/dy| = log multiplier
real offset_multiplier_jacobian(real y, real<finite> mu, real<positive_finite> sigma) {
  jacobian += log(sigma);
  return sigma * y + mu;
}

// y = (x - offset) / multiplier
real offset_multiplier_unconstrain(real x, real<finite> mu, real<positive_finite> sigma) {
  return (x - mu) / sigma;
}
