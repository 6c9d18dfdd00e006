// First passage time of a Wiener process with drift: upper boundary alpha away from the lower, non-decision time tau, relative
// start beta, drift delta. Stan Functions Reference, "Wiener First Passage Time Distribution"; Navarro and Fuss (2009),
// "Fast and accurate calculations for first-passage times in Wiener diffusion models".

// The log density without drift of the scaled time x = t / alpha^2 from the relative distance w to the boundary. Two series,
// each summed where seven or five terms of it suffice; their leading exponentials are taken out.
real wiener_driftless(real x, real w) {
  real early = fmin(x, 0.5);
  real late = fmax(x, 0.5);
  real small = 0;
  real large = 0;
  for (k in -3:3) {
    small += (w + 2 * k) * exp(-2 * k * (w + k) / early);
  }
  for (k in 1:5) {
    large += k * exp(-0.5 * square(pi()) * (square(k) - 1) * late) * sin(k * pi() * w);
  }
  return x < 0.5 ? log(small) - 0.5 * square(w) / early - 1.5 * log(early) - 0.5 * log(2 * pi())
                 : log(large) + log(pi()) - 0.5 * square(pi()) * late;
}

// driftless - 2 log alpha + delta alpha w - delta^2 t / 2, t = y - tau, w = 1 - beta
real wiener_lpdf(real<positive> y, real<positive_finite> alpha, real<positive_finite> tau,
                 real<lower=0, upper=1> beta, real<finite> delta) {
  if (y <= tau) {
    reject("wiener_lpdf: the outcome is not greater than the non-decision time");
  }
  real t = y - tau;
  real w = 1 - beta;
  return wiener_driftless(t / square(alpha), w)
         - (2 * log(alpha) - delta * alpha * w + 0.5 * square(delta) * t);
}

// The drift varies between trials, normally with standard deviation s: the drift terms become
// (2 delta alpha w - delta^2 t + s^2 alpha^2 w^2) / (2 (1 + s^2 t)) - log(1 + s^2 t) / 2.
real wiener_lpdf(real<positive> y, real<positive_finite> alpha, real<positive_finite> tau,
                 real<lower=0, upper=1> beta, real<finite> delta, real<nonnegative, finite> s) {
  if (y <= tau) {
    reject("wiener_lpdf: the outcome is not greater than the non-decision time");
  }
  real t = y - tau;
  real aw = alpha * (1 - beta);
  real spread = 1 + square(s) * t;
  return wiener_driftless(t / square(alpha), 1 - beta)
         - (2 * log(alpha) - (2 * delta * aw - square(delta) * t + square(s * aw)) / (2 * spread)
            + 0.5 * log(spread));
}
