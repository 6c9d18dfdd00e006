// Ice creams sold on days of different temperatures, and how many to expect on days to come.
data {
  int<lower=0> N;
  vector[N] temperature;           // of the day, in degrees Celsius
  array[N] int<lower=0> sold;
  int<lower=0> K;
  vector[K] forecast;              // temperatures of days to come
}
parameters {
  real level;                      // log of the sales expected at 20 degrees
  real slope;                      // what 10 degrees more add to it
  real<lower=0> phi;               // the larger, the closer the days are to Poisson
}
model {
  level ~ normal(3, 1);
  slope ~ normal(0, 1);
  phi ~ exponential(0.1);
  sold ~ neg_binomial_2_log(level + slope * (temperature - 20) / 10, phi);
}
generated quantities {
  // days as the model would have them: does it explain the best day that there was?
  array[N] int replicated = neg_binomial_2_log_rng(level + slope * (temperature - 20) / 10, phi);
  int beats_best_day = max(replicated) >= max(sold);
  array[K] int to_come = neg_binomial_2_log_rng(level + slope * (forecast - 20) / 10, phi);
}
