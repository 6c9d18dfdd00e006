#!/usr/bin/env python3
"""The two commands as their users see them: options, files, exit statuses, messages.

command_test.py BUILD_DIR     needs only Python's own library
"""
import json, math, os, re, subprocess, sys, tempfile, unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTDATA = os.path.join(os.path.dirname(HERE), 'testdata')
BUILD = '.'

NORMAL = 'data { int<lower=0> N; vector[N] y; } parameters { real mu; real<lower=0> sigma; } model { y ~ normal(mu, sigma); }\n'


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), 'w') as f: f.write(text)
        return self.path(name)

    def stan2onnx(self, *args, stdin=''):
        return subprocess.run([os.path.join(BUILD, 'stan2onnx'), *args], capture_output=True, input=stdin.encode(), timeout=120, cwd=self.folder.name)

    def runner(self, *args, env=None):
        return subprocess.run([os.path.join(BUILD, 'stan2onnx-run'), *args], capture_output=True, text=True, timeout=120, cwd=self.folder.name,
                              env={**os.environ, **(env or {})})

    def fails(self, status, pattern, *args, stdin=''):
        """exits with `status` and a message, and leaves no file"""
        p = self.stan2onnx(*args, stdin=stdin)
        message = p.stderr.decode()
        self.assertEqual(p.returncode, status, message)
        self.assertRegex(message, pattern)
        self.assertFalse(os.path.exists(self.path('out.onnx')))
        return message

    def converts(self, *args, stdin=''):
        p = self.stan2onnx(*args, stdin=stdin)
        self.assertEqual(p.returncode, 0, p.stderr.decode())
        return p

    # ---- usage ----

    def test_help_and_version(self):
        help_text = self.converts('--help').stdout.decode()
        for option in ('--data', '--emit', '--dialect', '--no-propto', '--no-jacobian', '--no-gradient', '--check', '--info', '--depfile', '--include-paths'):
            self.assertIn(option, help_text)
        self.assertRegex(self.converts('--version').stdout.decode(), r'^stan2onnx \d+\.\d+\.\d+$')

    def test_wrong_usage(self):
        self.write('m.stan', NORMAL)
        self.fails(2, 'unknown option', 'm.stan', '--bogus', '-o', 'out.onnx')
        self.fails(2, 'no output file', 'm.stan')
        self.fails(2, 'no program', '-o', 'out.onnx')
        self.fails(2, 'entry point', 'm.stan', '--emit', 'nonsense', '-o', 'out.onnx')
        self.fails(2, 'cannot read', 'absent.stan', '-o', 'out.onnx')
        self.fails(2, 'cannot read', 'm.stan', '--data', 'absent.json', '-o', 'out.onnx')

    # ---- files ----

    def test_standard_streams(self):
        self.write('m.stan', NORMAL)
        self.converts('m.stan', '-o', 'out.onnx')
        piped = self.converts('-', '-o', '-', stdin=NORMAL).stdout
        self.assertGreater(len(piped), 500)
        data = '{"N": 2, "y": [1, 2]}'
        self.converts('m.stan', '--data', '-', '-o', 'baked.onnx', stdin=data)

    def test_same_bytes_every_time(self):
        for model in ('hierarchical_schools', 'multivariate_lkj', 'hmm_forward'):
            source, data = (os.path.join(TESTDATA, model, f) for f in ('model.stan', 'data.json'))
            for options in ((), ('--data', data), ('--dialect', 'prob', '--data', data)):
                first, second = (self.converts(source, *options, '-o', '-').stdout for _ in range(2))
                self.assertEqual(first, second)

    def test_places_that_cannot_be_written(self):
        self.write('m.stan', NORMAL)
        self.fails(2, 'no/such/folder', 'm.stan', '-o', 'no/such/folder/out.onnx')
        if os.path.exists('/dev/full'): self.fails(2, '/dev/full|write', 'm.stan', '-o', '/dev/full')

    def test_a_failed_run_keeps_no_file(self):
        self.write('m.stan', NORMAL)
        self.write('bad.json', '{"N": 2, "y": [1]}')
        self.fails(1, 'y', 'm.stan', '--data', 'bad.json', '-o', 'out.onnx')

    def test_depfile(self):
        self.write('shift.stan', 'real shift(real x) { return x + 1; }\n')
        self.write('m.stan', 'functions {\n#include "shift.stan"\n}\nparameters { real x; } model { target += -square(shift(x)); }\n')
        self.write('d.json', '{}')
        self.converts('m.stan', '--data', 'd.json', '-o', 'out.onnx', '--depfile', 'out.d')
        rule = open(self.path('out.d')).read()
        self.assertTrue(rule.startswith('out.onnx:'))
        for name in ('m.stan', 'd.json', 'shift.stan'): self.assertIn(name, rule)

    def test_include_paths(self):
        os.mkdir(self.path('inc'))
        self.write('inc/f.stan', 'real f(real x) { return -x * x; }\n')
        self.write('m.stan', 'functions {\n#include f.stan\n}\nparameters { real x; } model { target += f(x); }\n')
        self.fails(1, 'f.stan', 'm.stan', '-o', 'out.onnx')
        self.converts('m.stan', '-I', 'inc', '-o', 'out.onnx')

    # ---- programs ----

    def test_check_writes_nothing(self):
        self.write('m.stan', NORMAL)
        self.converts('--check', 'm.stan')
        self.assertEqual(os.listdir(self.folder.name), ['m.stan'])
        self.write('bad.stan', 'parameters { real x; }\nmodel { x ~ normal(0, y); }\n')
        self.fails(1, r"Semantic error in 'bad.stan', line 2, column 22", '--check', 'bad.stan')
        self.write('worse.stan', 'parameters { real x }\n')
        self.fails(1, r"Syntax error in 'worse.stan', line 1, column 20", '--check', 'worse.stan')

    def test_messages_show_the_place(self):
        self.write('bad.stan', 'parameters { real x; }\nmodel { x ~ normal(0, "a"); }\n')
        message = self.fails(1, 'line 2', 'bad.stan', '-o', 'out.onnx')
        self.assertIn('model { x ~ normal(0, "a"); }', message)
        self.assertRegex(message, r'\n\s*\|?\s*\^')

    def test_unsupported_is_named(self):
        self.write('m.stan', 'parameters { real x; }\nmodel { x ~ normal(0, 1); }\ngenerated quantities { complex z = to_complex(x, 1); }\n')
        self.converts('m.stan', '-o', 'density.onnx')
        self.fails(3, r"line 3, column \d+", 'm.stan', '--emit', 'generate', '-o', 'out.onnx')

    def test_one_unsupported_quantity_is_left_out(self):
        self.write('m.stan', 'parameters { real x; }\ngenerated quantities {\n  real y = 2 * x;\n  complex z = to_complex(x, 1);\n  real w = y + 1;\n}\n')
        message = self.converts('m.stan', '--emit', 'generate', '-o', 'out.onnx').stderr.decode()
        self.assertRegex(message, r"Warning in 'm.stan', line 4")
        self.assertIn("'z' is left out", message)
        p = self.runner('out.onnx', '--info', '--json')
        self.assertEqual([o['name'] for o in json.loads(p.stdout)['outputs']], ['y', 'w'])

    def test_info(self):
        self.write('m.stan', NORMAL)
        info = json.loads(self.converts('--info', 'm.stan').stdout)
        self.assertEqual(list(info['inputs']), ['N', 'y'])
        self.assertEqual(list(info['parameters']), ['mu', 'sigma'])
        self.assertEqual([d.split('_')[0] for d in info['distributions']], ['normal'])

    def test_dumps(self):
        self.write('m.stan', NORMAL)
        self.assertIn('normal', self.converts('--dump-ast', 'm.stan').stdout.decode())
        self.assertIn('exp', self.converts('--dump-ir', 'm.stan').stdout.decode())

    # ---- data ----

    def test_data_that_do_not_fit(self):
        self.write('m.stan', 'data { int<lower=1> N; array[N] int<lower=0, upper=5> y; } parameters { real x; } model { x ~ normal(0, 1); }\n')
        for data, pattern in (('{"N": 3, "y": [1, 7, 2]}', r'y\[2\].*7'), ('{"N": 0, "y": []}', r'N.*0'), ('{"N": 2}', r"y"),
                              ('{"N": 2, "y": [1.5, 2]}', r'y'), ('{"N": 2, "y": [[1], [2]]}', r'y'), ('{"N": "x", "y": []}', 'N'), ('[1, 2]', 'object'), ('{"N": ', 'JSON|json|expected')):
            self.write('d.json', data)
            self.fails(1, pattern, 'm.stan', '--data', 'd.json', '-o', 'out.onnx')

    def test_nodes_do_not_grow_with_the_data(self):
        # few observations of a logistic regression take another formula
        for model, least, sizes, scans in (('glm_logistic', 600, ('N',), 0), ('hierarchical_intercepts', 100, ('N',), 0), ('regression_loop', 100, ('N',), 0),
                                           ('series_garch', 100, ('T',), 2)):
            data = json.load(open(os.path.join(TESTDATA, model, 'data.json')))
            counts = []
            for size in (least, 20000):
                big = dict(data)
                for name in sizes:
                    old = data[name]
                    for key, value in data.items():
                        if isinstance(value, list) and len(value) == old: big[key] = [value[i % old] for i in range(size)]
                    big[name] = size
                self.write('big.json', json.dumps(big))
                p = self.converts(os.path.join(TESTDATA, model, 'model.stan'), '--data', 'big.json', '-o', 'out.onnx', '--stats')
                counts.append(int(re.search(r'nodes (\d+)', p.stderr.decode()).group(1)))
            # a recurrence takes some more for each factor of 5
            self.assertLessEqual(counts[0], counts[1], model)
            self.assertLessEqual(counts[1] - counts[0], scans * 25 * math.ceil(math.log(20000 / least, 5)), model)

    # ---- the runner ----

    def test_runner(self):
        self.write('m.stan', NORMAL)
        self.write('d.json', '{"N": 2, "y": [1, 2]}')
        self.converts('m.stan', '--data', 'd.json', '-o', 'm.onnx')
        p = self.runner('m.onnx', '--point', '0,0', '--json')
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertAlmostEqual(json.loads(p.stdout)['log_density'][0], -2.5)
        self.converts('m.stan', '-o', 'open.onnx')
        p = self.runner('open.onnx', '--point', '0,0', '--json')
        self.assertEqual(p.returncode, 1)
        self.assertIn('N', p.stderr)
        p = self.runner('open.onnx', '--data', 'd.json', '--point', '0,0', '--json')
        self.assertAlmostEqual(json.loads(p.stdout)['log_density'][0], -2.5)
        p = self.runner('m.onnx', '--point', '0,0,0')
        self.assertEqual(p.returncode, 1)
        self.assertNotIn('Traceback', p.stderr)

    def test_runner_without_onnx_runtime(self):
        self.write('m.stan', NORMAL)
        self.converts('m.stan', '-o', 'm.onnx')
        p = self.runner('m.onnx', '--ort', self.path('nothing'))
        self.assertEqual(p.returncode, 1)
        self.assertEqual(len(p.stderr.strip().splitlines()), 1)
        self.assertIn('ONNX Runtime', p.stderr)


if __name__ == '__main__':
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
