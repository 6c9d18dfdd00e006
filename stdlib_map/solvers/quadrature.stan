// Double exponential quadrature (Takahasi & Mori, "Double exponential formulas for numerical integration", 1974): a substitution x(t)
// after which the trapezoidal rule converges exponentially, whatever happens at the limits.

// Of the integral over an interval of which both limits, one or none are finite: points, their distances from the nearer limit (negative at the lower
// one; only where both are finite), and weights. Points that rounding moves to a limit go inside, without weight.
tuple(vector, vector, vector) interval_points(real a, real b) {
  int n = 385;
  vector[n] x;
  vector[n] distance;
  vector[n] weight;
  if (is_inf(a) && is_inf(b)) {
    for (k in 1:n) {
      real t = (k - 193) * 0.0225;
      real u = 0.5 * pi() * sinh(t);
      x[k] = sinh(u);
      distance[k] = not_a_number();
      weight[k] = 0.0225 * 0.5 * pi() * cosh(t) * cosh(u);
    }
  } else if (is_inf(a) || is_inf(b)) {
    for (k in 1:n) {
      real t = (k - 193) * 0.0235;
      real u = exp(0.5 * pi() * sinh(t));
      x[k] = is_inf(b) ? a + u : b - u;
      distance[k] = not_a_number();
      weight[k] = 0.0235 * 0.5 * pi() * cosh(t) * u;
    }
  } else {
    for (k in 1:n) {
      real t = (k - 193) * 0.03125;
      real e = exp(-pi() * sinh(abs(t)));
      real gap = (b - a) * e / (1 + e);
      real at = t < 0 ? a + gap : b - gap;
      int outside = at <= a || at >= b;
      x[k] = outside ? 0.5 * (a + b) : at;
      distance[k] = outside ? 0.5 * (a - b) : t < 0 ? -gap : gap;
      weight[k] = outside ? 0 : 0.03125 * pi() * cosh(t) * (b - a) * e / square(1 + e);
    }
  }
  return (x, distance, weight);
}

// The same of an interval in two parts, which meet at 0 where it lies inside, as in Stan. Else the second counts for nothing.
tuple(vector, vector, vector) integration_points(real a, real b) {
  int n = 385;
  int two = a < 0 && b > 0 && !(is_inf(a) && is_inf(b));
  vector[n] x;
  vector[n] distance;
  vector[n] weight;
  vector[n] x2;
  vector[n] distance2;
  vector[n] weight2;
  (x, distance, weight) = interval_points(a, two ? 0 : b);
  (x2, distance2, weight2) = interval_points(two ? 0 : 1, two ? b : 2);
  real inside = x[193];
  for (k in 1:n) {
    x2[k] = two ? x2[k] : inside;
    weight2[k] *= two;
  }
  return (append_row(x, x2), append_row(distance, distance2), append_row(weight, weight2));
}

// x, without a derivative. The points move with the limits, but what an integral owes to that is better known: the integrand at the limit.
@elementwise
real held(real x) {
  return x;
}

@derivative(held, x)
real held_slope(real x) {
  return 0;
}
