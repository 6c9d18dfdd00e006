#!/usr/bin/env python3
"""Makes stan.json: how real Stan samples the models of this folder.

make_stan.py [MODEL...]         needs a C++ compiler; run it with the Python of a virtual environment that has httpstan==4.13.0 (real
                                Stan 2.35, with stanc, headers and libraries) and numpy. Models that are not named keep what is there.

Of each model, over CHAINS chains (mean and standard deviation between chains): `stepsize` and `metric`, logarithms of the step size and of the inverse
metric after warmup; of the draws of each chain, `leapfrogs`, the logarithm of the mean number of points, `accept`, the mean acceptance probability,
`divergent`, the share that diverged, `mean` and `spread`, mean and logarithm of the standard deviation of each unconstrained value.
`fixed`, of some models: with a unit metric and a step size of `stepsize`, how often trajectories had how many points (`points`).
`static` and `static_fixed`, of some models: the same of static HMC with an integration time of `int_time`, and, of the latter, `moves`, the share of
draws that are not the one before, and `energy`, the mean of the energy.
"""
import collections, json, os, subprocess, sys, tempfile
import httpstan, numpy as np

CHAINS, WARMUP, SAMPLES = 40, 1000, 1000
STATIC = {'correlated': 1.5, 'logistic': 2, 'schools': 1}
STATIC_FIXED = {'correlated': (1.5, 0.4), 'schools': (1, 0.3)}
FIXED = {'normal_steps': 0.9, 'correlated': 0.15, 'funnel': 0.3, 'banana': 0.2}
HERE = os.path.dirname(os.path.abspath(__file__))
STAN = os.path.dirname(httpstan.__file__)


def build(name, folder):
    subprocess.run([os.path.join(STAN, 'stanc'), '--o=' + os.path.join(folder, 'm.hpp'), os.path.join(HERE, name + '.stan')], check=True)
    exe = os.path.join(folder, 'driver')
    subprocess.run(['g++', '-O1', '-std=c++17', '-w', '-D_REENTRANT', '-DBOOST_DISABLE_ASSERTS', '-I' + folder, '-I' + os.path.join(STAN, 'include'),
                    os.path.join(HERE, 'sampler_driver.cpp'), '-o', exe, '-L' + os.path.join(STAN, 'lib'), '-Wl,-rpath,' + os.path.join(STAN, 'lib'),
                    '-ltbb', '-lsundials_cvodes', '-lsundials_idas', '-lsundials_kinsol', '-lsundials_nvecserial'], check=True)
    return exe


def run(exe, *args):
    """Step sizes and metrics of the chains, and their draws [chain, draw, column]."""
    tuned, draws = [], []
    for line in subprocess.run([exe, *map(str, args)], check=True, capture_output=True, text=True).stdout.splitlines():
        word, *rest = line.split()
        if word == 'chain':
            draws.append([])
        elif word == 'tuned':
            tuned.append(list(map(float, rest)))
        elif word == 'draw':
            draws[-1].append(list(map(float, rest)))
    return np.array(tuned), np.array(draws)


def between(values):
    """Mean and standard deviation between chains, which are the first axis."""
    return [np.round(x, 6).tolist() for x in (np.mean(values, 0), np.std(values, 0, ddof=1))]


def expected(name):
    with tempfile.TemporaryDirectory() as folder:
        exe = build(name, folder)
        tuned, draws = run(exe, 'adapt', CHAINS, WARMUP, SAMPLES)
        x = draws[:, :, 7:]
        out = {'chains': CHAINS, 'warmup': WARMUP, 'samples': SAMPLES,
               'stepsize': between(np.log(tuned[:, 0])), 'metric': between(np.log(tuned[:, 1:])),
               'leapfrogs': between(np.log(draws[:, :, 4].mean(1))), 'accept': between(draws[:, :, 1].mean(1)),
               'divergent': between(draws[:, :, 5].mean(1)), 'mean': between(x.mean(1)), 'spread': between(np.log(x.std(1)))}
        if name in FIXED:
            _, draws = run(exe, 'fixed', 20, 200, 2000, FIXED[name])
            counts = collections.Counter(draws[:, :, 4].astype(int).ravel().tolist())
            out['fixed'] = {'stepsize': FIXED[name], 'chains': 20, 'warmup': 200, 'samples': 2000, 'points': sorted(counts.items()),
                            'leapfrogs': between(draws[:, :, 4].mean(1)), 'divergent': between(draws[:, :, 5].mean(1)), 'accept': between(draws[:, :, 1].mean(1))}
        if name in STATIC:
            tuned, draws = run(exe, 'static', CHAINS, WARMUP, SAMPLES, STATIC[name])
            x = draws[:, :, 5:]
            out['static'] = {'int_time': STATIC[name], 'chains': CHAINS, 'warmup': WARMUP, 'samples': SAMPLES, 'stepsize': between(np.log(tuned[:, 0])),
                             'metric': between(np.log(tuned[:, 1:])), 'accept': between(draws[:, :, 1].mean(1)), 'mean': between(x.mean(1)),
                             'spread': between(np.log(x.std(1)))}
        if name in STATIC_FIXED:
            time, step = STATIC_FIXED[name]
            _, draws = run(exe, 'static_fixed', 20, 200, 2000, time, step)
            x = draws[:, :, 5:]
            out['static_fixed'] = {'int_time': time, 'stepsize': step, 'chains': 20, 'warmup': 200, 'samples': 2000, 'accept': between(draws[:, :, 1].mean(1)),
                                   'moves': between((np.diff(x[:, :, 0], axis=1) != 0).mean(1)), 'energy': between(draws[:, :, 4].mean(1)),
                                   'mean': between(x.mean(1)), 'spread': between(np.log(x.std(1)))}
    return out


def main():
    path = os.path.join(HERE, 'stan.json')
    all_models = json.load(open(path)) if os.path.exists(path) else {'stan': '2.35.0', 'models': {}}
    for name in sys.argv[1:] or sorted(f[:-5] for f in os.listdir(HERE) if f.endswith('.stan')):
        all_models['models'][name] = expected(name)
        with open(path, 'w') as f:
            json.dump(all_models, f, separators=(',', ':'), sort_keys=True)
            f.write('\n')
        print(name, flush=True)


if __name__ == '__main__':
    main()
