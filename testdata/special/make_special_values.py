#!/usr/bin/env python3
"""Makes special_values.tsv: the special functions of Stan's library at ordinary and at extreme arguments, with their derivatives.

make_special_values.py     needs mpmath

A line starting with '=' opens a group: an expression of x[1], x[2], ... in Stan, the tolerance of its values and of its derivatives, both relative, and
the size below which a number counts as near 0. The lines after it give x, the value, and the derivative for each x. Values are mpmath's or are
definitions: integrals and series with many digits. Derivatives are central differences with a step of 1e-25 relative to x.
Digits are as many as the cancellation in definitions needs.
"""
import os
import random
import mpmath as mp
from mpmath import mpf, exp, log, sqrt, pi

HERE = os.path.dirname(os.path.abspath(__file__))
STEP = mpf(10) ** -25
rng = random.Random(1)
groups = []


# ---- points ----

def uniform(a, b, n=8):
    return [rng.uniform(a, b) for _ in range(n)]


def powers(a, b, n=8):
    """Log-uniform between 10^a and 10^b."""
    return [10.0 ** rng.uniform(a, b) for _ in range(n)]


def signed(a, b, n=8):
    return [rng.choice((-1, 1)) * x for x in powers(a, b, n)]


def below_one(a, b, n=6):
    return [1 - x for x in powers(a, b, n)]


def probabilities():
    return uniform(0, 1) + powers(-280, 0) + below_one(-14, 0)


def reals():
    return uniform(-5, 5) + signed(-15, 0) + signed(0, 2.5)


def positives():
    return uniform(0, 10) + powers(-12, 0) + powers(0, 12) + powers(-250, 250)


def each(*columns):
    """Points of several arguments: of each argument the values in turn, as many as the longest list has."""
    n = max(len(c) for c in columns)
    return [[c[k % len(c)] for c in columns] for k in range(n)]


def group(expression, f, *columns, tolerance=1e-13, slope=1e-13, floor=0.0, digits=400):
    groups.append((expression, f, each(*columns), tolerance, slope, floor, digits))


# ---- exponentials and logarithms ----

def logistic(x):
    return 1 / (1 + exp(-x))


group('expm1(x[1])', mp.expm1, reals() + uniform(-700, 700))
group('log1p(x[1])', mp.log1p, uniform(-1, 5) + signed(-15, -0.1) + powers(0, 300))
group('log1m(x[1])', lambda x: mp.log1p(-x), uniform(-5, 1) + signed(-15, -0.1))
group('log1p_exp(x[1])', lambda x: mp.log1p(exp(x)), reals() + uniform(-600, 700))
group('log1m_exp(x[1])', lambda x: mp.log1p(-exp(x)), [-x for x in powers(-15, 2.5, 24)])
group('log_sum_exp(x[1], x[2])', lambda x, y: log(exp(x) + exp(y)), uniform(-5, 5) + uniform(-300, 300), uniform(-5, 5) + uniform(-300, 300), floor=0.1)
larger = uniform(-5, 5) + uniform(-300, 300)
smaller = [x - d for x, d in zip(larger, powers(-5, 2, 16))]
group('log_diff_exp(x[1], x[2])', lambda x, y: x + log(-mp.expm1(y - x)), larger, smaller, floor=0.1)
group('log_mix(x[1], x[2], x[3])', lambda t, x, y: log(t * exp(x) + (1 - t) * exp(y)), uniform(0, 1) + powers(-12, 0), uniform(-5, 5, 16), uniform(-5, 5, 16),
      floor=0.1)
group('lmultiply(x[1], x[2])', lambda x, y: x * log(y), reals(), positives(), floor=1e-3)
group('cbrt(x[1])', lambda x: mp.sign(x) * mp.cbrt(abs(x)), signed(-250, 250, 16) + uniform(-5, 5))
group('exp2(x[1])', lambda x: mpf(2) ** x, uniform(-900, 900) + uniform(-3, 3))
group('log2(x[1])', lambda x: log(x) / log(2), powers(-280, 280) + powers(-2, 2), floor=0.1)
group('log10(x[1])', lambda x: log(x) / log(10), powers(-280, 280) + powers(-2, 2), floor=0.1)
group('inv_logit(x[1])', logistic, reals() + uniform(-600, 0))
group('logit(x[1])', lambda p: log(p / (1 - p)), probabilities(), floor=0.1)
group('log_inv_logit(x[1])', lambda x: -mp.log1p(exp(-x)), reals() + uniform(-600, 600))
group('log1m_inv_logit(x[1])', lambda x: -mp.log1p(exp(x)), reals() + uniform(-600, 600))
group('log_inv_logit_diff(x[1], x[2])', lambda x, y: -mp.log1p(exp(-x)) + mp.log1p(-exp(y - x)) - mp.log1p(exp(y)), larger, smaller, floor=1e-3)
group('inv_cloglog(x[1])', lambda x: -mp.expm1(-exp(x)), uniform(-5, 5) + uniform(-600, 0))
group('Phi_approx(x[1])', lambda x: logistic(mpf(0.07056) * x ** 3 + mpf(1.5976) * x), uniform(-8, 8, 16))

# ---- trigonometric and hyperbolic functions ----

group('tan(x[1])', mp.tan, uniform(-1.5, 1.5) + signed(-15, 0))
group('atan(x[1])', mp.atan, signed(-15, 15, 16) + uniform(-3, 3))
group('asin(x[1])', mp.asin, uniform(-1, 1) + signed(-15, 0) + below_one(-14, 0))
group('acos(x[1])', mp.acos, uniform(-1, 1) + signed(-15, 0) + below_one(-14, 0))
group('atan2(x[1], x[2])', mp.atan2, uniform(-5, 5, 12) + signed(-60, 60, 12), uniform(-5, 5, 12) + signed(-60, 60, 12))
group('hypot(x[1], x[2])', mp.hypot, uniform(-5, 5) + signed(-100, 80), uniform(-5, 5) + signed(-100, 80))
group('sinh(x[1])', mp.sinh, reals() + uniform(-700, 700))
group('cosh(x[1])', mp.cosh, reals() + uniform(-700, 700))
group('asinh(x[1])', mp.asinh, uniform(-5, 5) + signed(-15, 0) + signed(0, 280))
group('acosh(x[1])', mp.acosh, [1 + x for x in uniform(0, 5) + powers(-12, 2)] + powers(1, 280))
group('atanh(x[1])', mp.atanh, uniform(-1, 1) + signed(-15, 0) + below_one(-14, 0))

# ---- the error function and the normal distribution ----


def normal_quantile(p):
    """By Newton's method on the logarithm of the smaller tail."""
    q = min(p, 1 - p)
    target = log(q)
    x = sqrt(-2 * target) if q < 0.1 else mpf(0.5)
    for _ in range(200):
        tail = mp.erfc(x / sqrt(2)) / 2
        step = (log(tail) - target) * tail / (exp(-x * x / 2) / sqrt(2 * pi))
        x += step
        if abs(step) < mpf(10) ** (10 - mp.mp.dps):
            break
    return -x if p < 0.5 else x


def owen(h, a):
    """The defining integral, cut where its integrand is below exp(-400)."""
    end = min(abs(a), 30 / abs(h)) if h else abs(a)
    return mp.sign(a) * mp.quad(lambda x: exp(-h * h * (1 + x * x) / 2) / (1 + x * x), mp.linspace(0, end, 9)) / (2 * pi)


group('erf(x[1])', mp.erf, uniform(-4, 4, 16) + signed(-15, 0))
group('erfc(x[1])', mp.erfc, uniform(-4, 4) + uniform(0, 25) + signed(-15, 0))
group('Phi(x[1])', lambda x: mp.erfc(-x / sqrt(2)) / 2, uniform(-6, 6) + uniform(-36, 0))
group('inv_Phi(x[1])', normal_quantile, probabilities(), floor=0.1)
group('inv_erfc(x[1])', lambda z: -normal_quantile(z / 2) / sqrt(2), [2 * p for p in probabilities()], floor=0.1)
group('std_normal_lcdf(x[1] | )', lambda x: log(mp.erfc(-x / sqrt(2)) / 2), uniform(-6, 6) + uniform(-36, 0) + [-100.0, -1000.0])
group('owens_t(x[1], x[2])', owen, uniform(-6, 6, 20), uniform(-3, 3, 12) + signed(-6, 0), digits=120)

# ---- gamma functions ----


def log_abs_gamma(x):
    return mp.loggamma(x) if x > 0 else log(abs(mp.gamma(x)))


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


below_zero = uniform(-8, 0) + [-x for x in powers(-6, 1)] + uniform(-60, 0)
group('lgamma(x[1])', log_abs_gamma, positives() + below_zero, floor=0.5)
group('digamma(x[1])', mp.digamma, positives() + below_zero, floor=0.5)
group('trigamma(x[1])', lambda x: mp.polygamma(1, x), uniform(0, 10) + powers(-12, 12) + below_zero, floor=1e-3)
group('tgamma(x[1])', mp.gamma, uniform(0, 170) + powers(-200, 0) + uniform(-15, 0), tolerance=2e-13, slope=1e-12)
group('lbeta(x[1], x[2])', log_beta, positives(), powers(-12, 12, 24), floor=0.5)
group('beta(x[1], x[2])', lambda a, b: exp(log_beta(a, b)), uniform(0, 10, 16), powers(-6, 2, 16), slope=5e-13)
chosen = powers(-3, 3, 16)
total = [k + r for k, r in zip(chosen, powers(-3, 10, 16))]
group('lchoose(x[1], x[2])', lambda n, k: mp.loggamma(n + 1) - mp.loggamma(n - k + 1) - mp.loggamma(k + 1), total, chosen, floor=0.1)
group('log_rising_factorial(x[1], x[2])', lambda x, n: mp.loggamma(x + n) - mp.loggamma(x), powers(-3, 8, 16), powers(-3, 3, 16), floor=0.1)
group('log_falling_factorial(x[1], x[2])', lambda x, n: mp.loggamma(x + 1) - mp.loggamma(x - n + 1), total, chosen, floor=0.1)
group('rising_factorial(x[1], 4)', lambda x: mp.rf(x, 4), uniform(-6, 6, 12), floor=0.1)
group('falling_factorial(x[1], 5)', lambda x: mp.ff(x, 5), uniform(-6, 6, 12), floor=0.1)
group('lmgamma(3, x[1])', lambda x: log(pi) * 3 / 2 + mp.loggamma(x) + mp.loggamma(x - mpf(0.5)) + mp.loggamma(x - 1), [1 + x for x in powers(-3, 6, 16)], floor=0.5)


def tails(shape):
    """Arguments around shape: near it and far away on both sides."""
    return shape * float(exp(rng.choice((-1, 1)) * 10.0 ** rng.uniform(-3, 0.9) / (sqrt(shape + 1) if rng.random() < 0.6 else 1)))


shapes = powers(-2, 4, 16) + uniform(0.1, 20, 16)
arguments = [tails(a) for a in shapes]
group('gamma_p(x[1], x[2])', lambda a, x: mp.gammainc(a, 0, x, regularized=True), shapes, arguments, tolerance=3e-13, slope=5e-13, floor=1e-280)
group('gamma_q(x[1], x[2])', lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), shapes, arguments, tolerance=3e-13, slope=5e-13, floor=1e-280)


def incomplete_beta(a, b, x):
    """The hypergeometric series of the smaller tail."""
    weight = a * log(x) + b * mp.log1p(-x) - log_beta(a, b)
    if x < (a + 1) / (a + b + 2):
        return exp(weight) / a * mp.hyp2f1(1, a + b, a + 1, x)
    return 1 - exp(weight) / b * mp.hyp2f1(1, a + b, b + 1, 1 - x)


first, second = powers(-1.5, 3, 12) + uniform(0.1, 20, 12), powers(-1.5, 3, 12) + uniform(0.1, 20, 12)
shares = []
for a, b in zip(first, second):
    odds = log(a / b) + rng.choice((-1, 1)) * 10.0 ** rng.uniform(-2, 0.8) * sqrt(1 / a + 1 / b if rng.random() < 0.6 else 1)
    shares.append(float(1 / (1 + exp(-odds))))
group('inc_beta(x[1], x[2], x[3])', incomplete_beta, first, second, shares, tolerance=3e-13, slope=1e-12, floor=1e-280, digits=120)

# ---- Bessel functions ----

for order in (0, 1, 2, 5, -3):
    group('bessel_first_kind(%d, x[1])' % order, lambda x, n=order: mp.besselj(n, x), uniform(0, 30, 6) + powers(0, 2.5, 4) + powers(-4, 0, 4), floor=0.03, digits=120)
    group('bessel_second_kind(%d, x[1])' % order, lambda x, n=order: mp.bessely(n, x), uniform(0, 30, 6) + powers(0, 2.5, 4) + powers(-4, 0, 4), floor=0.03, digits=120)
    group('modified_bessel_first_kind(%d, x[1])' % order, lambda x, n=order: mp.besseli(n, x), uniform(-20, 20, 6) + powers(-4, 2.5, 6), tolerance=2e-13, slope=2e-13, digits=120)
    group('modified_bessel_second_kind(%d, x[1])' % order, lambda x, n=order: mp.besselk(n, x), uniform(0, 20, 6) + powers(-4, 2.5, 6), digits=120)
group('log_modified_bessel_first_kind(x[1], x[2])', lambda v, z: log(mp.besseli(v, z)), uniform(-0.9, 5, 10) + powers(-3, 2, 10), powers(-4, 3.5, 20), tolerance=1e-12,
      slope=2e-12, floor=0.3, digits=120)
group('von_mises_lpdf(x[1] | 0, x[2])', lambda y, k: k * mp.cos(y) - log(2 * pi * mp.besseli(0, k)), uniform(-3, 3, 12), powers(-3, 4, 12), floor=0.3, slope=1e-12, digits=120)

# ---- inverses and series ----


def inverse_beta(a, b, p):
    """By bisection of the log odds and Newton's method."""
    low, high = mpf(-600), mpf(600)
    with mp.workdps(25):
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if incomplete_beta(a, b, logistic(middle)) < p else (low, middle)
    x = logistic((low + high) / 2)
    for _ in range(4):
        x -= (incomplete_beta(a, b, x) - p) / exp((a - 1) * log(x) + (b - 1) * mp.log1p(-x) - log_beta(a, b))
    return x


branch = [x - 0.36787944117144233 for x in powers(-10, -0.5)]
group('lambert_w0(x[1])', lambda x: mp.lambertw(x).real, branch + uniform(0, 10) + powers(0, 280), slope=2e-13, floor=1e-3, digits=120)
group('lambert_wm1(x[1])', lambda x: mp.lambertw(x, -1).real, [x for x in branch if x < -1e-3] + [-x for x in powers(-200, -0.5)], slope=2e-13, digits=120)
group('inv_inc_beta(x[1], x[2], x[3])', inverse_beta, uniform(0.3, 10, 8), uniform(0.3, 10, 8), uniform(0.02, 0.98, 8), tolerance=5e-13, slope=1e-12, digits=120)
group('hypergeometric_1F0(x[1], x[2])', lambda a, z: (1 - z) ** -a, uniform(-3, 3), uniform(-1, 1), digits=120)
group('hypergeometric_2F1(x[1], x[2], x[3], x[4])', mp.hyp2f1, uniform(-2, 3, 10), uniform(0.2, 3, 10), uniform(0.5, 4, 10), uniform(-4, 0, 5) + uniform(0, 0.9, 5), tolerance=1e-12,
      slope=1e-12, floor=1e-2, digits=120)
group('hypergeometric_3F2([x[1], x[2], 1.5]\', [x[3], 2.5]\', x[4])', lambda a, b, c, z: mp.hyper([a, b, mpf(1.5)], [c, mpf(2.5)], z), uniform(0.2, 3), uniform(0.2, 3),
      uniform(0.5, 4), uniform(-0.9, 0.9), tolerance=1e-12, slope=1e-12, floor=1e-2, digits=120)


# ---- the table ----

def slope(f, x, k):
    step = abs(x[k]) * STEP
    up, down = list(x), list(x)
    up[k] += step
    down[k] -= step
    return (f(*up) - f(*down)) / (2 * step)


def main():
    lines = []
    for expression, f, points, tolerance, slope_tolerance, floor, mp.mp.dps in groups:
        lines.append('= %s\t%g\t%g\t%g' % (expression, tolerance, slope_tolerance, floor))
        for point in points:
            x = [mpf(v) for v in point]
            numbers = [f(*x)] + [slope(f, x, k) for k in range(len(x))]
            if all(abs(v) < mpf(10) ** 300 and (v == 0 or abs(v) > mpf(10) ** -300) for v in numbers):
                lines.append('\t'.join([repr(v) for v in point] + [repr(float(v)) for v in numbers]))
    with open(os.path.join(HERE, 'special_values.tsv'), 'w') as out:
        out.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
