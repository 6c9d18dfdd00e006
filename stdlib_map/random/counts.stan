// Counts.

int bernoulli_rng(real<lower=0, upper=1> theta) {
  return unit_rng() < theta;
}

int bernoulli_logit_rng(real<finite> alpha) {
  return unit_rng() < inv_logit(alpha);
}

array[] int bernoulli_logit_glm_rng(matrix<finite> x, vector<finite> alpha, vector<finite> beta) {
  return bernoulli_logit_rng(x * beta + alpha);
}

array[] int bernoulli_logit_glm_rng(row_vector<finite> x, vector<finite> alpha, vector<finite> beta) {
  return bernoulli_logit_rng(dot_product(x, beta) + alpha);
}

// A real number that is whole as an int; what is beyond Stan's ints is no number.
int whole_to_int(real x) {
  return abs(x) < 2147483648.0 ? to_int(x) : -2147483647 - 1;
}

// Counts up from 0 until the probabilities passed add up to a uniform number.
real poisson_by_inversion_rng(real lambda) {
  real u = unit_rng();
  real p = exp(-lambda);
  real passed = p;
  real k = 0;
  for (step in 1:100) {
    if (passed > u) {
      break;
    }
    k += 1;
    p *= lambda / k;
    passed += p;
  }
  return k;
}

// The transformed rejection of Hoermann (1993), "The transformed rejection method for generating Poisson random variables",
// algorithm PTRS, for lambda >= 10.
real poisson_by_rejection_rng(real lambda) {
  real b = 0.931 + 2.53 * sqrt(lambda);
  real a = -0.059 + 0.02483 * b;
  real log_lambda = log(lambda);
  real log_scale = log(1.1239 + 1.1328 / (b - 3.4));
  real sure = 0.9277 - 3.6224 / (b - 2);
  real k = 0;
  for (attempt in 1:100) {
    vector[2] u = open_unit_rng(2);
    real x = u[1] - 0.5;
    real edge = 0.5 - abs(x);
    k = floor((2 * a / edge + b) * x + lambda + 0.43);
    real size = greater_of(k, 0);
    if (edge >= 0.07 && u[2] <= sure) {
      break;
    }
    if (k >= 0 && log(u[2]) + log_scale - log(a / square(edge) + b) <= size * log_lambda - lambda - lgamma(size + 1)) {
      break;
    }
  }
  return k;
}

real poisson_draw_rng(real lambda) {
  real k = not_a_number();
  if (lambda < 10) {
    k = poisson_by_inversion_rng(lambda);
  } else {
    k = poisson_by_rejection_rng(lambda);
  }
  return k;
}

int poisson_rng(real<nonnegative, upper=1073741824> lambda) {
  return whole_to_int(poisson_draw_rng(lambda));
}

int poisson_log_rng(real<not_nan, upper=20.79441541679836> alpha) {
  return whole_to_int(poisson_draw_rng(exp(alpha)));
}

// the logarithm of the rate is that of a gamma number and then some
int poisson_of_log_rate_rng(real log_rate) {
  return log_rate < 20.79441541679836 ? whole_to_int(poisson_draw_rng(exp(log_rate))) : -2147483647 - 1;
}

int neg_binomial_rng(real<positive_finite> alpha, real<positive_finite> beta) {
  return poisson_of_log_rate_rng(log_std_gamma_rng(alpha) - log(beta));
}

int neg_binomial_2_rng(real<positive_finite> mu, real<positive_finite> phi) {
  return poisson_of_log_rate_rng(log_std_gamma_rng(phi) + log(mu) - log(phi));
}

int neg_binomial_2_log_rng(real<finite> eta, real<positive_finite> phi) {
  return poisson_of_log_rate_rng(log_std_gamma_rng(phi) + eta - log(phi));
}

// The odds of a beta number are the rate's.
int beta_neg_binomial_rng(real<positive_finite> r, real<positive_finite> alpha, real<positive_finite> beta) {
  return poisson_of_log_rate_rng(log_std_gamma_rng(r) - logit_beta_rng(alpha, beta));
}

// Counts up from 0, as for the Poisson distribution; for a success that is rare enough.
real binomial_by_inversion_rng(real n, real p) {
  real u = unit_rng();
  real odds = p / (1 - p);
  real mass = exp(n * log1m(p));
  real passed = mass;
  real k = 0;
  for (step in 1:100) {
    if (passed > u || k >= n) {
      break;
    }
    mass *= (n - k) / (k + 1) * odds;
    passed += mass;
    k += 1;
  }
  return k;
}

// Hoermann (1993), "The generation of binomial random variates", algorithm BTRS, for n p >= 10 and p <= 1 / 2.
real binomial_by_rejection_rng(real n, real p) {
  real deviation = sqrt(n * p * (1 - p));
  real b = 1.15 + 2.53 * deviation;
  real a = -0.0873 + 0.0248 * b + 0.01 * p;
  real log_scale = log((2.83 + 5.1 / b) * deviation);
  real sure = 0.92 - 4.2 / b;
  real mode = floor((n + 1) * p);
  real log_odds = log(p / (1 - p));
  real log_most = lgamma(mode + 1) + lgamma(n - mode + 1);
  real k = 0;
  for (attempt in 1:100) {
    vector[2] u = open_unit_rng(2);
    real x = u[1] - 0.5;
    real edge = 0.5 - abs(x);
    k = floor((2 * a / edge + b) * x + n * p + 0.5);
    real count = lesser_of(greater_of(k, 0), n);
    if (edge >= 0.07 && u[2] <= sure) {
      break;
    }
    if (k == count && log(u[2]) + log_scale - log(a / square(edge) + b)
        <= log_most - lgamma(count + 1) - lgamma(n - count + 1) + (count - mode) * log_odds) {
      break;
    }
  }
  return k;
}

// Whichever of success and failure is rarer is counted.
real binomial_draw_rng(real n, real theta) {
  real p = lesser_of(theta, 1 - theta);
  real k = not_a_number();
  if (n * p < 10) {
    k = binomial_by_inversion_rng(n, p);
  } else {
    k = binomial_by_rejection_rng(n, p);
  }
  return theta > 0.5 ? n - k : k;
}

int binomial_rng(int<lower=0> N, real<lower=0, upper=1> theta) {
  return to_int(binomial_draw_rng(N, theta));
}

int beta_binomial_rng(int<lower=0> N, real<positive_finite> alpha, real<positive_finite> beta) {
  return to_int(binomial_draw_rng(N, inv_logit(logit_beta_rng(alpha, beta))));
}

// A geometric number whose chance of success is exp of minus an exponential one (Yule 1925, Simon 1955).
int yule_simon_rng(real<positive_finite> alpha) {
  real log_failure = log1m_exp(-std_exponential_rng() / alpha);
  return whole_to_int(1 + floor(log(open_unit_rng()) / log_failure));
}

// The numbers of the white balls among N drawn from an urn with a white and b black ones. From the most likely number outwards,
// the likelier neighbour first, until the probabilities passed add up to a uniform number.
int hypergeometric_rng(int<lower=0> N, int<lower=0> a, int<lower=0> b) {
  int least = N > b ? N - b : 0;
  int most = N < a ? N : a;
  int mode = to_int(floor((N + 1.0) * (a + 1.0) / (a + b + 2.0)));
  int below = mode - 1;
  int above = mode + 1;
  real p_mode = exp(lchoose(a, mode) + lchoose(b, N - mode) - lchoose(a + b, N));
  real p_below = p_mode * mode * (b - N + mode * 1.0) / ((a - mode + 1.0) * (N - mode + 1.0));
  real p_above = p_mode * (a - mode * 1.0) * (N - mode) / ((mode + 1.0) * (b - N + mode + 1.0));
  real passed = p_mode;
  real u = unit_rng();
  int k = mode;
  for (step in 1:(most - least)) {
    if (passed > u) {
      break;
    }
    if (p_above >= p_below) {
      k = above;
      passed += p_above;
      p_above *= (a - above * 1.0) * (N - above) / ((above + 1.0) * (b - N + above + 1.0));
      above += 1;
    } else {
      k = below;
      passed += p_below;
      p_below *= below * (b - N + below * 1.0) / ((a - below + 1.0) * (N - below + 1.0));
      below -= 1;
    }
  }
  return N <= a + b ? k : -2147483647 - 1;
}
