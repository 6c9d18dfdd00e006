// Dirichlet distribution with prior counts alpha. Stan Functions Reference, "Dirichlet distribution".

// lgamma(sum alpha) - sum lgamma(alpha_k) + sum (alpha_k - 1) log theta_k
real dirichlet_lpdf(vector<simplex> theta, vector<positive> alpha) {
  return (lgamma(sum(alpha)) - sum(lgamma(alpha))) + dot_product(alpha - 1, log(theta));
}
