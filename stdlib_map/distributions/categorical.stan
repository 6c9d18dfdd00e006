// Categorical distribution with probabilities theta. Stan Functions Reference, "Categorical distribution".

// log theta_n
real categorical_lpmf(int<lower=1, upper=rows(theta)> n, vector<simplex> theta) {
  return log(theta[n]);
}

real categorical_lpmf(array[] int<lower=1, upper=rows(theta)> n, vector<simplex> theta) {
  return sum(log(theta)[n]);
}
