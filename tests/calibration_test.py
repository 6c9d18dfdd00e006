#!/usr/bin/env python3
"""Simulation-based calibration in small: ranks of true values are uniform for a right program, and are seen not to be for a wrong one.

calibration_test.py BUILD_DIR     needs onnxruntime and numpy

bench/calibration.py is the whole, over more programs and simulations. Here are linear regression on four points, where priors and Jacobians
weigh as much as data, and zero-inflated counts; then regressions whose Jacobian of sigma is wrong, and that do not look
at the data. Seeds are fixed, but draws change with the sampler: a right one fails with a probability of 0.002.
"""
import io, json, os, sys, tempfile, unittest
from contextlib import redirect_stdout

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, 'bench'))
try:
    import numpy as np, calibration
except ImportError:
    calibration = None

BUILD = '.'
SIMULATIONS, FEW = 100, 40
X = [-1.5, -0.5, 0.5, 1.5]
ALPHA = 0.001  # of each test


class Statistics(unittest.TestCase):
    def test_chi_square(self):
        # 5 % and 0.1 % points of the distribution with 16 degrees of freedom, from tables
        for x, p in ((26.296, 0.05), (39.252, 0.001)):
            counts = np.full(17, 100.0)
            shift = np.sqrt(x * 100 / 2)
            counts[0] += shift
            counts[1] -= shift
            self.assertAlmostEqual(calibration.chi_square_p(counts), p, delta=p / 1000)

    def test_gamma_is_calibrated(self):
        gamma, random = calibration.Gamma(80), np.random.default_rng(5)
        p = [gamma.p(random.multinomial(80, np.full(calibration.L + 1, 1 / (calibration.L + 1)))) for _ in range(1000)]
        for level in (0.05, 0.3, 0.7): self.assertAlmostEqual(np.mean(np.array(p) <= level), level, delta=4 * np.sqrt(level * (1 - level) / 1000) + 0.01)

    def test_gamma_sees_shapes(self):
        n, ranks = 500, np.arange(calibration.L + 1)
        centre = ranks - calibration.L / 2
        gamma = calibration.Gamma(n)
        spread = lambda weight: np.diff(np.round(n * np.cumsum(weight) / weight.sum()), prepend=0).astype(int)
        for name, weight in (('slope', ranks + 10.0), ('hollow', centre ** 2), ('hill', 626 - centre ** 2)):
            self.assertLess(gamma.p(spread(weight)), 0.001, name)
        self.assertGreater(gamma.p(spread(np.ones(len(ranks)))), 0.9)


class Calibrated(unittest.TestCase):
    def calibrate(self, name, simulations, replacements=(), data=None):
        """least p times the number of tests, least p by quantity, and the calibration"""
        with tempfile.TemporaryDirectory() as folder:
            model, simulator, quantities, given = calibration.program_files(name)
            with open(model) as f: text = f.read()
            for old, new in replacements:
                self.assertIn(old, text)
                text = text.replace(old, new)
            model = os.path.join(folder, 'model.stan')
            with open(model, 'w') as f: f.write(text)
            if data:
                given = os.path.join(folder, 'data.json')
                with open(given, 'w') as f: json.dump(data, f)
            c = calibration.Calibration(BUILD, name, simulations, 1, (model, simulator, quantities, given))
        p = {n: min(r[:2]) for n, r in calibration.uniformity(c, calibration.Gamma(simulations)).items()}
        print('%s: %s, %.0f s' % (self.id().split('.')[-1], ', '.join('%s %.2g' % i for i in p.items()), c.seconds))
        self.assertEqual(c.bad, 0)
        return min(p.values()) * 2 * len(p), p, c

    def regression(self, simulations, *replacements):
        return self.calibrate('regression_linear', simulations, replacements, {'N': len(X), 'x': X})

    def test_regression(self):
        worst, _, c = self.regression(SIMULATIONS)
        self.assertEqual(set(c.ranks), {'alpha', 'beta', 'sigma', 'log_likelihood'})
        self.assertGreater(worst, ALPHA)
        self.assertGreater(c.ess, calibration.L / 2)

    def test_zero_inflated_counts(self):
        worst, _, c = self.calibrate('mixture_zero_inflated', FEW)
        self.assertEqual(set(c.ranks), {'theta', 'lambda', 'log_likelihood'})
        self.assertGreater(worst, ALPHA)

    def test_a_wrong_jacobian(self):
        _, p, _ = self.regression(FEW, ('sigma ~ exponential(1);', 'sigma ~ exponential(1); target += 2 * log(sigma);'))
        self.assertLess(p['sigma'], ALPHA)

    def test_data_that_are_not_looked_at(self):
        _, p, _ = self.regression(FEW, ('y ~ normal(alpha + beta * x, sigma);', ''))
        self.assertLess(p['log_likelihood'], ALPHA)

    def test_the_command(self):
        out = io.StringIO()
        with redirect_stdout(out): status = calibration.main(['--build', BUILD, '--only', 'mixture_zero_inflated', '--simulations', '5', '--quantities'])
        self.assertEqual(status, 0)
        self.assertIn('| mixture_zero_inflated | 5 | 3 |', out.getvalue())
        self.assertIn('6 tests', out.getvalue())


if __name__ == '__main__':
    if len(sys.argv) > 1: BUILD = os.path.abspath(sys.argv.pop(1))
    if calibration is None:
        print('onnxruntime or numpy is not here')
        sys.exit(77)
    unittest.main(verbosity=2)
