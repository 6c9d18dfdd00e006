#!/usr/bin/env python3
"""stan2onnx-run sample, generate and summary as their users see them, and their files as CmdStanPy and ArviZ read them.

sample_test.py BUILD_DIR     needs ONNX Runtime's library where the runner finds it; tests that compare with cmdstanpy, stanio and
                             arviz are skipped where those are absent
"""
import csv, importlib.util, json, math, os, re, signal, subprocess, sys, tempfile, time, unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTDATA = os.path.join(os.path.dirname(HERE), 'testdata')
EXAMPLES = os.path.join(os.path.dirname(HERE), 'examples')
BUILD = '.'

NORMAL = '''data { int<lower=0> N; vector[N] y; }
parameters { real mu; real<lower=0> sigma; }
transformed parameters { real twice = 2 * mu; }
model { mu ~ normal(0, 10); sigma ~ exponential(1); y ~ normal(mu, sigma); }
generated quantities { real z = normal_rng(mu, sigma); int k = poisson_rng(3); }
'''
DATA = '{"N": 8, "y": [1.2, 0.4, 2.9, 1.7, 0.3, 1.1, 2.2, 0.8]}'
TUPLES = '''data { int N; }
parameters { array[2] tuple(real, vector[N], array[2] matrix[2, 3]) t; array[2, 3] vector[N] x; matrix[2, 3] m; simplex[3] s; vector[0] none; }
model { for (i in 1:2) { t[i].1 ~ std_normal(); t[i].2 ~ std_normal(); for (j in 1:2) to_vector(t[i].3[j]) ~ std_normal();
  for (j in 1:3) x[i, j] ~ std_normal(); } to_vector(m) ~ std_normal(); }
generated quantities { array[2, 2] tuple(int, array[2] real) q; for (i in 1:2) for (j in 1:2) q[i, j] = (10 * i + j, {m[i, j], x[i, j, 1]}); }
'''
SHORT = ('--warmup', '60', '--samples', '50')


def have(*modules):
    return all(importlib.util.find_spec(m) for m in modules)


class Sampling(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write('m.stan', NORMAL)
        self.write('d.json', DATA)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), 'w') as f: f.write(text)

    def command(self, *args):
        return [os.path.join(BUILD, 'stan2onnx-run'), *args]

    def runner(self, *args, status=0, timeout=600):
        p = subprocess.run(self.command(*args), capture_output=True, text=True, timeout=timeout, cwd=self.folder.name)
        if 'no ONNX Runtime library found' in p.stderr: self.skipTest('there is no ONNX Runtime')
        self.assertEqual(p.returncode, status, p.stderr)
        return p

    def sample(self, *args, status=0):
        return self.runner('sample', 'm.stan', '--data', 'd.json', *SHORT, *args, status=status)

    def convert(self, program, *args):
        out = self.path('out.onnx')
        p = subprocess.run([os.path.join(BUILD, 'stan2onnx'), program, '-o', out, *args], capture_output=True, text=True, cwd=self.folder.name)
        self.assertEqual(p.returncode, 0, p.stderr)
        return out

    def rows(self, name):
        with open(self.path(name)) as f: return list(csv.DictReader(line for line in f if not line.startswith('#')))

    def assert_start_alike(self, a, b):
        """The first iterations of two runs agree: later on, what rounds differently in another batch has grown."""
        for x, y in zip(self.rows(a)[:15], self.rows(b)[:15]):
            for name in y: self.assertAlmostEqual(float(x[name]), float(y[name]), 5)

    # ---- draws ----

    def test_summary_and_files(self):
        p = self.sample('--output', 'fit')
        self.assertRegex(p.stdout, r'm: 4 chains of 50 draws after 60 of warmup')
        self.assertRegex(p.stdout, r'(?m)^mu +-?\d')
        self.assertEqual(sorted(os.listdir(self.path('fit'))), ['m-%d.csv' % k for k in range(1, 5)])
        for k in range(1, 5):
            rows = self.rows('fit/m-%d.csv' % k)
            self.assertEqual(len(rows), 50)
            for row in rows:
                self.assertAlmostEqual(float(row['twice']), 2 * float(row['mu']), 6)
                self.assertEqual(row['k'], str(int(row['k'])))
        self.assertEqual(list(rows[0]), 'lp__ accept_stat__ stepsize__ treedepth__ n_leapfrog__ divergent__ energy__ mu sigma twice z k'.split())
        again = self.runner('summary', *('fit/m-%d.csv' % k for k in range(1, 5))).stdout
        self.assertIn(re.search('(?m)^mu .*$', p.stdout)[0], again)

    def test_static_engine(self):
        p = self.sample('--engine', 'static', '--int-time', '1.5', '--samples', '300', '--warmup', '200', '--output', 'fit')
        self.assertNotIn('divergences', p.stdout)
        with open(self.path('fit/m-1.csv')) as f: text = f.read()
        self.assertIn('# ' + 8 * ' ' + 'engine = static\n# ' + 10 * ' ' + 'static\n# ' + 12 * ' ' + 'int_time = 1.5\n', text)
        self.assertNotIn('max_depth', text)
        rows = self.rows('fit/m-2.csv')
        self.assertEqual(list(rows[0]), 'lp__ accept_stat__ stepsize__ int_time__ energy__ mu sigma twice z k'.split())
        self.assertEqual({r['int_time__'] for r in rows}, {'1.5'})
        self.assertLess(abs(sum(float(r['mu']) for r in rows) / 300 - 1.32), 0.3)
        self.assertIn(re.search('(?m)^mu .*$', p.stdout)[0], self.runner('summary', *('fit/m-%d.csv' % k for k in range(1, 5))).stdout)
        summary = json.loads(self.runner('summary', '--json', 'fit/m-1.csv', 'fit/m-2.csv').stdout)
        self.assertEqual(len(summary['ebfmi']), 2)
        self.assertNotIn('divergences', summary)
        self.convert('m.stan', '--data', 'd.json', '--emit', 'sample', '--engine', 'static')
        self.runner('sample', 'out.onnx', '--int-time', '1.5', '--output', 'model', '--samples', '300', '--warmup', '200', '--sig-figs', '8')
        self.assertEqual([r['mu'] for r in self.rows('model/out-2.csv')][:15], [r['mu'] for r in rows][:15])
        self.runner('sample', 'out.onnx', '--output', 'usual', *SHORT)
        self.assertEqual(float(self.rows('usual/out-1.csv')[0]['int_time__']), 6.2831853)
        self.assertIn('--engine nuts', self.runner('sample', 'out.onnx', '--engine', 'nuts', status=1).stderr)
        self.assertIn('--max-treedepth', self.runner('sample', 'out.onnx', '--max-treedepth', '5', status=1).stderr)
        self.assertIn('--int-time', self.sample('--int-time', '5', status=1).stderr)

    def test_draws_do_not_depend_on_threads(self):
        self.sample('--output', 'one', '--threads', '1', '--chains', '3', '--save-warmup')
        self.sample('--output', 'three', '--threads', '3', '--chains', '3', '--save-warmup')
        self.sample('--output', 'other', '--seed', '2', '--chains', '3', '--save-warmup')
        for k in range(1, 4):
            name = 'm-%d.csv' % k
            self.assert_start_alike('one/' + name, 'three/' + name)
            self.assertNotEqual(self.rows('one/' + name), self.rows('other/' + name))
        self.assertNotEqual(self.rows('one/m-1.csv'), self.rows('one/m-2.csv'))

    def test_reproducible_draws(self):
        """all digits of a chain, whatever is beside it"""
        digits = '--reproducible', '--sig-figs', '17'
        self.sample(*digits, '--chains', '3', '--threads', '1', '--output', 'few')
        self.sample(*digits, '--chains', '8', '--threads', '2', '--output', 'many')
        self.convert('m.stan', '--data', 'd.json', '--emit', 'sample', '--reproducible')
        self.runner('sample', 'out.onnx', *SHORT, *digits, '--chains', '1', '--output', 'model')
        for k in (1, 2, 3): self.assertEqual(self.rows('few/m-%d.csv' % k), self.rows('many/m-%d.csv' % k))
        for a, b in zip(self.rows('model/out-1.csv'), self.rows('few/m-1.csv')): self.assertLessEqual(a.items(), b.items())
        self.convert('m.stan', '--data', 'd.json', '--emit', 'sample')
        self.assertIn('out.onnx is not reproducible', self.runner('sample', 'out.onnx', '--reproducible', status=1).stderr)

    def test_thinning_and_warmup(self):
        self.sample('--output', 'all', '--chains', '1', '--save-warmup')
        self.sample('--output', 'thin', '--chains', '1', '--thin', '7')
        whole, thin = self.rows('all/m-1.csv'), self.rows('thin/m-1.csv')
        self.assertEqual(len(whole), 110)
        self.assertEqual([r['mu'] for r in thin], [r['mu'] for r in whole[60::7]])
        self.sample('--output', 'late', '--chains', '1')
        self.assertEqual(self.rows('late/m-1.csv'), whole[60:])

    def test_model_files(self):
        self.sample('--output', 'a', '--chains', '2', '--save-warmup')
        for baked in (('--data', 'd.json'), ()):
            self.convert('m.stan', '--emit', 'sample', *baked)
            self.runner('sample', 'out.onnx', '--chains', '2', '--output', 'b', '--save-warmup', *SHORT, *(() if baked else ('--data', 'd.json')))
            columns = self.rows('b/out-2.csv')[0]
            self.assertEqual([c for c in self.rows('a/m-2.csv')[0] if c in columns], list(columns))
            self.assert_start_alike('a/m-2.csv', 'b/out-2.csv')

    def test_sizes_that_are_data(self):
        """Programs whose data decide how many parameters there are, or what sizes the density goes through: with the data as inputs they draw what
        they draw with the data baked in."""
        for name in ('capture_recapture', 'distributions_discrete', 'gp_latent_poisson', 'hierarchical_correlated', 'hierarchical_intercepts', 'loops_ragged',
                     'missing_data', 'multinomial_dirichlet', 'ragged_groups', 'regression_loop', 'regression_qr', 'series_random_walk',
                     'series_stochastic_volatility', 'zero_sizes'):
            with self.subTest(name):
                program, data = (os.path.join(TESTDATA, name, file) for file in ('model.stan', 'data.json'))
                short = ('--data', data, '--chains', '2', '--warmup', '3', '--samples', '1', '--save-warmup', '--quiet')
                self.convert(program, '--emit', 'sample')
                self.runner('sample', 'out.onnx', '--output', name, *short)
                self.runner('sample', program, '--output', name, *short)
                for k in (1, 2):
                    inputs, baked = (self.rows('%s/%s-%d.csv' % (name, model, k)) for model in ('out', 'model'))
                    self.assertEqual(len(inputs), 4)
                    for column in inputs[0]: self.assertAlmostEqual(float(inputs[0][column]), float(baked[0][column]), 5)

    def test_dialects(self):
        """A sampler that is given the density as a graph draws what a flat one does, but for rounding."""
        for baked, engine, extra in ((('--data', 'd.json'), 'nuts', ()), ((), 'nuts', ()), ((), 'static', ('--int-time', '0.5'))):
            for dialect in ('onnx', 'prob'):
                self.convert('m.stan', '--emit', 'sample', '--dialect', dialect, '--engine', engine, *baked)
                self.runner('sample', 'out.onnx', '--chains', '2', '--output', dialect, '--save-warmup', '--sig-figs', '17', *SHORT, *extra,
                            *(() if baked else ('--data', 'd.json')))
            for a, b in zip(self.rows('onnx/out-2.csv')[:20], self.rows('prob/out-2.csv')[:20]):
                for name in a: self.assertAlmostEqual(float(a[name]), float(b[name]), 9, name)

    def test_density_as_a_graph(self):
        if not have('onnx'): self.skipTest('there is no onnx')
        import onnx
        for baked, engine, name in ((('--data', 'd.json'), 'nuts', 'NUTS'), ((), 'nuts', 'NUTS'), ((), 'static', 'HMC')):
            model = onnx.load(self.convert('m.stan', '--emit', 'sample', '--dialect', 'prob', '--engine', engine, *baked))
            [call] = [n for n in model.graph.node if n.op_type == name]
            [density] = call.attribute
            self.assertEqual((call.domain, density.name), ('ai.onnx.prob', 'log_density'))
            inputs = [i.name.split('/')[0] for i in density.g.input]
            self.assertEqual(inputs, ['unconstrained'] if baked else ['unconstrained', 'y'])
            self.assertEqual([o.name.split('/')[0] for o in density.g.output], ['log_density', 'gradient'])
            self.assertIn('NormalLogProb', {n.op_type for n in density.g.node})
            [function] = [f for f in model.functions if f.name == name]
            self.assertEqual(list(function.attribute), ['log_density'])
            self.assertEqual(list(function.input)[:5], ['prng_state', 'sampler_state', 'settings', 'warmup', 'iterations'])

    def test_generate_repeats_what_sample_made(self):
        self.sample('--output', 'fit', '--sig-figs', '17', '--chains', '2')
        self.runner('generate', 'm.stan', '--data', 'd.json', '--draws', 'fit/m-1.csv,fit/m-2.csv', '--output', 'fit', '--sig-figs', '17')
        for k in (1, 2):
            fit, generated = self.rows('fit/m-%d.csv' % k), self.rows('fit/m-generated-%d.csv' % k)
            self.assertEqual(list(generated[0]), ['z', 'k'])
            self.assertEqual([(r['z'], r['k']) for r in fit], [(r['z'], r['k']) for r in generated])
        self.convert('m.stan', '--emit', 'generate')
        self.runner('generate', 'out.onnx', '--data', 'd.json', '--draws', 'fit/m-2.csv', '--output', 'other', '--sig-figs', '17')
        self.assertEqual(self.rows('other/out-generated-1.csv'), self.rows('fit/m-generated-2.csv'))

    def test_generate_from_json(self):
        self.write('draws.json', '{"mu": [100, 200, 300], "sigma": [1e-9, 1e-9, 1e-9]}')
        self.runner('generate', 'm.stan', '--data', 'd.json', '--draws', 'draws.json', '--output', 'g')
        self.assertEqual([round(float(r['z'])) for r in self.rows('g/m-generated-1.csv')], [100, 200, 300])

    def test_no_parameters(self):
        self.write('p.stan', 'data { int N; } generated quantities { vector[N] y; for (n in 1:N) y[n] = normal_rng(n, 1e-9); }')
        self.write('p.json', '{"N": 2}')
        self.runner('sample', 'p.stan', '--data', 'p.json', '--output', 'fit', '--samples', '30')
        rows = self.rows('fit/p-3.csv')
        self.assertEqual(len(rows), 30)
        self.assertEqual(round(float(rows[29]['y.2'])), 2)

    def test_initial_values(self):
        self.write('i.json', '{"mu": 2.5, "sigma": 0.5}')
        self.write('j.json', '{"unconstrained": [-1, 0.25]}')
        args = ('--warmup', '0', '--samples', '1', '--step-size', '1e-9', '--chains', '2')
        self.runner('sample', 'm.stan', '--data', 'd.json', *args, '--init', 'i.json,j.json', '--output', 'fit')
        first, second = self.rows('fit/m-1.csv')[0], self.rows('fit/m-2.csv')[0]
        self.assertAlmostEqual(float(first['mu']), 2.5, 5)
        self.assertAlmostEqual(float(first['sigma']), 0.5, 5)
        self.assertAlmostEqual(float(second['mu']), -1, 5)
        self.assertAlmostEqual(float(second['sigma']), math.exp(0.25), 5)
        self.runner('sample', 'm.stan', '--data', 'd.json', *args, '--init', '0', '--output', 'fit')
        self.assertAlmostEqual(float(self.rows('fit/m-2.csv')[0]['mu']), 0, 5)
        self.write('bad.json', '{"mu": 0, "sigma": -1}')
        self.assertIn('constraints', self.sample('--init', 'bad.json', status=1).stderr)
        self.write('part.json', '{"mu": 2.5}')
        self.runner('sample', 'm.stan', '--data', 'd.json', *args, '--init', 'part.json', '--output', 'fit')
        first, second = self.rows('fit/m-1.csv')[0], self.rows('fit/m-2.csv')[0]
        self.assertAlmostEqual(float(first['mu']), 2.5, 5)
        self.assertAlmostEqual(float(second['mu']), 2.5, 5)
        self.assertNotEqual(first['sigma'], second['sigma'])
        self.assertIn('bad.json', self.sample('--init', 'bad.json,bad.json,bad.json', status=1).stderr)

    def test_names_of_the_model(self):
        """variables with the names of a sampler's own inputs and outputs"""
        self.write('n.stan', 'data { real chains; } parameters { real status; vector[2] init; real stepsize; }\n'
                             'model { status ~ normal(chains, 1e-3); init ~ std_normal(); stepsize ~ std_normal(); }\n'
                             'generated quantities { real warmup = status + 1; real prng_state = normal_rng(status, 1e-9); }\n')
        self.write('n.json', '{"chains": 5}')
        self.runner('sample', 'n.stan', '--data', 'n.json', '--output', 'fit', '--warmup', '200')
        row = self.rows('fit/n-1.csv')[-1]
        self.assertAlmostEqual(float(row['status']), 5, 1)
        self.assertAlmostEqual(float(row['warmup']), float(row['status']) + 1, 6)
        self.assertAlmostEqual(float(row['prng_state']), float(row['status']), 6)
        self.convert('n.stan', '--emit', 'sample')
        self.runner('sample', 'out.onnx', '--data', 'n.json', *SHORT)
        self.convert('n.stan', '--emit', 'generate')
        self.runner('generate', 'out.onnx', '--data', 'n.json', '--draws', 'fit/n-1.csv')

    def test_rejected_quantities(self):
        self.write('r.stan', """parameters { real<lower=0> s; }
model { s ~ exponential(1); }
generated quantities {
  real x = s;
  int k = 3;
  array[2] real<upper=1.5> z = {s, s};
  if (s < 0.3) reject("small");
}""")
        self.runner('sample', 'r.stan', '--output', 'fit', '--chains', '1', *SHORT)
        rows = self.rows('fit/r-1.csv')
        valid = [0.3 <= float(r['s']) <= 1.5 for r in rows]
        self.assertTrue(any(valid) and not all(valid))
        for r, good in zip(rows, valid):
            expected = [r['s'], '3', r['s'], r['s']] if good else ['nan'] * 4
            self.assertEqual([r[name] for name in ('x', 'k', 'z.1', 'z.2')], expected)

    def test_some_quantities_left_out(self):
        self.write('c.stan', 'parameters { real x; } model { x ~ std_normal(); } generated quantities { complex z = to_complex(x, 1); real twice = 2 * x; }')
        self.runner('sample', 'c.stan', '--output', 'fit', *SHORT)
        row = self.rows('fit/c-1.csv')[0]
        self.assertAlmostEqual(float(row['twice']), 2 * float(row['x']), 6)

    def test_json(self):
        summary = json.loads(self.sample('--json', '--samples', '400').stdout)
        self.assertEqual((summary['chains'], summary['draws']), (4, 400))
        mu = next(q for q in summary['quantities'] if q['name'] == 'mu')
        self.assertLess(abs(mu['mean'] - 1.32), 0.3)
        self.assertLess(mu['rhat'], 1.1)

    def test_quiet(self):
        p = self.sample('--quiet', '--output', 'fit')
        self.assertEqual((p.stdout, p.stderr), ('', ''))

    # ---- faults ----

    def test_wrong_usage(self):
        self.assertIn('which model', self.runner('sample', status=2).stderr)
        self.assertIn('--metric', self.runner('sample', 'm.stan', '--metric', 'x', status=2).stderr)
        self.assertIn('--draws', self.runner('generate', 'm.stan', status=2).stderr)
        self.assertIn('absent.stan', self.runner('sample', 'absent.stan', status=1).stderr)
        self.assertIn('absent.onnx', self.runner('sample', 'absent.onnx', status=1).stderr)
        self.assertIn('N', self.runner('sample', 'm.stan', status=1).stderr)
        self.write('bad.stan', 'parameters { real x; } model { x ~ nrmal(0, 1); }')
        self.assertIn('nrmal', self.runner('sample', 'bad.stan', status=1).stderr)
        self.assertIn('--emit', self.runner('sample', self.convert('m.stan'), status=1).stderr)
        self.convert('m.stan', '--data', 'd.json', '--emit', 'sample')
        self.assertIn('dense', self.runner('sample', 'out.onnx', '--metric', 'dense', status=1).stderr)
        self.write('few.csv', 'lp__,mu\n1,2\n')
        self.assertIn('sigma', self.runner('generate', 'm.stan', '--data', 'd.json', '--draws', 'few.csv', status=1).stderr)

    def test_no_starting_point(self):
        self.write('f.stan', 'parameters { real x; } model { target += log(-1 - square(x)); }')
        p = self.runner('sample', 'f.stan', '--output', 'fit', *SHORT, status=1)
        self.assertIn('chain 4 is left out: no point was found', p.stderr)
        self.assertIn('no chain is left', p.stderr)
        self.assertEqual(os.listdir(self.path('fit')), [])

    def test_large_densities(self):
        # beside 1e20 no change of the energy counts: every transition is accepted
        self.write('l.stan', 'parameters { real x; } model { x ~ std_normal(); target += -1e20; }')
        for engine in 'nuts', 'static':
            self.runner('sample', 'l.stan', '--engine', engine, '--warmup', '0', '--step-size', '0.1', '--samples', '20', '--output', 'fit')
            self.assertEqual({float(row['accept_stat__']) for row in self.rows('fit/l-1.csv')}, {1.0}, engine)

    def test_many_outcomes(self):
        # the formula for many outcomes looks across chains and draws, of which the sampler's first call makes none
        self.write('b.stan', '''data { int N; } transformed data { array[600] int y; for (i in 1:600) y[i] = i % 3 == 0; }
parameters { real a; vector[N] b; } transformed parameters { real l = bernoulli_logit_lpmf(y | rep_vector(a, 600)); }
model { target += l; y ~ bernoulli_logit(b); b ~ std_normal(); } generated quantities { real far = bernoulli_logit_lpmf(y | 30 * b); }''')
        self.write('n.json', '{"N": 600}')
        self.runner('sample', 'b.stan', '--data', 'n.json', *SHORT, '--output', 'fit')
        for row in self.rows('fit/b-1.csv'):
            a = float(row['a'])
            self.assertAlmostEqual(float(row['l']), 200 * a - 600 * math.log1p(math.exp(a)), 4)
            b = [30 * float(row['b.%d' % i]) for i in range(1, 601)]
            exact = sum(-math.log1p(math.exp(-x if i % 3 == 0 else x)) for i, x in enumerate(b, 1))
            self.assertAlmostEqual(float(row['far']) / exact, 1, 6)
        self.write('n.json', '{"N": 599}') # sizes that differ, which Stan rejects
        self.assertIn('no chain is left', self.runner('sample', 'b.stan', '--data', 'n.json', *SHORT, status=1).stderr)

    def test_good_chains_are_kept(self):
        self.write('h.stan', 'parameters { real x; } model { target += x > 1e3 ? negative_infinity() : std_normal_lpdf(x); }')
        self.write('good.json', '{"x": 0}')
        self.write('bad.json', '{"x": 2000}')
        p = self.runner('sample', 'h.stan', '--chains', '3', '--init', 'good.json,bad.json,good.json', '--output', 'fit', *SHORT)
        self.assertIn('chain 2 is left out', p.stderr)
        self.assertIn('2 chains', p.stdout)
        self.assertEqual(sorted(os.listdir(self.path('fit'))), ['h-1.csv', 'h-3.csv'])

    def test_places_that_cannot_be_written(self):
        self.write('file', '')
        self.assertIn('cannot make the folder', self.sample('--output', 'file', status=1).stderr)
        self.assertIn('cannot make the folder', self.sample('--output', 'a/b', status=1).stderr)

    @unittest.skipUnless(hasattr(os, 'mkfifo') and os.path.exists('/dev/full'), 'no such files here')
    def test_full_disk(self):
        os.mkdir(self.path('fit'))
        os.symlink('/dev/full', self.path('fit/m-2.csv'))
        self.assertIn('No space left', self.sample('--output', 'fit', status=1).stderr)
        # a limit on the size of files stands for a disk that fills up on the way
        import resource
        limited = subprocess.run(self.command('sample', 'm.stan', '--data', 'd.json', '--samples', '5000', '--warmup', '50', '--output', 'full'), capture_output=True,
                                 text=True, cwd=self.folder.name, timeout=600,
                                 preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))))
        self.assertEqual(limited.returncode, 1)
        self.assertIn('File too large; what was written before is whole', limited.stderr)
        with open(self.path('full/m-1.csv')) as f: text = f.read()
        self.assertTrue(text.endswith('\n'))
        longest = max(len(line) for line in text.splitlines()) + 1
        self.assertGreater(len(text), 65536 - longest) # not one line fewer than there was room for
        self.assertIn('mu', self.runner('summary', 'full/m-1.csv', 'full/m-2.csv').stdout)

    def interrupted(self, file, draws, pause, *args):
        """What a run prints that is interrupted so many seconds after a file of its has more than so many draws; the file, which is whole, as text."""
        p = subprocess.Popen(self.command('sample', *args, '--samples', '100000000', '--output', 'fit'), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             cwd=self.folder.name)
        deadline = time.time() + 120
        while p.poll() is None and time.time() < deadline:
            if os.path.exists(self.path(file)) and len(self.rows(file)) > draws: break
            time.sleep(0.2)
        time.sleep(pause)
        p.send_signal(signal.SIGINT)
        out, error = p.communicate(timeout=120)
        if 'no ONNX Runtime library found' in error: self.skipTest('there is no ONNX Runtime')
        self.assertEqual(p.returncode, 130, error)
        with open(self.path(file)) as f: text = f.read()
        self.assertEqual(int(re.search(r'num_samples = (\d+)', text)[1]), len(self.rows(file)))
        return out, error, text

    def test_interrupted(self):
        out, _, text = self.interrupted('fit/m-1.csv', 50, 0, 'm.stan', '--data', 'd.json', '--warmup', '50', '--chains', '2')
        self.assertRegex(out, '(?m)^mu ')
        self.assertIn('Elapsed Time', text)

    def test_interrupted_in_a_loop_without_end(self):
        self.write('w.stan', 'parameters { real x; } model { real y = x; x ~ std_normal(); if (x > 1) while (y > 0) y += 1; target += -1e-300 * y; }')
        # three seconds after there is a file a chain is in the loop
        self.interrupted('fit/w-1.csv', -1, 3, 'w.stan', '--init', '0.5', '--step-size', '0.5', '--warmup', '0')

    def test_divergent_chain_stays_near(self):
        # a step enlarges the first chain's x a hundredfold: 1e16 in its divergent block, whereas further ones, beside the others' long trajectories, would not end
        self.write('w.stan', '''parameters { real x; real z; }
            model { real y = abs(x); x ~ normal(0, z > 0 ? 0.01 : 1); z ~ normal(0, 1e6); if (y > 1e25) while (y > 0) y += 1; target += -1e-300 * y; }''')
        for name, z in ('a', 1000), ('b', -1000): self.write(name + '.json', '{"x": 0.5, "z": %d}' % z)
        self.runner('sample', 'w.stan', '--init', 'a.json,b.json,b.json', '--chains', '3', '--threads', '1', '--step-size', '0.1', '--max-treedepth', '5', '--warmup', '0',
                    '--samples', '20', '--output', 'fit', timeout=120)
        self.assertEqual([sum(int(row['divergent__']) for row in self.rows('fit/w-%d.csv' % k)) for k in (1, 2, 3)], [20, 0, 0])
        self.assertGreater(min(int(row['n_leapfrog__']) for row in self.rows('fit/w-2.csv')), 8)

    def test_interrupted_before_a_chain_draws(self):
        self.write('w.stan', 'parameters { real x; } model { real y = x; x ~ std_normal(); if (x > 20) while (y > 0) y += 1; target += -1e-300 * y; }')
        for name, x in ('a', 0), ('b', 21): self.write(name + '.json', '{"x": %d}' % x)
        out, error, _ = self.interrupted('fit/w-1.csv', 50, 0, 'w.stan', '--init', 'a.json,b.json', '--step-size', '0.5', '--warmup', '0', '--chains', '2', '--threads', '2')
        self.assertIn('chains without a draw yet, which the summary leaves out: 1', error)
        self.assertRegex(out, 'w: 1 chain of [0-9]+ draws')
        self.assertRegex(out, '(?m)^x ')

    # ---- other readers ----

    @unittest.skipUnless(have('cmdstanpy'), 'cmdstanpy is not installed')
    def test_cmdstanpy(self):
        import cmdstanpy, logging, numpy
        logging.getLogger('cmdstanpy').setLevel(logging.ERROR)
        self.write('t.stan', TUPLES)
        self.write('t.json', '{"N": 2}')
        nuts, static = ('--max-treedepth', '5'), ('--engine', 'static', '--int-time', '1')
        for metric, extra in (('diag', nuts), ('dense', (*nuts, '--save-warmup')), ('unit', (*static, '--thin', '3')), ('diag', static)):
            folder = self.path('fit-' + metric)
            self.runner('sample', 't.stan', '--data', 't.json', '--metric', metric, '--output', folder, '--chains', '2', *SHORT, *extra)
            fit = cmdstanpy.from_csv([os.path.join(folder, 't-%d.csv' % k) for k in (1, 2)])
            self.assertEqual((fit.chains, fit.num_draws_sampling), (2, 17 if '--thin' in extra else 50))
            if '--save-warmup' in extra: self.assertEqual(len(fit.draws(inc_warmup=True)), 110)
            self.assertEqual(fit.metric_type, metric + '_e')
            rows = self.rows('fit-%s/t-1.csv' % metric)[60 if '--save-warmup' in extra else 0:]
            m, q, x, t = (fit.stan_variable(v) for v in 'mqxt')
            for i in (0, len(rows) - 1):
                row = {k: float(v) for k, v in rows[i].items()}
                self.assertEqual(m[i][1, 2], row['m.2.3'])
                self.assertEqual(x[i][1, 2, 0], row['x.2.3.1'])
                self.assertEqual(t[i][1][2][1][0, 2], row['t.2:3.2.1.3'])
                self.assertEqual(q[i][1, 0][0], 21)
                numpy.testing.assert_allclose(q[i][1, 0][1], [m[i][1, 0], x[i][1, 0, 0]], rtol=1e-7)
            numpy.testing.assert_allclose(fit.stan_variable('s').sum(axis=1), 1, atol=1e-6)
            self.assertEqual(fit.step_size.shape, (2,))

    @unittest.skipUnless(have('cmdstanpy', 'arviz'), 'cmdstanpy or arviz is not installed')
    def test_interrupted_run_in_cmdstanpy(self):
        import cmdstanpy, logging
        self.test_interrupted()
        logging.getLogger('cmdstanpy').setLevel(logging.ERROR)
        fit = cmdstanpy.from_csv(self.path('fit/m-1.csv'))
        self.assertEqual(fit.num_draws_sampling, len(self.rows('fit/m-1.csv')))

    @unittest.skipUnless(have('arviz'), 'arviz is not installed')
    def test_arviz(self):
        import warnings
        warnings.simplefilter('ignore')
        import arviz
        summary = {q['name']: q for q in json.loads(self.sample('--output', 'fit', '--json', '--samples', '300', '--save-warmup', '--sig-figs', '17').stdout)['quantities']}
        data = arviz.from_cmdstan([self.path('fit/m-%d.csv' % k) for k in range(1, 5)], save_warmup=True)
        self.assertEqual(data.posterior['mu'].shape, (4, 300))
        self.assertEqual(data.warmup_posterior['mu'].shape, (4, 60))
        for name in ('mu', 'sigma', 'z'):
            x, ours = data.posterior[name].values, summary[name]
            for value, theirs in ((ours['ess_bulk'], arviz.ess(x, method='bulk')), (ours['ess_tail'], arviz.ess(x, method='tail')),
                                  (ours['rhat'], arviz.rhat(x)), (ours['mcse'], arviz.mcse(x)), (ours['mean'], x.mean())):
                self.assertAlmostEqual(value / float(theirs), 1, 8)
        self.runner('generate', 'm.stan', '--data', 'd.json', '--draws', 'fit/m-1.csv,fit/m-2.csv', '--output', 'fit')
        predictive = arviz.from_cmdstan([self.path('fit/m-1.csv'), self.path('fit/m-2.csv')],
                                        posterior_predictive=[self.path('fit/m-generated-%d.csv' % k) for k in (1, 2)])
        self.assertEqual(predictive.posterior_predictive['z'].shape, (2, 300))


if __name__ == '__main__':
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]): BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=0)
