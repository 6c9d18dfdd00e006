#!/usr/bin/env python3
"""Makes transforms.json: constrained parameters and their log Jacobians, with 50 digits.

make_transforms.py     needs mpmath

Each case is a program of one constrained parameter x, whose log density is a weighted sum of its elements; with the logarithm of the transform's
Jacobian. Points have the free values as x. Transforms are written here element by element, as the reference manual defines them; a Jacobian is the
determinant of central differences (of the elements of x that determine it), or, where a transform's is a convention, that.
"""
import json, os
import mpmath as mp
from mpmath import mpf, matrix, cos, exp, log, sqrt, tanh

mp.mp.dps = 50
HERE = os.path.dirname(os.path.abspath(__file__))


def bound(x, lower=None, upper=None):
    if lower is None and upper is None:
        return x
    if upper is None:
        return exp(x) + lower
    if lower is None:
        return upper - exp(x)
    return lower + (upper - lower) / (1 + exp(-x))


def ordered(y, positive=False):
    x = [exp(y[0]) if positive else y[0]]
    for v in y[1:]:
        x.append(x[-1] + exp(v))
    return x


def zero_sum(y):
    """Orthonormal columns: k times 1 / sqrt(k (k + 1)), then -k / sqrt(k (k + 1))."""
    n = len(y)
    x = [mpf(0)] * (n + 1)
    for k in range(1, n + 1):
        w = y[k - 1] / sqrt(mpf(k) * (k + 1))
        for i in range(k):
            x[i] += w
        x[k] -= k * w
    return x


def simplex(y):
    e = [exp(v) for v in zero_sum(y)]
    return [v / mp.fsum(e) for v in e]


def zero_sum_basis(n):
    """Of matrices: column k has -1 / sqrt(k (k + 1)) before row k and in the last, k / sqrt(k (k + 1)) in row k."""
    g = matrix(n, n - 1)
    for k in range(1, n):
        w = 1 / sqrt(mpf(k) * (k + 1))
        for i in range(1, n + 1):
            g[i - 1, k - 1] = k * w if i == k else -w if i < k or i == n else 0
    return g


def zero_sum_matrix(y, n, m):
    free = matrix(n - 1, m - 1)
    for j in range(m - 1):
        for i in range(n - 1):
            free[i, j] = y[j * (n - 1) + i]
    return zero_sum_basis(n) * free * zero_sum_basis(m).T


def corr_factor(y, n, by_columns):
    """Partial correlations tanh(y) below the diagonal, by rows or by columns."""
    places = [(i, j) for j in range(n) for i in range(j + 1, n)] if by_columns else [(i, j) for i in range(n) for j in range(i)]
    z = {place: tanh(v) for place, v in zip(places, y)}
    l = matrix(n, n)
    for i in range(n):
        left = mpf(1)
        for j in range(i):
            l[i, j] = z[i, j] * sqrt(left)
            left -= l[i, j] ** 2
        l[i, i] = sqrt(left)
    return l


def cov_factor(y, m, n):
    l, k = matrix(m, n), 0
    for i in range(m):
        for j in range(min(i + 1, n)):
            l[i, j] = exp(y[k]) if i == j else y[k]
            k += 1
    return l


def columns(x):
    """A matrix as a list, column by column."""
    return [x[i, j] for j in range(x.cols) for i in range(x.rows)]


def below(x, strict):
    return [x[i, j] for j in range(x.cols) for i in range(j + strict, x.rows)]


def determinant(f):
    """The log |det| of f's derivatives."""
    def jacobian(y):
        n, h = len(y), mpf(10) ** -15
        d = matrix(n, n)
        for k in range(n):
            up, down = (f([v + s * (i == k) for i, v in enumerate(y)]) for s in (h, -h))
            for i in range(n):
                d[i, k] = (up[i] - down[i]) / (2 * h)
        return log(abs(mp.det(d)))
    return jacobian


def none(y):
    return mpf(0)


# Declared type, number of free values, all elements of x (column by column), log Jacobian, whether x is a matrix of so many rows.
CASES = [
    ('real x', 1, lambda y: y, none, 0),
    ('vector<lower=-0.5>[2] x', 2, lambda y: [bound(v, mpf(-0.5)) for v in y], determinant(lambda y: [bound(v, mpf(-0.5)) for v in y]), 0),
    ('vector<upper=2>[2] x', 2, lambda y: [bound(v, None, 2) for v in y], determinant(lambda y: [bound(v, None, 2) for v in y]), 0),
    ('vector<lower=-1, upper=2>[2] x', 2, lambda y: [bound(v, -1, 2) for v in y], determinant(lambda y: [bound(v, -1, 2) for v in y]), 0),
    ('vector<lower=[negative_infinity(), 1, negative_infinity(), 0]\', upper=[3, positive_infinity(), positive_infinity(), 1]\'>[4] x', 4,
     lambda y: [bound(y[0], None, 3), bound(y[1], 1), y[2], bound(y[3], 0, 1)], determinant(lambda y: [bound(y[0], None, 3), bound(y[1], 1), y[2], bound(y[3], 0, 1)]), 0),
    ('vector<offset=1.5, multiplier=3>[2] x', 2, lambda y: [mpf(1.5) + 3 * v for v in y], determinant(lambda y: [mpf(1.5) + 3 * v for v in y]), 0),
    ('ordered[3] x', 3, ordered, determinant(ordered), 0),
    ('positive_ordered[3] x', 3, lambda y: ordered(y, True), determinant(lambda y: ordered(y, True)), 0),
    ('simplex[4] x', 3, simplex, determinant(simplex), 0),
    ('simplex[1] x', 0, lambda y: [mpf(1)], none, 0),
    ('sum_to_zero_vector[4] x', 3, zero_sum, none, 0),
    ('sum_to_zero_matrix[3, 4] x', 6, lambda y: columns(zero_sum_matrix(y, 3, 4)), none, 3),
    ('unit_vector[3] x', 3, lambda y: [v / sqrt(mp.fsum(w * w for w in y)) for v in y], lambda y: -mp.fsum(v * v for v in y) / 2, 0),
    ('cholesky_factor_corr[4] x', 6, lambda y: columns(corr_factor(y, 4, False)), determinant(lambda y: below(corr_factor(y, 4, False), 1)), 4),
    ('cholesky_factor_corr[1] x', 0, lambda y: [mpf(1)], none, 1),
    ('corr_matrix[4] x', 6, lambda y: columns(corr_factor(y, 4, True) * corr_factor(y, 4, True).T), determinant(lambda y: below(corr_factor(y, 4, True) * corr_factor(y, 4, True).T, 1)), 4),
    ('cholesky_factor_cov[3] x', 6, lambda y: columns(cov_factor(y, 3, 3)), determinant(lambda y: below(cov_factor(y, 3, 3), 0)), 3),
    ('cholesky_factor_cov[4, 2] x', 7, lambda y: columns(cov_factor(y, 4, 2)), determinant(lambda y: below(cov_factor(y, 4, 2), 0)), 4),
    ('cov_matrix[3] x', 6, lambda y: columns(cov_factor(y, 3, 3) * cov_factor(y, 3, 3).T), determinant(lambda y: below(cov_factor(y, 3, 3) * cov_factor(y, 3, 3).T, 0)), 3),
    ('column_stochastic_matrix[3, 2] x', 4, lambda y: simplex(y[:2]) + simplex(y[2:]), lambda y: determinant(simplex)(y[:2]) + determinant(simplex)(y[2:]), 3),
    ('row_stochastic_matrix[2, 3] x', 4, lambda y: [v for pair in zip(simplex([y[0], y[2]]), simplex([y[1], y[3]])) for v in pair],
     lambda y: determinant(simplex)([y[0], y[2]]) + determinant(simplex)([y[1], y[3]]), 2),
]


def program(declared, rows):
    vector = 'x' if declared.startswith('real') else 'to_vector(x)' if rows else 'x'
    size = 'sum(weights .* %s)' % vector if not declared.startswith('real') else 'x * cos(1)'
    weights = '' if declared.startswith('real') else '  vector[size(x)] weights = cos(linspaced_vector(size(x), 1, size(x)));\n'
    return 'parameters {\n  %s;\n}\nmodel {\n%s  target += %s;\n}\n' % (declared, weights, size)


def density(f, jacobian, y):
    return mp.fsum(v * cos(mpf(k + 1)) for k, v in enumerate(f(y))) + jacobian(y)


def main():
    out = []
    for declared, size, f, jacobian, rows in CASES:
        points = []
        for shift in (0, 1, 2):
            x = [round(float(mp.sin(3 * k + 2 * shift)) * (0.5 + 0.6 * shift), 3) for k in range(size)]
            y, h = [mpf(v) for v in x], mpf(10) ** -8
            at = lambda k, s: density(f, jacobian, [v + s * (i == k) for i, v in enumerate(y)])
            # differences of the determinants, themselves of differences with a step of 1e-15, in fourth order
            gradient = [float((8 * (at(k, h) - at(k, -h)) - (at(k, 2 * h) - at(k, -2 * h))) / (12 * h)) for k in range(size)]
            points.append({'x': x, 'log_density': float(density(f, jacobian, y)), 'gradient': gradient})
        out.append({'name': declared, 'program': program(declared, rows), 'points': points})
    with open(os.path.join(HERE, 'transforms.json'), 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(c) for c in out) + '\n]\n')


if __name__ == '__main__':
    main()
