// Numbers with bounds on one side and on both.
parameters {
  real<lower=0> a;
  real<upper=3> b;
  real<lower=-1, upper=2> c;
  vector<lower=0, upper=1>[3] d;
}
model {
  a ~ gamma(2, 3);
  b ~ normal(2, 1);
  c ~ normal(0, 1);
  d ~ beta(2, 5);
}
