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

// Gauss-Legendre quadrature over the unit interval with 20 points: the points and their weights.
vector unit_quadrature_points() {
  vector[10] half = [0.03826326056674867, 0.11389292557082253, 0.18685304435770977,
                     0.25543350097541356, 0.3180268403632575, 0.3731659532300754,
                     0.4195584859111094, 0.456117214125663, 0.4819859636389569, 0.49656429959254744]';
  return append_row(0.5 - half, 0.5 + half);
}

vector unit_quadrature_weights() {
  vector[10] half = [0.07637669356536292, 0.07458649323630187, 0.07104805465919102,
                     0.06584431922458832, 0.059097265980759206, 0.05096505990862022,
                     0.04163837078835238, 0.031336024167054534, 0.02030071490019347,
                     0.008807003569576059]';
  return append_row(half, half);
}

// Between trials the start varies too, uniformly with width width_beta, and the non-decision time, uniformly from tau to
// tau + width_tau: the mean density over both.
real wiener_lpdf(real<positive> y, real<positive_finite> alpha, real<positive_finite> tau,
                 real<lower=0, upper=1> beta, real<finite> delta, real<nonnegative, finite> s,
                 real<nonnegative, upper=1> width_beta, real<nonnegative, finite> width_tau) {
  if (y <= tau) {
    reject("wiener_lpdf: the outcome is not greater than the non-decision time");
  }
  if (beta - 0.5 * width_beta <= 0 || beta + 0.5 * width_beta >= 1) {
    reject("wiener_lpdf: the relative start may leave the unit interval");
  }
  vector[20] points = unit_quadrature_points();
  vector[20] log_weights = log(unit_quadrature_weights());
  real reach = fmin(width_tau, y - tau);
  matrix[20, 20] terms;
  for (i in 1:20) {
    for (j in 1:20) {
      real w = 1 - beta + width_beta * (points[i] - 0.5);
      real t = y - tau - reach * points[j];
      real aw = alpha * w;
      real spread = 1 + square(s) * t;
      terms[i, j] = log_weights[i] + log_weights[j] + wiener_driftless(t / square(alpha), w)
                    + (2 * delta * aw - square(delta) * t + square(s * aw)) / (2 * spread) - 0.5 * log(spread);
    }
  }
  return log_sum_exp(terms) - 2 * log(alpha) + (width_tau > 0 ? log(reach / width_tau) : 0);
}

// The same with the tolerance that Stan's own quadrature takes; the series and the quadrature here are more accurate than
// any tolerance of use.
real wiener_lpdf(real y, real alpha, real tau, real beta, real delta, real s, data real precision) {
  return wiener_lpdf(y | alpha, tau, beta, delta, s);
}

real wiener_lpdf(real y, real alpha, real tau, real beta, real delta, real s, real width_beta, real width_tau,
                 data real precision) {
  return wiener_lpdf(y | alpha, tau, beta, delta, s, width_beta, width_tau);
}
