#!/usr/bin/env python3
"""Simulation-based calibration of the sampler.

bench/calibration.py [--build FOLDER] [--only PROGRAM,...] [--simulations N] [--seed N] [--quantities] [-o TABLE.md]

Parameters are drawn from a program's prior, data from its likelihood, and a posterior is sampled for the data. The true value's rank among L
posterior draws that are nearly independent is then uniform on 0, ..., L, if the program's density, its transforms, their Jacobians and the sampler
are right (Talts, Betancourt, Simpson, Vehtari and Gelman 2018). Ranks are taken of every element of every parameter, and of the log likelihood, without
which a sampler that never looks at the data would pass (Modrak et al. 2023).

A program is testdata/NAME/model.stan, or testdata/calibration/NAME/model.stan where there is one. In testdata/calibration/NAME, simulate.stan draws parameters
and data, and quantities.stan computes what else is ranked. The simulator's outputs go by their names: those that the sampler has as inputs are data,
those that it has as outputs are true values. What is not simulated, as sizes and predictors, comes from data.json
(there, too, where the program's own is large for a loop over data whose sizes are inputs). The program becomes one model whose data
are inputs, and one session of it samples for all simulations, each in one call.

Uniformity is tested by chi-square over BINS bins, and by the largest departure of the ranks' distribution function from the uniform's, each point measured
by its binomial probability (gamma of Sailynoja, Buerkner and Vehtari 2022; its distribution by simulation). Printed are the least p-values of a program and
where they are. The exit status is 1 if one is below ALPHA over the number of all tests, so that a right build fails with a probability of at most
ALPHA, or if a chain found no start, or a draw or a true value is not finite. Seeds are fixed: equal builds have equal results.

"least ESS" is how many independent draws the L are worth in the worst quantity (median over simulations); were it far below L, ranks would pile up at the ends.
"""
import argparse, json, math, os, subprocess, sys, tempfile, time

import numpy as np, onnxruntime as ort

from posteriors import effective_size

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CHAINS, WARMUP = 2, 200
L, BINS = 50, 17       # L + 1 ranks, three to a bin
ALPHA = 0.01
NULL = 200000          # simulations of the statistic gamma under uniformity
BARS = '▁▂▃▄▅▆▇█'
# Every so many iterations are kept.
THIN = {'hierarchical_schools': 4, 'regression_linear': 4, 'glm_logistic': 3, 'irt_rasch': 3, 'ordinal_logistic': 3, 'mixture_two': 8,
        'mixture_zero_inflated': 4, 'hmm_forward': 4, 'gp_regression': 4, 'series_ar': 4, 'constrained': 4, 'covariance': 4}
SLOW = {'hmm_forward'}  # run with --only


class Model:
    """a program as an ONNX model, in a session"""

    def __init__(self, build, program, emit):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, emit + '.onnx')
            subprocess.run([os.path.join(build, 'stan2onnx'), program, '--emit', emit, '-o', path], check=True)
            options = ort.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = 1, 3
            self.session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
        self.types = {i.name: np.int64 if 'int64' in i.type else float for i in self.session.get_inputs()}
        # of a point's rows; any where it depends on the data
        self.width = next((i.shape[1] for i in self.session.get_inputs() if i.name == 'init' and isinstance(i.shape[1], int)), 0)
        self.outputs = [o.name for o in self.session.get_outputs()]

    def run(self, values, outputs=None):
        """outputs by name; of the values, those that are inputs are used"""
        outputs = outputs or self.outputs
        return dict(zip(outputs, self.session.run(outputs, {n: np.asarray(values[n], t) for n, t in self.types.items()})))


def program_files(name):
    """model, simulator, quantities, data"""
    beside, own = os.path.join(ROOT, 'testdata', 'calibration', name), os.path.join(ROOT, 'testdata', name)
    ours = lambda file: os.path.join(beside if os.path.exists(os.path.join(beside, file)) else own, file)
    return ours('model.stan'), ours('simulate.stan'), ours('quantities.stan'), ours('data.json')


def elements(values):
    """values [draw, dims...] by name as columns: {name of an element: [draw]}"""
    result = {}
    for name, x in values.items():
        for index in np.ndindex(x.shape[1:]):
            result[name + ('[%s]' % ','.join(str(i + 1) for i in index) if index else '')] = x[(slice(None), *index)]
    return result


def worth_ranking(true):
    """names of elements that vary and are not another's mirror image in a symmetric matrix"""
    names = []
    for name, x in true.items():
        if np.ptp(x) > 0 and not any(np.allclose(x, true[other], rtol=1e-12, atol=0) for other in names): names.append(name)
    return names


class Calibration:
    """the ranks of one program's quantities: {name: [simulation]}"""

    def __init__(self, build, name, simulations, seed, files=None):
        model, simulator, quantities, data = files or program_files(name)
        start = time.perf_counter()
        self.name, self.thin = name, THIN.get(name, 4)
        self.sampler = Model(build, model, 'sample')
        self.quantities = Model(build, quantities, 'generate')
        with open(data) as f: self.given = json.load(f)
        drawn = Model(build, simulator, 'generate').run(self.given | {'prng_state': [seed, 0], 'draw_count': simulations})
        self.data = {n: x for n, x in drawn.items() if n in self.sampler.types}
        self.true = {n: x for n, x in drawn.items() if n in self.sampler.outputs}
        self.random = np.random.default_rng(seed)
        self.bad, self.divergent, self.ranks, sizes = 0, 0, {}, []
        ranked = worth_ranking(elements(self.true))
        for i in range(simulations):
            true, draws = self.simulation(i, seed)
            ranked_now = ranked + [n for n in true if n not in ranked and n.split('[')[0] in self.quantities.outputs]
            for n in ranked_now: self.ranks.setdefault(n, []).append(self.rank(true[n], draws[n].reshape(-1)))
            sizes.append([effective_size(draws[n]) for n in ranked_now])
        # a draw of a quantity that does not move at all has no effective size
        self.ess = float(np.median(np.nan_to_num(sizes), axis=0).min())
        self.seconds = time.perf_counter() - start

    def simulation(self, i, seed):
        """true values, and draws [chain, draw], of every element"""
        data = self.given | {n: x[i] for n, x in self.data.items()}
        kept = -(-L // CHAINS)
        inputs = data | {'prng_state': [seed + 1, i], 'chains': CHAINS, 'warmup': WARMUP, 'samples': kept * self.thin, 'iterations': WARMUP + kept * self.thin,
                         'settings': [0.8, 10, 1, 2], 'init': np.zeros((0, self.sampler.width)), 'sampler_state': np.zeros((0, 0)),
                         'sampler_keys': np.zeros((0, 2))}
        result = self.sampler.run(inputs, [*self.true, 'divergent__', 'status'])
        self.divergent += result['divergent__'][:, WARMUP:].mean()
        draws = {n: result[n][:, WARMUP + self.thin - 1::self.thin].reshape(-1, *result[n].shape[2:]) for n in self.true}
        true = {n: x[i:i + 1] for n, x in self.true.items()}
        both = {n: np.concatenate([true[n], draws[n]]) for n in draws}
        both = elements(both | self.quantities.run(data | both))
        if result['status'].any() or not all(np.isfinite(x).all() for x in both.values()): self.bad += 1
        return {n: x[0] for n, x in both.items()}, {n: x[1:].reshape(CHAINS, -1) for n, x in both.items()}

    def rank(self, true, draws):
        """among L draws; ties are broken at random"""
        draws = draws[-L:]
        return int((draws < true).sum() + self.random.integers((draws == true).sum() + 1))


def chi_square_p(counts):
    """of as many draws from a uniform distribution over an odd number of cells"""
    x = ((counts - counts.mean()) ** 2).sum() / counts.mean() / 2
    return min(1.0, math.exp(-x) * sum(x ** k / math.factorial(k) for k in range((len(counts) - 1) // 2)))


class Gamma:
    """the statistic gamma of n ranks, and its p-value"""

    def __init__(self, n):
        k = np.arange(n + 1)
        choose = np.array([math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k])
        z = np.arange(1, L + 1)[:, None] / (L + 1)
        cdf = np.cumsum(np.exp(choose + k * np.log(z) + (n - k) * np.log1p(-z)), axis=1)
        below = np.concatenate([np.zeros((L, 1)), cdf[:, :-1]], axis=1)
        self.tail = 2 * np.minimum(cdf, 1 - below)  # of the number of ranks below each of 1, ..., L
        random = np.random.default_rng(0)
        self.null = np.sort(np.concatenate([self.statistic(random.multinomial(n, np.full(L + 1, 1 / (L + 1)), size=NULL // 10)) for _ in range(10)]))

    def statistic(self, counts):
        return self.tail[np.arange(L), np.cumsum(counts, axis=1)[:, :L]].min(axis=1)

    def p(self, counts):
        return (1 + np.searchsorted(self.null, self.statistic(counts[None])[0] * (1 + 1e-12), 'right')) / (1 + len(self.null))


def uniformity(calibration, gamma):
    """{name: (p of chi-square, p of gamma, histogram)}"""
    result = {}
    for name, ranks in calibration.ranks.items():
        counts = np.bincount(ranks, minlength=L + 1)
        bins = counts.reshape(BINS, -1).sum(axis=1)
        result[name] = chi_square_p(bins), gamma.p(counts), bins
    return result


def bars(bins):
    return ''.join(BARS[min(len(BARS) - 1, int(b * len(BARS) / 2 / bins.mean()))] for b in bins)


def main(arguments=None):
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--build', default=os.path.join(ROOT, 'build'))
    a.add_argument('--only', help='names of programs, separated by commas')
    a.add_argument('--simulations', type=int, default=300)
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--quantities', action='store_true', help='a line, with the histogram of the ranks, for each quantity')
    a.add_argument('-o', '--output')
    a = a.parse_args(arguments)
    names = a.only.split(',') if a.only else [n for n in THIN if n not in SLOW]
    unknown = [n for n in names if n not in THIN]
    if unknown: sys.exit('no such program: ' + ', '.join(unknown))
    lines, tests, failures = [], [], 0

    def show(line):
        lines.append(line)
        print(line, flush=True)

    gamma = Gamma(a.simulations)
    show('| program | simulations | quantities | least ESS of %d | divergent | least p, chi-square | least p, ECDF | s |\n|---|---:|---:|---:|---:|---|---|---:|' % L)
    for name in names:
        c = Calibration(a.build, name, a.simulations, a.seed)
        results = uniformity(c, gamma)
        least = [min((r[k], n) for n, r in results.items()) for k in (0, 1)]
        tests += [(r[k], '%s, %s' % (name, n)) for n, r in results.items() for k in (0, 1)]
        show('| %s | %d | %d | %.0f | %.1f %% | %.2g (%s) | %.2g (%s) | %.0f |' % (name, a.simulations, len(results), c.ess, 100 * c.divergent / a.simulations,
                                                                          *least[0], *least[1], c.seconds))
        if c.bad:
            failures += 1
            show('| %s | simulations without a start or with values that are not finite: %d |' % (name, c.bad))
        if a.quantities:
            for n, (chi, ecdf, bins) in results.items(): print('    %-28s %s  chi-square %.3f  ECDF %.3f' % (n, bars(bins), chi, ecdf), flush=True)
    limit = ALPHA / len(tests)
    low = sorted(t for t in tests if t[0] < limit)
    show('\n%d tests, least p %.2g, limit %.2g%s' % (len(tests), min(tests)[0], limit, ''.join('; not uniform: %s (%.2g)' % (n, p) for p, n in low)))
    if a.output:
        with open(a.output, 'w') as f: f.write('\n'.join(lines) + '\n')
    return 1 if low or failures else 0


if __name__ == '__main__': sys.exit(main())
