// The two real branches of Lambert's W function, W exp(W) = x. Stan Functions Reference, "Lambert W functions"; Fritsch, Shafer and Crowley (1973),
// "Solution of the transcendental equation w exp(w) = x".

// p = sqrt(2 (e x + 1)), the distance from the branch point; 1 / e in two parts
real lambert_distance(real x) {
  real above = (x + 0.36787944117144233) - 1.2428753672788363e-17;
  return sqrt(5.43656365691809 * greater_of(above, 0));
}

// W + 1 for W_0 at p and W_-1 at -p: p times a minimax rational function for -1 <= p <= 3 / 2, relative error below 1e-15
real lambert_near(real p) {
  return p * (23637.496206171065 + p * (66835.65351842737 + p * (76789.52940658765 + p * (45909.02534019324
         + p * (15163.861001210022 + p * (2699.305252995389 + p * (231.056808427732 + p * (7.012651196279629
         + p * 0.017154315660083005))))))))
         / (23637.49620617108 + p * (74714.81892048448 + p * (98083.18490413856 + p * (69070.90137476378
         + p * (28100.153826671412 + p * (6613.083267237258 + p * (849.3564244261482 + p * (51.35852660405276
         + p))))))));
}

// a step towards w + log(w / x) = 0, of fourth order
real lambert_step(real w, real x) {
  real z = log(x / w) - w;
  real q = 2 * (1 + w) * (1 + w + 2 * z / 3);
  return w * (1 + z / (1 + w) * (q - z) / (q - 2 * z));
}

// Near the branch point W + 1 by the rational function, from W = -1/2 on with one step of Newton's method, for the digits around W = 0; far from it two
// steps from Winitzki's approximation log(1 + x) (1 - log(1 + log(1 + x)) / (2 + log(1 + x))).
@elementwise
real lambert_w0(real<lower=-exp(-1)> x) {
  real p = lesser_of(lambert_distance(x), 1.5);
  real start = lambert_near(p) - 1;
  real near = start - (start - x * exp(-start)) / (1 + start);
  real large = greater_of(x, 0.04);
  real level = log(1 + large);
  real far = lambert_step(lambert_step(level * (1 - log(1 + level) / (2 + level)), large), large);
  return p < 1.5 ? (p > 0.6 ? near : start) : far;
}

// W' = exp(-W) / (1 + W)
@derivative(lambert_w0, x)
real lambert_w0_slope(real x) {
  real w = lambert_w0(x);
  real p = lambert_distance(x);
  return exp(-w) / (p < 0.6 ? lambert_near(p) : 1 + w);
}

// Far from the branch point two steps from the asymptotic log(-x) - log(-log(-x)) (1 - 1 / log(-x)).
@elementwise
real lambert_wm1(real<lower=-exp(-1), upper=0> x) {
  real p = lambert_distance(x);
  real near = lambert_near(-lesser_of(p, 1)) - 1;
  real small = greater_of(x, -0.19);
  real level = log(-small);
  real far = lambert_step(lambert_step(level - log(-level) * (1 - 1 / level), small), small);
  return x == 0 ? negative_infinity() : (p < 1 ? near : far);
}

@derivative(lambert_wm1, x)
real lambert_wm1_slope(real x) {
  real w = lambert_wm1(x);
  real p = lambert_distance(x);
  return exp(-w) / (p < 0.6 ? lambert_near(-p) : 1 + w);
}
