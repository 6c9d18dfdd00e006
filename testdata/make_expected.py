#!/usr/bin/env python3
"""Makes testdata/*/expected.json: what real Stan computes for each model.

make_expected.py [MODEL...]     needs a C++ compiler; run it with the Python of a virtual environment that has
                                httpstan==4.13.0 (real Stan 2.35, with stanc, headers and libraries) and numpy.

A file holds: `stan`, the version; `dims`, names and dims of parameters, transformed parameters and generated quantities; `unconstrained`, the number of
unconstrained values; `points`, each with
  x         the unconstrained point
  lp        log density with all constants: with and without Jacobian; and with dropped constants and Jacobian
  gradient  of the last
  values    parameters, transformed parameters, generated quantities, column-major over all dims
`gradient_tolerance`, where it is not the usual one, says how good Stan's own derivatives are, and `tolerance` how good all its numbers are.
Models with simplex parameters carry `old_simplex`: their x belongs to the transform of before Stan 2.37, so only what does not depend on it (values, lp[1]) can be compared.
"""
import json, os, re, subprocess, sys, tempfile
import httpstan, numpy as np

# Where Stan's own derivative is an approximation (of normal_lcdf by rational functions), how well it is known.
GRADIENT_TOLERANCE = {'truncated_data': 1e-5}

# Where Stan solves equations by other methods than ours: what the tolerances asked for leave of accuracy.
TOLERANCE = {'ode_stiff': 1e-6, 'roots': 1e-6}

HERE = os.path.dirname(os.path.abspath(__file__))
STAN = os.path.dirname(httpstan.__file__)


def build(model, folder):
    subprocess.run([os.path.join(STAN, 'stanc'), '--o=' + os.path.join(folder, 'm.hpp'), model], check=True)
    exe = os.path.join(folder, 'driver')
    subprocess.run(['g++', '-O0', '-std=c++17', '-w', '-D_REENTRANT', '-DBOOST_DISABLE_ASSERTS', '-I' + folder, '-I' + os.path.join(STAN, 'include'),
                    os.path.join(HERE, 'reference_driver.cpp'), '-o', exe, '-L' + os.path.join(STAN, 'lib'), '-Wl,-rpath,' + os.path.join(STAN, 'lib'),
                    '-ltbb', '-lsundials_cvodes', '-lsundials_idas', '-lsundials_kinsol', '-lsundials_nvecserial'], check=True)
    return exe


def points(size, count=6):
    random = np.random.default_rng(size + 1)
    spread = [0.0, 0.3, 0.7, 1.0, 1.5, 2.0]
    return [np.round(random.uniform(-s, s, size), 6).tolist() if s else [0.1] * size for s in spread[:count]]


def expected(name):
    folder = os.path.join(HERE, name)
    model, data = os.path.join(folder, 'model.stan'), os.path.join(folder, 'data.json')
    with tempfile.TemporaryDirectory() as tmp:
        exe = build(model, tmp)
        size = json.loads(subprocess.run([exe, data, 'sizes'], check=True, capture_output=True, text=True).stdout)['unconstrained']
        lines = ''.join(' '.join(map(repr, x)) + '\n' for x in points(size))
        out = json.loads(subprocess.run([exe, data], input=lines, check=True, capture_output=True, text=True).stdout)
    out = {'stan': '2.35.0', **out}
    if re.search(r'\bsimplex\s*\[', open(model).read().split('parameters', 1)[-1]):
        out['old_simplex'] = True
    if name in GRADIENT_TOLERANCE:
        out['gradient_tolerance'] = GRADIENT_TOLERANCE[name]
    if name in TOLERANCE:
        out['tolerance'] = TOLERANCE[name]
    with open(os.path.join(folder, 'expected.json'), 'w') as f:
        json.dump(out, f, separators=(',', ':'))
        f.write('\n')


def main():
    names = sys.argv[1:] or sorted(d for d in os.listdir(HERE) if os.path.exists(os.path.join(HERE, d, 'model.stan')))
    for name in names:
        try:
            expected(name)
            print(name, flush=True)
        except subprocess.CalledProcessError as e:
            print('%s: failed\n%s' % (name, e.stderr or ''), file=sys.stderr, flush=True)


if __name__ == '__main__':
    main()
