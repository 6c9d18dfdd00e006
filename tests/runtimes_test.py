#!/usr/bin/env python3
"""One sampler, made once in each dialect, draws the same in every ONNX runtime: through Python, the C host, Node, and WebAssembly.

runtimes_test.py BUILD_DIR     needs onnxruntime and numpy; the environment variable STAN2ONNX_NODE_MODULES names a node_modules
                               folder with onnxruntime-node and onnxruntime-web, without which those two are skipped

Eight schools, 4 chains, 40 iterations of warmup (so that step size and metric adapt, too) and 10 after them. A difference is
|a - b| / max(1, |b|) with Python as b; the largest of each output is printed where one is not zero.

WebAssembly has a mathematical library of its own, whose exp and log differ in the last bit now and then. A chain multiplies such a
difference by about 2 an iteration, as it does any rounding. There the draws are compared over the first 10 iterations, the trees and
random numbers over all, and besides each of the 50 transitions is made from the state that Python's chain was in. Of a Poisson
regression, whose chains enlarge differences less, all draws are compared there, too.

Models made with --reproducible do without such a library, and everything they give is the same bits everywhere.
"""
import base64, csv, json, os, shutil, subprocess, sys, tempfile, unittest

try:
    import numpy as np, onnxruntime as ort
except ImportError:
    ort = None

HERE = os.path.dirname(os.path.abspath(__file__))
TESTDATA = os.path.join(os.path.dirname(HERE), 'testdata')
MODULES = os.environ.get('STAN2ONNX_NODE_MODULES', '')
BUILD = '.'
CHAINS, WARMUP, SAMPLES, SEED = 4, 40, 10, 1
ITERATIONS = WARMUP + SAMPLES
TOLERANCE = 1e-9
TYPES = {'float64': '<f8', 'int64': '<i8'}


def tensor_text(x):
    return {'type': x.dtype.name, 'dims': list(x.shape), 'bytes': base64.b64encode(x.tobytes()).decode()}


def tensor_of(text):
    return np.frombuffer(base64.b64decode(text['bytes']), TYPES[text['type']]).reshape(text['dims'])


class Runtimes(unittest.TestCase):
    dialect = 'onnx'
    program = 'hierarchical_schools'
    options = ()
    same_on_web = 10  # iterations
    tolerance = TOLERANCE

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder, cls.model = folder.name, os.path.join(folder.name, 'schools.onnx')
        program, data = (os.path.join(TESTDATA, cls.program, name) for name in ('model.stan', 'data.json'))
        subprocess.run([os.path.join(BUILD, 'stan2onnx'), program, '--data', data,
                        '--emit', 'sample', '--dialect', cls.dialect, *cls.options, '-o', cls.model], check=True)
        ort.set_default_logger_severity(3)  # its optimiser tells what it takes out
        session = ort.InferenceSession(cls.model)
        width = next(i.shape[1] for i in session.get_inputs() if i.name == 'init')
        integer = lambda x: np.array(x, np.int64)
        cls.inputs = {'prng_state': integer([0, SEED]), 'chains': integer(CHAINS), 'init': np.zeros((0, width)), 'warmup': integer(WARMUP),
                      'samples': integer(SAMPLES), 'iterations': integer(ITERATIONS), 'settings': np.array([0.8, 10, 1, 2.0]),
                      'sampler_state': np.zeros((0, 0)), 'sampler_keys': np.zeros((0, 2), np.int64)}
        names = [o.name for o in session.get_outputs()]
        cls.reference = dict(zip(names, session.run(None, cls.inputs)))

    def differences(self, results, expected):
        worst = {}
        for name, x in results.items():
            y = expected[name]
            self.assertEqual(x.shape, y.shape, name)
            self.assertTrue(np.isfinite(y).all(), name)
            # keys of random numbers are bits: they agree or do not
            worst[name] = float((x != y).any()) if name == 'next_sampler_keys' else float(np.max(abs(x - y) / np.maximum(1, abs(y)), initial=0))
        return worst

    def assert_same(self, host, worst):
        print('%s: %s' % (host, ', '.join('%s %.1e' % w for w in worst.items() if w[1] != 0) or 'no difference in %d outputs' % len(worst)))
        for name, difference in worst.items(): self.assertLessEqual(difference, self.tolerance, '%s: %s' % (host, name))

    def javascript(self, package, calls):
        if not shutil.which('node'): self.skipTest('there is no node')
        if not os.path.isdir(os.path.join(MODULES, package)): self.skipTest('STAN2ONNX_NODE_MODULES names no folder with ' + package)
        request = {'model': self.model, 'calls': [{name: tensor_text(x) for name, x in inputs.items()} for inputs in calls]}
        p = subprocess.run(['node', os.path.join(HERE, 'run_model.mjs'), package, MODULES], input=json.dumps(request), capture_output=True, text=True, timeout=300)
        self.assertEqual(p.returncode, 0, p.stderr)
        answer = json.loads(p.stdout)
        results = [{name: tensor_of(x) for name, x in result.items()} for result in answer['results']]
        for result in results: self.assertEqual(set(result), set(self.reference))
        return '%s %s, %.2f s' % (package, answer['version'], answer['seconds']), results

    def slices(self, size):
        """the inputs and the results of Python's calls, each from where the one before ended"""
        session, inputs, calls, results = ort.InferenceSession(self.model), self.inputs, [], []
        for done in range(0, ITERATIONS, size):
            inputs = dict(inputs, iterations=np.array(min(size, ITERATIONS - done)))
            calls.append(inputs)
            results.append(dict(zip(self.reference, session.run(None, inputs))))
            inputs = dict(inputs, sampler_state=results[-1]['next_sampler_state'], sampler_keys=results[-1]['next_sampler_keys'])
        return calls, results

    def by_iteration(self):
        return [name for name, x in self.reference.items() if x.shape[1:2] == (ITERATIONS,)]

    def transitions(self, package):
        calls, expected = self.slices(1)
        host, results = self.javascript(package, calls)
        each = [self.differences(*pair) for pair in zip(results, expected)]
        self.assert_same(host + ', transition by transition', {name: max(worst[name] for worst in each) for name in self.reference})

    def test_chains_move(self):
        self.assertEqual(self.reference['mu'].shape, (CHAINS, ITERATIONS))
        self.assertFalse(self.reference['status'].any())
        for chain in self.reference['mu']: self.assertGreater(len(set(chain)), ITERATIONS // 2)

    def test_python_in_slices(self):
        _, slices = self.slices(7)
        joined = {name: np.concatenate([s[name] for s in slices], 1) if name in self.by_iteration() else slices[-1][name] for name in self.reference}
        self.assert_same('Python in slices of 7', self.differences(joined, self.reference))

    def test_node(self):
        host, [result] = self.javascript('onnxruntime-node', [self.inputs])
        self.assert_same(host, self.differences(result, self.reference))

    def test_node_by_transition(self):
        self.transitions('onnxruntime-node')

    def test_web(self):
        host, [result] = self.javascript('onnxruntime-web', [self.inputs])
        whole = self.differences(result, self.reference)
        print('%s: largest difference in %d iterations %.1e' % (host, ITERATIONS, max(whole.values())))
        for name in ('treedepth__', 'n_leapfrog__', 'divergent__', 'status', 'next_sampler_keys'): self.assertEqual(whole[name], 0, name)
        first = [{name: r[name][:, :self.same_on_web] for name in self.by_iteration()} for r in (result, self.reference)]
        self.assert_same('%s, first %d iterations' % (host, self.same_on_web), self.differences(*first))

    def test_web_by_transition(self):
        self.transitions('onnxruntime-web')

    def runner(self, digits):
        """the draws that the C host writes, by output name"""
        p = subprocess.run([os.path.join(BUILD, 'stan2onnx-run'), 'sample', self.model, '--chains', str(CHAINS), '--seed', str(SEED), '--warmup', str(WARMUP),
                            '--samples', str(SAMPLES), '--save-warmup', '--sig-figs', str(digits), '--quiet', '--output', self.folder], capture_output=True, text=True)
        if 'no ONNX Runtime library found' in p.stderr: self.skipTest('there is no ONNX Runtime library')
        self.assertEqual(p.returncode, 0, p.stderr)
        chains = []
        for k in range(1, CHAINS + 1):
            with open(os.path.join(self.folder, 'schools-%d.csv' % k)) as f: rows = list(csv.reader(line for line in f if line[0] != '#' and line.strip()))
            columns = {}
            for name, values in zip(rows[0], zip(*rows[1:])): columns.setdefault(name.split('.')[0], []).append([float(v) for v in values])
            chains.append({name: np.array(v[0] if len(v) == 1 else v).T for name, v in columns.items()})
        return {name: np.stack([c[name] for c in chains]) for name in chains[0]}

    def test_c_host(self):
        draws = self.runner(17)
        self.assertLessEqual({'mu', 'tau', 'theta_raw', 'theta', 'lp__', 'energy__', 'stepsize__', 'n_leapfrog__'}, set(draws))
        self.assert_same('stan2onnx-run', self.differences(draws, self.reference))
        for name, x in self.runner(8).items():
            np.testing.assert_allclose(x, self.reference[name], rtol=6e-8, atol=TOLERANCE, err_msg=name)


class GivenTheDensity(Runtimes):
    """the sampler as a function that has the density as a graph attribute"""
    dialect = 'prob'
    test_node_by_transition = test_web_by_transition = None


class Regression(Runtimes):
    """a chain that is the same everywhere for long"""
    program = 'glm_poisson'
    same_on_web = ITERATIONS
    test_chains_move = test_c_host = test_python_in_slices = None


class Reproducible(Runtimes):
    """the same bits everywhere, and whatever the number of chains"""
    options = ('--reproducible',)
    same_on_web = ITERATIONS
    tolerance = 0
    test_node_by_transition = test_web_by_transition = None

    def test_chains_beside(self):
        more = dict(zip(self.reference, ort.InferenceSession(self.model).run(None, dict(self.inputs, chains=np.array(3 * CHAINS)))))
        self.assert_same('%d chains' % (3 * CHAINS), self.differences({name: x[:CHAINS] for name, x in more.items()}, self.reference))


class ReproducibleRegression(Reproducible):
    """matrix products, and sums of many terms"""
    program = 'glm_logistic'
    test_chains_move = test_c_host = test_python_in_slices = None


class ReproducibleFunctions(Reproducible):
    """functions of many kinds, in the form that is given the density"""
    dialect = 'prob'
    program = 'distributions_continuous'
    test_chains_move = test_c_host = test_python_in_slices = None


if __name__ == '__main__':
    if len(sys.argv) != 2: sys.exit('usage: runtimes_test.py BUILD_DIR')
    BUILD = os.path.abspath(sys.argv[1])
    if ort is None:
        print('skipped: there is no onnxruntime for Python')
        sys.exit(77)
    tests = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(c) for c in (
        Runtimes, GivenTheDensity, Regression, Reproducible, ReproducibleRegression, ReproducibleFunctions))
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    sys.exit(0 if result.wasSuccessful() else 1)
