// Outcomes among finitely many.

// The first place at which the sums of weights exceed a uniform part of their total.
int place_rng(vector weights) {
  int n = size(weights);
  vector[n] sums = cumulative_sum(weights);
  real u = unit_rng() * sums[n];
  int place = 1;
  for (k in 1:n - 1) {
    place += sums[k] <= u;
  }
  return place;
}

int categorical_rng(vector<simplex> theta) {
  return place_rng(theta);
}

int categorical_logit_rng(vector<finite> beta) {
  return place_rng(exp(beta - max(beta)));
}

// One more than the number of cut points below a latent number.
int ordered_logistic_rng(real<finite> eta, vector<ordered, finite> c) {
  real u = open_unit_rng();
  real latent = eta + log(u / (1 - u));
  int place = 1;
  for (k in 1:size(c)) {
    place += c[k] < latent;
  }
  return place;
}

int ordered_probit_rng(real<finite> eta, vector<ordered, finite> c) {
  real latent = eta + std_normal_rng();
  int place = 1;
  for (k in 1:size(c)) {
    place += c[k] < latent;
  }
  return place;
}

// Binomial numbers of what is left, place by place.
array[] int counts_rng(vector weights, int N) {
  int n = size(weights);
  array[n] int counts = rep_array(0, n);
  vector[n] rest = reverse(cumulative_sum(reverse(weights)));
  real left = N;
  for (k in 1:n - 1) {
    real share = rest[k] > 0 ? lesser_of(weights[k] / rest[k], 1) : 0;
    real count = binomial_draw_rng(left, share);
    counts[k] = to_int(count);
    left -= count;
  }
  counts[n] = to_int(left);
  return counts;
}

array[] int multinomial_rng(vector<simplex> theta, int<lower=0> N) {
  return counts_rng(theta, N);
}

array[] int multinomial_logit_rng(vector<finite> gamma, int<lower=0> N) {
  return counts_rng(exp(gamma - max(gamma)), N);
}

array[] int dirichlet_multinomial_rng(vector<positive_finite> alpha, int<lower=0> N) {
  return counts_rng(softmax(log_std_gamma_rng(alpha)), N);
}

// States of a hidden Markov model given its observations: filtered forward, drawn backward. log_omega[k, t] is the log density of
// observation t in state k.
array[] int hmm_latent_rng(matrix log_omega, matrix Gamma, vector<simplex> rho) {
  int states = rows(log_omega);
  int times = cols(log_omega);
  matrix[states, times] filtered;
  vector[states] now = rho .* exp(log_omega[, 1] - max(log_omega[, 1]));
  filtered[, 1] = now;
  for (t in 2:times) {
    now = exp(log_omega[, t] - max(log_omega[, t])) .* (Gamma' * now);
    now = now / max(now);
    filtered[, t] = now;
  }
  array[times] int path = rep_array(1, times);
  int state = place_rng(now);
  path[times] = state;
  for (step in 1:times - 1) {
    state = place_rng(filtered[, times - step] .* Gamma[, state]);
    path[times - step] = state;
  }
  return path;
}
