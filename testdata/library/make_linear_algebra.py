#!/usr/bin/env python3
"""Makes linear_algebra.json: functions of matrices and containers, their values and derivatives, with 50 digits.

make_linear_algebra.py     needs mpmath

Each case is a program of three parameters p from which the function's arguments are built, whose log density is a weighted sum of the function's
results; its points have x, the log density and its gradient. Values come from mpmath's algorithms or from definitions, never from formulas for
derivatives: those are central differences with a step of 1e-15, whose error is 1e-30.
"""
import json, os
import mpmath as mp
from mpmath import mpf, matrix, cos, sin, exp, sqrt, log

mp.mp.dps = 50
HERE = os.path.dirname(os.path.abspath(__file__))
POINTS = [[0.3, -0.4, 0.2], [-0.7, 0.5, 0.9], [0.05, 1.1, -0.6]]

# ---- arguments: Stan source and the same with mpmath; i and j count from 1 ----


def number(text):
    """A decimal number of the source, in double precision, as the program reads it."""
    return mpf(float(text))


def filled(m, n, element):
    return matrix([[element(i, j) for j in range(1, n + 1)] for i in range(1, m + 1)]) if m and n else matrix(m, n)


def general(m, n, shift=0):
    """A matrix with a strong diagonal."""
    c = number(0.7 + shift)
    code = 'matrix[%d, %d] NAME;\n  for (i in 1:%d) for (j in 1:%d) NAME[i, j] = cos(1.3 * i + %r * j + p[1]) + (i == j) * (2 + p[2]) + 0.1 * p[3] * i;' % (m, n, m, n, 0.7 + shift)
    return code, lambda p: filled(m, n, lambda i, j: cos(number(1.3) * i + c * j + p[0]) + (i == j) * (2 + p[1]) + number(0.1) * p[2] * i)


def positive(n):
    """A symmetric positive definite matrix, the covariance of a smooth process with noise."""
    code = 'matrix[%d, %d] NAME;\n  for (i in 1:%d) for (j in 1:%d) NAME[i, j] = exp(-0.3 * exp(p[1]) * square(i - j)) + (i == j) * 0.2 * exp(p[2]) + 0.1 * square(p[3]);' % (n, n, n, n)
    return code, lambda p: filled(n, n, lambda i, j: exp(-number(0.3) * exp(p[0]) * (i - j) ** 2) + (i == j) * number(0.2) * exp(p[1]) + number(0.1) * p[2] ** 2)


def lower(n):
    code = 'matrix[%d, %d] NAME;\n  for (i in 1:%d) for (j in 1:%d) NAME[i, j] = i == j ? exp(0.2 * cos(i + p[2])) : (i > j ? 0.3 * sin(2 * i + j + p[1]) * p[3] : 0);' % (n, n, n, n)
    return code, lambda p: filled(n, n, lambda i, j: exp(number(0.2) * cos(i + p[1])) if i == j else number(0.3) * sin(2 * i + j + p[0]) * p[2] if i > j else mpf(0))


def vector(n, kind='vector[%d]'):
    code = kind % n + ' NAME;\n  for (i in 1:%d) NAME[i] = sin(i + p[1]) + p[2] * cos(2 * i) + 0.1 * p[3];' % n
    return code, lambda p: matrix([sin(i + p[0]) + p[1] * cos(mpf(2 * i)) + number(0.1) * p[2] for i in range(1, n + 1)])


def positive_number(k):
    return 'real NAME = exp(0.3 * p[%d] - 0.1);' % k, lambda p: exp(number(0.3) * p[k - 1] - number(0.1))


def points(n):
    code = 'array[%d] real NAME;\n  for (i in 1:%d) NAME[i] = 0.8 * sin(3 * i) + 0.1 * i * p[3];' % (n, n)
    return code, lambda p: [number(0.8) * sin(mpf(3 * i)) + number(0.1) * i * p[2] for i in range(1, n + 1)]


def point_vectors(n, d):
    code = 'array[%d] vector[%d] NAME;\n  for (i in 1:%d) for (k in 1:%d) NAME[i, k] = 0.8 * sin(3 * i + k) + 0.1 * i * p[3];' % (n, d, n, d)
    return code, lambda p: [matrix([number(0.8) * sin(mpf(3 * i + k)) + number(0.1) * i * p[2] for k in range(1, d + 1)]) for i in range(1, n + 1)]


def scales(d):
    code = 'array[%d] real NAME;\n  for (k in 1:%d) NAME[k] = exp(0.3 * p[2] + 0.1 * k);' % (d, d)
    return code, lambda p: [exp(number(0.3) * p[1] + number(0.1) * k) for k in range(1, d + 1)]


def stochastic(n):
    """Rows that sum to 1."""
    code = 'matrix[%d, %d] NAME;\n  for (i in 1:%d) NAME[i] = softmax(to_vector(linspaced_array(%d, 0, 1)) * (p[1] + i) + p[2] * i)\';' % (n, n, n, n)
    return code, lambda p: matrix([softmax([mpf(j) / max(n - 1, 1) * (p[0] + i) + p[1] * i for j in range(n)] if n > 1 else [p[0]]) for i in range(1, n + 1)])


def simplex(n):
    code = 'vector[%d] NAME;\n  { vector[%d] raw;\n  for (i in 1:%d) raw[i] = sin(i + p[3]);\n  NAME = softmax(raw); }' % (n, n, n)
    return code, lambda p: column(softmax([sin(i + p[2]) for i in range(1, n + 1)]))


def integer(k):
    return 'int NAME = %d;' % k, lambda p: k


# ---- references ----


def elements(x):
    return [x[i, j] for j in range(x.cols) for i in range(x.rows)] if isinstance(x, mp.matrix) else list(x)


def column(values):
    return matrix([[v] for v in values])


def softmax(x):
    e = [exp(v) for v in x]
    return [v / mp.fsum(e) for v in e]


def solve(a, b):
    return mp.inverse(a) * b


def diag(v):
    return mp.diag(elements(v))


def trace(a):
    return mp.fsum(a[i, i] for i in range(a.rows))


def orthonormal(a):
    """Q and R of full column rank, by Gram and Schmidt: R's diagonal is positive."""
    m, n = a.rows, a.cols
    q, r = matrix(m, n), matrix(n, n)
    for j in range(n):
        v = a[:, j]
        for k in range(j):
            r[k, j] = (q[:, k].T * a[:, j])[0]
            v = v - r[k, j] * q[:, k]
        r[j, j] = mp.norm(v)
        q[:, j] = v / r[j, j]
    return q, r


def wide_r(a):
    """R of a matrix with more columns than rows."""
    q, r = orthonormal(a[:, : a.rows])
    return q.T * a


def eigen(a):
    w, v = mp.eigsy(a)
    return w, v


def projections(a, weight):
    """V diag(weight_1, weight_2, ...) V', which no sign changes."""
    w, v = eigen(a)
    return v * mp.diag([mpf(k) for k in weight]) * v.T


def singular(a):
    return mp.svd_r(a, compute_uv=False)


def singular_vectors(a, f):
    """U diag(f(s)) V'"""
    u, s, v = mp.svd_r(a)
    return u * mp.diag([f(x) for x in elements(s)]) * v


def pseudo_inverse(a):
    return mp.inverse(a.T * a) * a.T if a.rows >= a.cols else a.T * mp.inverse(a * a.T)


def mean(x):
    return mp.fsum(elements(x)) / len(elements(x))


def variance(x):
    return mp.fsum((v - mean(x)) ** 2 for v in elements(x)) / (len(elements(x)) - 1)


def distance(x, y, l=None):
    x, y = (elements(v) if isinstance(v, mp.matrix) else [v] for v in (x, y))
    return sqrt(mp.fsum(((a - b) / (l[k] if l else 1)) ** 2 for k, (a, b) in enumerate(zip(x, y))))


def kernel(f):
    """A covariance function of x [and y], sigma, l, ..."""
    def cov(x, *rest):
        y, rest = (rest[0], rest[1:]) if isinstance(rest[0], list) else (x, rest)
        sigma, l, rest = rest[0], rest[1], rest[2:]
        own = l if isinstance(l, list) else None
        return matrix([[sigma ** 2 * f(distance(a, b, own), 1 if own else l, *rest) for b in y] for a in x])
    return cov


exp_quad = kernel(lambda d, l: exp(-d * d / (2 * l * l)))
exponential = kernel(lambda d, l: exp(-d / l))
matern32 = kernel(lambda d, l: (1 + sqrt(mpf(3)) * d / l) * exp(-sqrt(mpf(3)) * d / l))
matern52 = kernel(lambda d, l: (1 + sqrt(mpf(5)) * d / l + 5 * d * d / (3 * l * l)) * exp(-sqrt(mpf(5)) * d / l))
periodic = kernel(lambda d, l, p: exp(-2 * sin(mp.pi * d / p) ** 2 / l ** 2))


def dot_cov(x, *rest):
    y, sigma = rest if len(rest) == 2 else (x, rest[0])
    inner = lambda a, b: (a.T * b)[0] if isinstance(a, mp.matrix) else a * b
    return matrix([[sigma ** 2 + inner(a, b) for b in y] for a in x])


def hmm(log_omega, gamma, rho):
    k, n = log_omega.rows, log_omega.cols
    a = [rho[i] * exp(log_omega[i, 0]) for i in range(k)]
    for t in range(1, n):
        a = [mp.fsum(a[i] * gamma[i, j] for i in range(k)) * exp(log_omega[j, t]) for j in range(k)]
    return log(mp.fsum(a))


# ---- cases: how the function is called, its arguments, the reference, the type of the result ----

CASES = []


def case(call, arguments, reference, result):
    CASES.append((call, arguments, reference, result))


for n in [1, 2, 3, 5, 8, 17, 33, 50, 70]:
    case('cholesky_decompose(A)', {'A': positive(n)}, lambda A: mp.cholesky(A), ('matrix', n, n))
for n in [1, 3, 9, 20, 40, 65]:
    case('mdivide_left_tri_low(L, b)', {'L': lower(n), 'b': vector(n)}, lambda L, b: solve(L, b), ('vector', n))
    case('mdivide_right_tri_low(b, L)', {'L': lower(n), 'b': vector(n, 'row_vector[%d]')}, lambda L, b: solve(L.T, b), ('row_vector', n))
for n in [2, 6, 35]:
    case('mdivide_left_tri_low(L, B)', {'L': lower(n), 'B': general(n, 3)}, lambda L, B: solve(L, B), ('matrix', n, 3))
    case('mdivide_right_tri_low(B, L)', {'L': lower(n), 'B': general(2, n)}, lambda L, B: B * mp.inverse(L), ('matrix', 2, n))
for n in [1, 2, 5, 12]:
    case('mdivide_left(A, b)', {'A': general(n, n), 'b': vector(n)}, lambda A, b: solve(A, b), ('vector', n))
    case('mdivide_right(b, A)', {'A': general(n, n), 'b': vector(n, 'row_vector[%d]')}, lambda A, b: solve(A.T, b), ('row_vector', n))
    case('A \\ B', {'A': general(n, n), 'B': general(n, 2, 0.2)}, lambda A, B: solve(A, B), ('matrix', n, 2))
    case('B / A', {'A': general(n, n), 'B': general(2, n, 0.2)}, lambda A, B: B * mp.inverse(A), ('matrix', 2, n))
    case('mdivide_left_spd(A, b)', {'A': positive(n), 'b': vector(n)}, lambda A, b: solve(A, b), ('vector', n))
    case('mdivide_left_spd(A, B)', {'A': positive(n), 'B': general(n, 2)}, lambda A, B: solve(A, B), ('matrix', n, 2))
    case('mdivide_right_spd(b, A)', {'A': positive(n), 'b': vector(n, 'row_vector[%d]')}, lambda A, b: solve(A, b), ('row_vector', n))
    case('mdivide_right_spd(B, A)', {'A': positive(n), 'B': general(2, n)}, lambda A, B: B * mp.inverse(A), ('matrix', 2, n))
    case('inverse(A)', {'A': general(n, n)}, mp.inverse, ('matrix', n, n))
    case('inverse_spd(A)', {'A': positive(n)}, mp.inverse, ('matrix', n, n))
    case('chol2inv(L)', {'L': lower(n)}, lambda L: mp.inverse(L * L.T), ('matrix', n, n))
    case('determinant(A)', {'A': general(n, n)}, mp.det, ('real',))
    case('log_determinant(A)', {'A': general(n, n)}, lambda A: log(abs(mp.det(A))), ('real',))
    case('log_determinant_spd(A)', {'A': positive(n)}, lambda A: log(mp.det(A)), ('real',))
for m, n in [(1, 1), (3, 2), (2, 4)]:
    case('crossprod(A)', {'A': general(m, n)}, lambda A: A.T * A, ('matrix', n, n))
    case('tcrossprod(A)', {'A': general(m, n)}, lambda A: A * A.T, ('matrix', m, m))
    case('multiply_lower_tri_self_transpose(A)', {'A': general(m, n)}, lambda A: (lambda T: T * T.T)(filled(A.rows, A.cols, lambda i, j: A[i - 1, j - 1] if i >= j else mpf(0))), ('matrix', m, m))
    case('quad_form(A, B)', {'A': general(m, m), 'B': general(m, n, 0.2)}, lambda A, B: B.T * A * B, ('matrix', n, n))
    case('quad_form_sym(A, B)', {'A': positive(m), 'B': general(m, n)}, lambda A, B: B.T * A * B, ('matrix', n, n))
    case('trace_quad_form(A, B)', {'A': general(m, m), 'B': general(m, n, 0.2)}, lambda A, B: trace(B.T * A * B), ('real',))
    case('trace_gen_quad_form(D, A, B)', {'D': general(n, n, 0.4), 'A': general(m, m), 'B': general(m, n, 0.2)}, lambda D, A, B: trace(D * B.T * A * B), ('real',))
    case('trace(A)', {'A': general(m, m)}, trace, ('real',))
    case('trace_dot(A, B)', {'A': general(m, n), 'B': general(n, m, 0.2)}, lambda A, B: trace(A * B), ('real',))
    case('diag_pre_multiply(b, A)', {'b': vector(m), 'A': general(m, n)}, lambda b, A: diag(b) * A, ('matrix', m, n))
    case('diag_post_multiply(A, b)', {'A': general(m, n), 'b': vector(n)}, lambda A, b: A * diag(b), ('matrix', m, n))
    case('columns_dot_product(A, B)', {'A': general(m, n), 'B': general(m, n, 0.2)}, lambda A, B: [(A[:, j].T * B[:, j])[0] for j in range(A.cols)], ('row_vector', n))
    case('rows_dot_product(A, B)', {'A': general(m, n), 'B': general(m, n, 0.2)}, lambda A, B: [(A[i, :] * B[i, :].T)[0] for i in range(A.rows)], ('vector', m))
    case('rows_dot_self(A)', {'A': general(m, n)}, lambda A: [(A[i, :] * A[i, :].T)[0] for i in range(A.rows)], ('vector', m))
    case('columns_dot_self(A)', {'A': general(m, n)}, lambda A: [(A[:, j].T * A[:, j])[0] for j in range(A.cols)], ('row_vector', n))
    case('log_sum_exp(A)', {'A': general(m, n)}, lambda A: log(mp.fsum(exp(x) for x in elements(A))), ('real',))
    case('mean(A)', {'A': general(m, n)}, mean, ('real',))
for n in [1, 2, 4]:
    case('quad_form(A, b)', {'A': general(n, n), 'b': vector(n)}, lambda A, b: (b.T * A * b)[0], ('real',))
    case('quad_form_sym(A, b)', {'A': positive(n), 'b': vector(n)}, lambda A, b: (b.T * A * b)[0], ('real',))
    case('quad_form_diag(A, b)', {'A': general(n, n), 'b': vector(n)}, lambda A, b: diag(b) * A * diag(b), ('matrix', n, n))
    case('trace_quad_form(A, b)', {'A': general(n, n), 'b': vector(n)}, lambda A, b: (b.T * A * b)[0], ('real',))
    case('diag_matrix(b)', {'b': vector(n)}, diag, ('matrix', n, n))
    case('diagonal(A)', {'A': general(n, n + 1)}, lambda A: [A[i, i] for i in range(A.rows)], ('vector', n))
    case('add_diag(A, b)', {'A': general(n, n), 'b': vector(n)}, lambda A, b: A + diag(b), ('matrix', n, n))
    case('add_diag(A, s)', {'A': general(n, n), 's': positive_number(1)}, lambda A, s: A + s * mp.eye(A.rows), ('matrix', n, n))
    case('symmetrize_from_lower_tri(A)', {'A': general(n, n)}, lambda A: filled(A.rows, A.rows, lambda i, j: A[max(i, j) - 1, min(i, j) - 1]), ('matrix', n, n))
    for k in [0, 1, 3, 7]:
        case('matrix_power(A, k)', {'A': general(n, n), 'k': integer(k)}, lambda A, k: A ** k, ('matrix', n, n))
    case('matrix_exp(A)', {'A': general(n, n)}, lambda A: mp.expm(A, method='taylor'), ('matrix', n, n))
    case('matrix_exp(10 * A)', {'A': general(n, n)}, lambda A: mp.expm(10 * A, method='taylor'), ('matrix', n, n))
    case('matrix_exp_multiply(A, B)', {'A': general(n, n), 'B': general(n, 2, 0.2)}, lambda A, B: mp.expm(A, method='taylor') * B, ('matrix', n, 2))
    case('scale_matrix_exp_multiply(s, A, B)', {'s': positive_number(2), 'A': general(n, n), 'B': general(n, 2, 0.2)}, lambda s, A, B: mp.expm(s * A, method='taylor') * B, ('matrix', n, 2))
    case('norm1(b)', {'b': vector(n)}, lambda b: mp.fsum(abs(x) for x in elements(b)), ('real',))
    case('norm2(b)', {'b': vector(n)}, mp.norm, ('real',))
    case('distance(b, c)', {'b': vector(n), 'c': simplex(n)}, distance, ('real',))
    case('squared_distance(b, c)', {'b': vector(n), 'c': simplex(n)}, lambda b, c: distance(b, c) ** 2, ('real',))
    case('dot_self(b)', {'b': vector(n)}, lambda b: mp.norm(b) ** 2, ('real',))
    case('log_sum_exp(b)', {'b': vector(n)}, lambda b: log(mp.fsum(exp(x) for x in elements(b))), ('real',))
    case('softmax(b)', {'b': vector(n)}, lambda b: softmax(elements(b)), ('vector', n))
    case('log_softmax(b)', {'b': vector(n)}, lambda b: [log(x) for x in softmax(elements(b))], ('vector', n))
    case('log_mix(t, b)', {'t': simplex(n), 'b': vector(n)}, lambda t, b: log(mp.fsum(t[k] * exp(b[k]) for k in range(len(t)))), ('real',))
    case('mean(b)', {'b': vector(n)}, mean, ('real',))
    case('cumulative_sum(b)', {'b': vector(n)}, lambda b: [mp.fsum(elements(b)[: k + 1]) for k in range(b.rows)], ('vector', n))
for n in [2, 5]:
    case('variance(b)', {'b': vector(n)}, variance, ('real',))
    case('sd(b)', {'b': vector(n)}, lambda b: sqrt(variance(b)), ('real',))
    case('variance(A)', {'A': general(n, 2)}, variance, ('real',))
    case('sd(A)', {'A': general(n, 2)}, lambda A: sqrt(variance(A)), ('real',))
    case('log_mix(t, {b, 2 * b, c})', {'t': simplex(n), 'b': vector(n), 'c': vector(n)}, lambda t, b, c: mp.fsum(log(mp.fsum(t[k] * exp(f * b[k]) for k in range(len(t)))) for f in (1, 2, 1)), ('real',))
for n in [1, 2, 3, 4, 7]:
    case('eigenvalues_sym(A)', {'A': positive(n)}, lambda A: elements(eigen(A)[0]), ('vector', n))
    case('diag_post_multiply(eigenvectors_sym(A), linspaced_vector(%d, 1, 3)) * eigenvectors_sym(A)\'' % n, {'A': positive(n)}, lambda A, n=n: projections(A, [3] if n == 1 else [1 + mpf(2 * k) / (n - 1) for k in range(n)]), ('matrix', n, n))
for m, n in [(1, 1), (3, 3), (4, 3), (3, 5), (4, 4)]:
    k = min(m, n)
    case('singular_values(A)', {'A': general(m, n)}, lambda A: elements(singular(A)), ('vector', k))
    case('diag_post_multiply(svd_U(A), square(singular_values(A))) * svd_V(A)\'', {'A': general(m, n)}, lambda A: singular_vectors(A, lambda s: s * s), ('matrix', m, n))
    case('generalized_inverse(A)', {'A': general(m, n)}, pseudo_inverse, ('matrix', n, m))
    case('qr_thin_Q(A)', {'A': general(m, n)}, lambda A: orthonormal(A[:, : min(A.rows, A.cols)])[0], ('matrix', m, k))
    case('qr_R(A)', {'A': general(m, n)}, lambda A: wide_r(A) if A.rows < A.cols else mp.matrix(orthonormal(A)[1].tolist() + [[0] * A.cols] * (A.rows - A.cols)), ('matrix', m, n))
    case('qr_Q(A) * qr_R(A)', {'A': general(m, n)}, lambda A: A, ('matrix', m, n))
for name, f in [('exp_quad', exp_quad), ('exponential', exponential), ('matern32', matern32), ('matern52', matern52)]:
    s, l = {'s': positive_number(1)}, {'l': positive_number(2)}
    case('gp_%s_cov(x, s, l)' % name, {'x': points(4), **s, **l}, f, ('matrix', 4, 4))
    case('gp_%s_cov(x, y, s, l)' % name, {'x': points(2), 'y': points(4), **s, **l}, f, ('matrix', 2, 4))
    case('gp_%s_cov(x, s, l)' % name, {'x': point_vectors(3, 2), **s, **l}, f, ('matrix', 3, 3))
    case('gp_%s_cov(x, y, s, l)' % name, {'x': point_vectors(4, 2), 'y': point_vectors(2, 2), **s, **l}, f, ('matrix', 4, 2))
    case('gp_%s_cov(x, s, l)' % name, {'x': point_vectors(3, 2), **s, 'l': scales(2)}, f, ('matrix', 3, 3))
    case('gp_%s_cov(x, y, s, l)' % name, {'x': point_vectors(3, 1), 'y': point_vectors(5, 1), **s, 'l': scales(1)}, f, ('matrix', 3, 5))
case('gp_periodic_cov(x, s, l, q)', {'x': points(4), **s, **l, 'q': positive_number(3)}, periodic, ('matrix', 4, 4))
case('gp_periodic_cov(x, y, s, l, q)', {'x': point_vectors(2, 2), 'y': point_vectors(3, 2), **s, **l, 'q': positive_number(3)}, periodic, ('matrix', 2, 3))
case('gp_dot_prod_cov(x, s)', {'x': points(3), **s}, dot_cov, ('matrix', 3, 3))
case('gp_dot_prod_cov(x, y, s)', {'x': point_vectors(2, 3), 'y': point_vectors(4, 3), **s}, dot_cov, ('matrix', 2, 4))
for k, n in [(1, 3), (2, 1), (3, 7)]:
    case('hmm_marginal(w, g, r)', {'w': general(k, n), 'g': stochastic(k), 'r': simplex(k)}, hmm, ('real',))
case('csr_matrix_times_vector(3, 4, w, {1, 4, 2, 3, 4}, {1, 3, 3, 6}, b)', {'w': vector(5), 'b': vector(4)}, lambda w, b: [w[0] * b[0] + w[1] * b[3], mpf(0), w[2] * b[1] + w[3] * b[2] + w[4] * b[3]], ('vector', 3))


# ---- programs and their values ----


def program(call, arguments, result):
    declared = ''.join('  %s\n' % code.replace('NAME', name) for name, (code, _) in arguments.items())
    if result[0] == 'real':
        add = '  target += %s;\n' % call
    else:
        sizes = ', '.join(map(str, result[1:]))
        loops = ''.join('  for (%s in 1:%d)\n' % (v, size) for v, size in zip('ij', result[1:]))
        weighted = 'r[i] * cos(i)' if len(result) == 2 else 'r[i, j] * cos(i + 1.7 * j)'
        add = '  %s[%s] r = %s;\n%s    target += %s;\n' % (result[0], sizes, call, loops, weighted)
    return 'parameters {\n  vector[3] p;\n}\nmodel {\n%s%s}\n' % (declared, add)


def density(arguments, reference, result, p):
    r = reference(*(build(p) for _, build in arguments.values()))
    if result[0] == 'real':
        return r
    if result[0] == 'matrix':
        return mp.fsum(r[i - 1, j - 1] * cos(i + number(1.7) * j) for i in range(1, result[1] + 1) for j in range(1, result[2] + 1))
    return mp.fsum(x * cos(mpf(i + 1)) for i, x in enumerate(elements(r)))


def main():
    out = []
    for call, arguments, reference, result in CASES:
        values = []
        for x in POINTS if max(result[1:], default=0) < 30 else POINTS[:1]:
            p = [number(v) for v in x]
            at = lambda k, h: density(arguments, reference, result, [v + h * (i == k) for i, v in enumerate(p)])
            h = mpf(10) ** -15
            gradient = [float((at(k, h) - at(k, -h)) / (2 * h)) for k in range(3)]
            values.append({'x': x, 'log_density': float(at(0, 0)), 'gradient': gradient})
        out.append({'name': call, 'program': program(call, arguments, result), 'points': values})
        print(call, *result, flush=True)
    with open(os.path.join(HERE, 'linear_algebra.json'), 'w') as f:
        f.write('[\n' + ',\n'.join(json.dumps(c) for c in out) + '\n]\n')


if __name__ == '__main__':
    main()
