// Von Mises distribution: wrapped Cauchy numbers, accepted or not (Best and Fisher 1979). At least 0.65 of the attempts succeed.
// For a large kappa the angles, so small that they do not wrap, are normal to double precision.
real von_mises_rng(real<finite> mu, real<nonnegative, finite> kappa) {
  real k = greater_of(lesser_of(kappa, 1e6), 1e-8);
  real tau = 1 + sqrt(1 + 4 * square(k));
  real rho = (tau - sqrt(2 * tau)) / (2 * k);
  real r = (1 + square(rho)) / (2 * rho);
  real angle = 0;
  for (attempt in 1:100) {
    vector[3] u = open_unit_rng(3);
    real z = cos_turn(0.5 * u[1]);
    real f = (1 + r * z) / (r + z);
    real c = k * (r - f);
    angle = acos(greater_of(lesser_of(f, 1), -1)) * (u[3] < 0.5 ? -1 : 1);
    if (c * (2 - c) > u[2] || log(c / u[2]) + 1 >= c) {
      break;
    }
  }
  real near = kappa > 1e6 ? std_normal_rng() * inv_sqrt(kappa) : angle;
  return mu - 2 * pi() * floor(mu / (2 * pi())) + (kappa < 1e-8 ? 2 * pi() * (open_unit_rng() - 0.5) : near);
}
