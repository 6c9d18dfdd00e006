// Ordered logistic distribution: latent logistic variable at lambda, cut points c. Stan Functions
// Reference, "Ordered logistic distribution".

// log(inv_logit(hi - lambda) - inv_logit(lo - lambda)), lo and hi the cut points around outcome y, as
// log inv_logit(lambda - lo) + log inv_logit(hi - lambda) + log(1 - exp(lo - hi)); the end cut points are infinite.
real ordered_logistic_lpmf(int<lower=1, upper=rows(c) + 1> y, real<finite, evident> lambda, vector<ordered> c) {
  int K = rows(c) + 1;
  vector[K + 1] cuts = append_row(negative_infinity(), append_row(c, positive_infinity()));
  vector[K] widths = log1m_exp(cuts[1:K] - cuts[2:(K + 1)]);
  return log_inv_logit(lambda - cuts[y]) + log_inv_logit(cuts[y + 1] - lambda) + widths[y];
}
