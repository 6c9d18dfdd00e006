#!/usr/bin/env python3
"""Time per gradient, side by side on the same points: stan2onnx's models in ONNX Runtime, real Stan, stanli.

bench/gradient.py [--build FOLDER] [--keep FOLDER] [--only MODEL[,MODEL]] [--skip-stan] [-o TABLE.md]

Run with the Python of an environment that has httpstan==4.13.0 (real Stan 2.35), stanli and numpy; needs a C++ compiler and a build
(scripts/demo.sh makes one in build/). Programs are those of testdata/, with their data repeated to the sizes below. ONNX Runtime is driven through its C ABI
by stan2onnx-run, with one thread; Stan by a C++ loop (-O3 -march=native); stanli through its C interface. Times are the best of several batches, in
microseconds per gradient of one chain; ratios are ours over theirs: below 1 we are faster.
"""
import argparse, ctypes, json, math, os, subprocess, sys, tempfile, time
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# model, size variables to enlarge
CASES = [
    ('hierarchical_schools', {}),
    ('regression_linear', {'N': 1000}),
    ('glm_logistic', {'N': 1000}),
    ('glm_logistic', {'N': 100000}),
    ('glm_poisson', {'N': 10000}),
    ('hierarchical_intercepts', {'N': 10000}),
    ('irt_2pl', {'I': 30, 'J': 300}),
    ('ordinal_cumulative_brms', {'N': 2000}),
    ('mixture_two', {'N': 2000}),
    ('multivariate_lkj', {'N': 500}),
    ('gp_regression', {'N': 110}),
    ('prophet_trend', {'T': 1000}),
    ('series_stochastic_volatility', {'T': 1000}),
    ('series_garch', {'T': 500}),
    ('hmm_forward', {'T': 300}),
    ('survival_weibull', {'N': 5000}),
]
CHAINS = (1, 64, 1024)


def enlarged(model, sizes):
    """The model's data, repeated along the axes that a size variable counts."""
    data = json.load(open(os.path.join(ROOT, 'testdata', model, 'data.json')))
    for name, size in sizes.items():
        old = data[name]
        for key, value in data.items():
            a = np.array(value)
            if a.dtype.kind not in 'ifb': continue
            for axis in range(a.ndim):
                if a.shape[axis] == old: a = np.take(a, np.arange(size) % old, axis)
            if a.ndim: data[key] = a.tolist()
        data[name] = size
    return data


def ours(build, model, data_file, tmp):
    """microseconds a chain by number of chains, and the number of nodes"""
    onnx = os.path.join(tmp, 'm.onnx')
    p = subprocess.run([os.path.join(build, 'stan2onnx'), model, '--data', data_file, '-o', onnx, '--stats'], capture_output=True, text=True)
    if p.returncode: return None, p.stderr.strip().split('\n')[0]
    nodes = int(p.stderr.split('nodes ')[1].split(',')[0])
    run, times = os.path.join(build, 'stan2onnx-run'), {}
    info = json.loads(subprocess.run([run, onnx, '--info', '--json'], check=True, capture_output=True, text=True).stdout)
    size = next(i['shape'][1] for i in info['inputs'] if i['name'] == 'unconstrained')
    for chains in CHAINS:
        points = os.path.join(tmp, 'points.json')
        json.dump([[0.1] * size] * chains, open(points, 'w'))
        r = subprocess.run([run, onnx, '--point', points, '--time', '--json'], capture_output=True, text=True)
        if r.returncode: return None, r.stderr.strip()
        times[chains] = json.loads(r.stdout.replace('NaN', 'null'))['seconds_per_evaluation'] * 1e6 / chains
    return times, nodes


def compiled(source, name, folder):
    """the timer of a Stan program, compiled unless the folder holds it"""
    import httpstan
    exe, stan = os.path.join(folder, name), os.path.dirname(httpstan.__file__)
    if os.path.exists(exe): return exe
    subprocess.run([os.path.join(stan, 'stanc'), '--o=' + os.path.join(folder, 'm.hpp'), source], check=True, capture_output=True)
    subprocess.run(['g++', '-O3', '-march=native', '-std=c++17', '-w', '-D_REENTRANT', '-DBOOST_DISABLE_ASSERTS', '-I' + folder, '-I' + os.path.join(stan, 'include'),
                    os.path.join(HERE, 'stan_timer.cpp'), '-o', exe + '.new', '-L' + os.path.join(stan, 'lib'), '-Wl,-rpath,' + os.path.join(stan, 'lib'),
                    '-ltbb', '-lsundials_cvodes', '-lsundials_idas', '-lsundials_kinsol', '-lsundials_nvecserial'], check=True)
    os.rename(exe + '.new', exe)
    return exe


def real_stan(source, name, data_file, folder):
    exe = compiled(source, name, folder)
    return float(subprocess.run([exe, data_file], check=True, capture_output=True, text=True).stdout)


def best_microseconds(call, budget=0.5):
    call()
    best, spent, n = math.inf, 0.0, 1
    while spent < budget:
        start = time.perf_counter()
        for _ in range(n): call()
        t = time.perf_counter() - start
        spent += t
        best = min(best, t / n)
        if t < 0.02: n *= 2
    return best * 1e6


def by_stanli(model, data_file):
    import stanli
    m = stanli.Model(stan_file=model, data=data_file)
    lib, handle = stanli._lib, m._m
    q = (ctypes.c_double * max(1, m.n_unconstrained))(*[0.1] * m.n_unconstrained)
    grad, lp = (ctypes.c_double * max(1, m.n_unconstrained))(), ctypes.c_double()
    size = lib.stanli_n_unconstrained
    # a call that does nothing tells what ctypes itself costs
    overhead = best_microseconds(lambda: size(handle), 0.1)
    return max(0.05, best_microseconds(lambda: lib.stanli_grad(handle, q, ctypes.byref(lp), grad)) - overhead)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--build', default=os.path.join(ROOT, 'build'))
    a.add_argument('--keep', help="where compiled Stan programs are kept for the next time")
    a.add_argument('--only')
    a.add_argument('--skip-stan', action='store_true')
    a.add_argument('-o', '--output')
    a = a.parse_args()
    head = '| model | nodes | ours, 1 chain | 64 | 1024 | Stan | stanli | 1 / Stan | 64 / Stan | 64 / stanli |'
    lines = [head, '|' + '---|' * 10]
    print('\n'.join(lines))
    for model, sizes in CASES:
        if a.only and model not in a.only.split(','): continue
        with tempfile.TemporaryDirectory() as tmp:
            data_file, source = os.path.join(tmp, 'data.json'), os.path.join(ROOT, 'testdata', model, 'model.stan')
            json.dump(enlarged(model, sizes), open(data_file, 'w'))
            times, nodes = ours(a.build, source, data_file, tmp)
            label = model + ''.join(', %s = %d' % s for s in sizes.items())
            if times is None:
                lines.append('| %s | %s |' % (label, nodes))
            else:
                stan = math.nan if a.skip_stan else real_stan(source, model, data_file, a.keep or tmp)
                try: li = by_stanli(source, data_file)
                except Exception as e: li = math.nan; print('stanli: %s' % str(e).split('\n')[0], file=sys.stderr)
                lines.append('| %s | %d | %.1f | %.2f | %.2f | %.1f | %.1f | %.2f | %.2f | %.2f |' % (
                    label, nodes, times[1], times[64], times[1024], stan, li, times[1] / stan, times[64] / stan, times[64] / li))
        print(lines[-1], flush=True)
    if a.output:
        with open(a.output, 'w') as f: f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
