// Gamma distribution and what is made of it.

// The logarithm of a number from gamma(alpha, 1): the cube of a normal number, accepted or not (Marsaglia and Tsang 2000). For
// alpha < 1 a number from gamma(alpha + 1, 1) times a uniform one to the power 1 / alpha, whose logarithm does not underflow.
// At most one in twenty attempts fails.
real log_std_gamma_rng(real alpha) {
  real d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3;
  real c = inv_sqrt(9 * d);
  real log_v = 0;
  for (attempt in 1:50) {
    vector[3] u = open_unit_rng(3);
    real x = sqrt(-2 * log(u[1])) * cos_turn(u[2]);
    real root = greater_of(1 + c * x, 1e-300);
    log_v = 3 * log(root);
    if (1 + c * x > 0 && log(u[3]) < 0.5 * square(x) + d * (1 - root ^ 3 + log_v)) {
      break;
    }
  }
  return log(d) + log_v + (alpha < 1 ? log(open_unit_rng()) / alpha : 0);
}

real gamma_rng(real<positive_finite> alpha, real<positive_finite> beta) {
  return exp(log_std_gamma_rng(alpha)) / beta;
}

real inv_gamma_rng(real<positive_finite> alpha, real<positive_finite> beta) {
  return beta * exp(-log_std_gamma_rng(alpha));
}

real chi_square_rng(real<positive_finite> nu) {
  return 2 * exp(log_std_gamma_rng(0.5 * nu));
}

real inv_chi_square_rng(real<positive_finite> nu) {
  return 0.5 * exp(-log_std_gamma_rng(0.5 * nu));
}

real scaled_inv_chi_square_rng(real<positive_finite> nu, real<positive_finite> s) {
  return 0.5 * nu * square(s) * exp(-log_std_gamma_rng(0.5 * nu));
}

real student_t_rng(real<positive_finite> nu, real<finite> mu, real<positive_finite> sigma) {
  return mu + sigma * std_normal_rng() * sqrt(0.5 * nu * exp(-log_std_gamma_rng(0.5 * nu)));
}

// The logarithms of two gamma numbers differ by the logit.
real logit_beta_rng(real alpha, real beta) {
  vector[2] shape = [alpha, beta]';
  vector[2] parts = log_std_gamma_rng(shape);
  return parts[1] - parts[2];
}

real beta_rng(real<positive_finite> alpha, real<positive_finite> beta) {
  return inv_logit(logit_beta_rng(alpha, beta));
}

real beta_proportion_rng(real<lower=0, upper=1> mu, real<positive_finite> kappa) {
  return inv_logit(logit_beta_rng(mu * kappa, (1 - mu) * kappa));
}

vector dirichlet_rng(vector<positive> alpha) {
  return softmax(log_std_gamma_rng(alpha));
}
