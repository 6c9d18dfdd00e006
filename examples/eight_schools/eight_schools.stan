// Effects of coaching in J schools, each measured with a known standard error (Rubin 1981).
data {
  int<lower=0> J;
  vector[J] y;
  vector<lower=0>[J] sigma;
}
parameters {
  real mu;                         // mean effect over schools
  real<lower=0> tau;               // their spread
  vector<multiplier=tau>[J] eta;   // each school's distance from the mean
}
transformed parameters {
  vector[J] theta = mu + eta;
}
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
  eta ~ normal(0, tau);
  y ~ normal(theta, sigma);
}
generated quantities {
  real best = max(theta);
}
