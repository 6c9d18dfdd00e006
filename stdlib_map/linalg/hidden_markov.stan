// Hidden Markov models with observation densities log_omega (states by rows, times by columns), transition probabilities
// Gamma (from rows to columns) and initial probabilities rho. Rabiner (1989), "A tutorial on hidden Markov models and selected
// applications in speech recognition", with the scaling of its V.A.

// Holds nothing but its argument's domain.
int is_stochastic(vector<simplex, evident> x) {
  return 1;
}

int fits_states(matrix log_omega, matrix Gamma, vector<simplex, evident> rho) {
  int K = rows(log_omega);
  if (cols(log_omega) == 0 || rows(Gamma) != K || cols(Gamma) != K || rows(rho) != K) {
    reject("the numbers of states do not agree, or there is no observation");
  }
  for (k in 1:rows(Gamma)) {
    int checked = is_stochastic(Gamma[k]');
  }
  return 1;
}

// exp(log_omega), each column divided by its largest element
array[] vector scaled_likelihoods(matrix log_omega) {
  array[cols(log_omega)] vector[rows(log_omega)] w;
  for (n in 1:cols(log_omega)) {
    w[n] = exp(log_omega[:, n] - finite_max(log_omega[:, n]));
  }
  return w;
}

// The log marginal density; alpha_n, the probabilities of the states at time n given what is observed up to then; and the
// scales s_n = sum_k (alpha_(n - 1)' Gamma)_k w_nk, whose logs sum to the density.
@call
tuple(real, array[] vector, vector) hmm_forward(matrix log_omega, matrix Gamma, vector rho) {
  int K = rows(log_omega);
  int N = cols(log_omega);
  array[N] vector[K] w = scaled_likelihoods(log_omega);
  array[N] vector[K] alpha;
  vector[N] s;
  vector[N] m;
  for (n in 1:N) {
    m[n] = finite_max(log_omega[:, n]);
  }
  vector[K] a = rho .* w[1];
  s[1] = sum(a);
  a = a / s[1];
  alpha[1] = a;
  for (n in 2:N) {
    vector[K] b = (a' * Gamma)' .* w[n];
    real t = sum(b);
    a = b / t;
    s[n] = t;
    alpha[n] = a;
  }
  return (sum(log(s)) + sum(m), alpha, s);
}

// u_n = w_n beta_n / s_n, where beta_N = 1 and beta_(n - 1) = Gamma u_n
array[] vector hmm_backward(matrix log_omega, matrix Gamma, vector s) {
  int K = rows(log_omega);
  int N = cols(log_omega);
  array[N] vector[K] w = scaled_likelihoods(log_omega);
  array[N] vector[K] last_first;
  vector[K] beta = rep_vector(1, K);
  for (n in 1:N) {
    w[n] = w[n] / s[n];
  }
  w = reverse(w);
  for (k in 1:N) {
    vector[K] u = w[k] .* beta;
    last_first[k] = u;
    beta = Gamma * u;
  }
  return reverse(last_first);
}

// The probabilities of the states given everything observed: alpha_n beta_n, in columns.
matrix hmm_smooth(matrix Gamma, vector rho, array[] vector alpha, array[] vector u) {
  int K = rows(Gamma);
  int N = size(alpha);
  matrix[K, N] P;
  P[:, 1] = rho .* u[1];
  for (n in 2:N) {
    P[:, n] = (alpha[n - 1]' * Gamma)' .* u[n];
  }
  return P;
}

// The log density's derivatives: by log_omega the smoothed probabilities, by Gamma sum_n alpha_(n - 1) u_n', by rho u_1. The
// other results are for this derivative alone.
@vjp(hmm_forward)
tuple(matrix, matrix, vector) hmm_forward_vjp(matrix log_omega, matrix Gamma, vector rho, real r, array[] vector alpha,
                                              vector s, real r_, array[] vector alpha_, vector s_) {
  int K = rows(log_omega);
  int N = cols(log_omega);
  array[N] vector[K] u = hmm_backward(log_omega, Gamma, s);
  matrix[K, K] Gamma_ = rep_matrix(0, K, K);
  for (n in 2:N) {
    Gamma_ += alpha[n - 1] * u[n]';
  }
  return (r_ * hmm_smooth(Gamma, rho, alpha, u), r_ * Gamma_, r_ * u[1]);
}

real hmm_marginal(matrix log_omega, matrix Gamma, vector rho) {
  int checked = fits_states(log_omega, Gamma, rho);
  return hmm_forward(log_omega, Gamma, rho).1;
}

matrix hmm_hidden_state_prob(matrix log_omega, matrix Gamma, vector rho) {
  int K = rows(log_omega);
  int N = cols(log_omega);
  int checked = fits_states(log_omega, Gamma, rho);
  tuple(real, array[N] vector[K], vector[N]) f = hmm_forward(log_omega, Gamma, rho);
  return hmm_smooth(Gamma, rho, f.2, hmm_backward(log_omega, Gamma, f.3));
}
