// Exponentials and logarithms in forms that lose no digits. Stan Functions Reference, "Logarithms and exponentials" and
// "Composed functions".

@elementwise
@facts(nonnegative)
real exp2(real x) {
  return 2.0 ^ x;
}

@derivative(exp2, x)
real exp2_slope(real x) {
  return log(2) * 2.0 ^ x;
}

real log2(real x) {
  return log(x) / log(2);
}

real log10(real x) {
  return log(x) / log(10);
}

@elementwise
real cbrt(real x) {
  return sign_of(x) * abs(x) ^ (1.0 / 3);
}

@derivative(cbrt, x)
real cbrt_slope(real x) {
  return 1 / (3 * square(abs(x) ^ (1.0 / 3)));
}

// exp(x) - 1 = tanh(x / 2) (exp(x) + 1), where nothing cancels
@elementwise
real expm1(real x) {
  return tanh(0.5 * x) * (exp(x) + 1);
}

@derivative(expm1, x)
real expm1_slope(real x) {
  return exp(x);
}

// log(1 + x): what the sum's rounding loses is added to first order. The divisor is bounded so that the correction vanishes
// at x = -1 and does no harm at infinity.
@elementwise
real log1p(real<lower=-1, evident> x) {
  real sum = 1 + x;
  real bounded = lesser_of(greater_of(sum, 1e-17), 1.7976931348623157e308);
  return log(sum) + (x - (bounded - 1)) / bounded;
}

@derivative(log1p, x)
real log1p_slope(real x) {
  return 1 / (1 + x);
}

// log(1 + x) for 0 <= x <= 1
real log1p_unit(real x) {
  real sum = 1 + x;
  return log(sum) + (x - (sum - 1)) / sum;
}

@elementwise
real log1m(real<upper=1, evident> x) {
  return log1p(-x);
}

@derivative(log1m, x)
real log1m_slope(real x) {
  return 1 / (x - 1);
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))
@elementwise
@facts(nonnegative)
real log1p_exp(real x) {
  return greater_of(x, 0) + log1p_unit(exp(-abs(x)));
}

@derivative(log1p_exp, x)
real log1p_exp_slope(real x) {
  real power = exp(-abs(x));
  real high = 1 / (1 + power);
  return x < 0 ? power * high : high;
}

// log(1 - exp(x)) for x <= 0. 1 - exp(x) = tanh(-x / 2) (1 + exp(x)) is exact to rounding; where it is near 1 what rounding loses is
// added to first order: above 1/2 the difference from 1 has no rounding of its own, below the correction is 0.
@elementwise
real log1m_exp(real x) {
  real power = exp(x);
  real rest = tanh(-0.5 * x) * (1 + power);
  real bounded = greater_of(rest, 0.5);
  return log(rest) + ((1 - bounded) - lesser_of(power, 0.5)) / bounded;
}

@derivative(log1m_exp, x)
real log1m_exp_slope(real x) {
  return -1 / (tanh(-0.5 * x) * (exp(-x) + 1));
}

// log(exp(x) + exp(y)) = max + log(1 + exp(min - max)); the maximum is bounded from below in the difference, for infinities
@elementwise
real log_sum_exp(real x, real y) {
  real larger = greater_of(x, y);
  return larger + log1p_unit(exp(lesser_of(x, y) - greater_of(larger, -1.7976931348623157e308)));
}

// the weights exp(x) / (exp(x) + exp(y)) and exp(y) / (exp(x) + exp(y)) by what the function itself has computed
@derivative(log_sum_exp, x)
real log_sum_exp_weight_x(real x, real y) {
  real power = exp(lesser_of(x, y) - greater_of(greater_of(x, y), -1.7976931348623157e308));
  real high = 1 / (1 + power);
  return x < y ? power * high : high;
}

@derivative(log_sum_exp, y)
real log_sum_exp_weight_y(real x, real y) {
  real power = exp(lesser_of(x, y) - greater_of(greater_of(x, y), -1.7976931348623157e308));
  real high = 1 / (1 + power);
  return x < y ? high : power * high;
}

// log(exp(x) - exp(y)) for y <= x; of equal infinities it is minus infinity
@elementwise
real log_diff_exp(real x, real y) {
  return x + log1m_exp(y - greater_of(x, -1.7976931348623157e308));
}

@derivative(log_diff_exp, x)
real log_diff_exp_slope_x(real x, real y) {
  return -1 / expm1(y - greater_of(x, -1.7976931348623157e308));
}

@derivative(log_diff_exp, y)
real log_diff_exp_slope_y(real x, real y) {
  return -1 / expm1(greater_of(x, -1.7976931348623157e308) - y);
}

// log(theta exp(lp1) + (1 - theta) exp(lp2))
@elementwise
real log_mix(real<lower=0, upper=1, evident> theta, real<not_nan, evident> lp1, real<not_nan, evident> lp2) {
  return log_sum_exp(log(theta) + lp1, log1m(theta) + lp2);
}

// the weights of the two terms, w1 = theta exp(lp1 - log_mix) and w2 = 1 - w1; where theta is 0 or 1 it stays there
@derivative(log_mix, theta)
real log_mix_slope_theta(real theta, real lp1, real lp2) {
  return log_mix_slope_lp1(theta, lp1, lp2) / greater_of(theta, 1e-300) -
         log_mix_slope_lp2(theta, lp1, lp2) / greater_of(1 - theta, 1e-300);
}

@derivative(log_mix, lp1)
real log_mix_slope_lp1(real theta, real lp1, real lp2) {
  return log_sum_exp_weight_x(log(theta) + lp1, log1m(theta) + lp2);
}

@derivative(log_mix, lp2)
real log_mix_slope_lp2(real theta, real lp1, real lp2) {
  return log_sum_exp_weight_y(log(theta) + lp1, log1m(theta) + lp2);
}

// x log(y), and 0 where both are 0
real lmultiply(real x, real y) {
  real both_zero = x == 0 && y == 0;
  return x * log(y + both_zero);
}
