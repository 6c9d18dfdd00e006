// Ordered probit distribution: latent normal variable at lambda, cut points c. Stan Functions
// Reference, "Ordered probit distribution".

// log(Phi(hi - lambda) - Phi(lo - lambda)), lo and hi the cut points around outcome y
real ordered_probit_lpmf(int<lower=1, upper=rows(c) + 1> y, real<finite, evident> lambda, vector<ordered> c) {
  int K = rows(c) + 1;
  return y == 1 ? log_Phi(c[1] - lambda)
                : (y == K ? log_Phi(lambda - c[K - 1])
                          : log_Phi_difference(c[y - 1] - lambda, c[y] - lambda));
}
