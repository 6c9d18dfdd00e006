#!/usr/bin/env python3
"""From a Stan program and its data to a posterior summary, side by side: stan2onnx-run sample, stanli, and on request real Stan.

bench/sampling.py [--build FOLDER] [--stan-python PYTHON] [--ours-only] [--pystan] [--many N[,N]] [--only MODEL[,MODEL]] [--repeat N] [-o TABLE.md]

Every run is a process of its own, timed from start to end, so that it pays for what its users pay for: starting, reading the program, whatever it compiles,
sampling, the summary. The best of N runs counts; the programs take turns, so that a busy machine is busy for all. --stan-python is a Python that has stanli (and,
for --pystan, pystan); the default is the one that runs this script. Programs and data are those of testdata/.

The first table's "in process" is stanli's time without the start of Python and its imports. ESS is the least bulk effective sample size among all
quantities but lp__, per second of the whole run. The second table has the seconds of runs of more chains (--many, 16 and 64). The third has thousands of
leapfrog steps per second after warmup, of all chains together, by the sampling times in the files that the runner writes. The fourth sets what a step of all
chains takes on one thread beside what their gradients take by themselves: what is more is the sampler's own, and chains that wait for others. With --pystan
there is a last one, of real Stan: its compilation (with an empty cache) and its sampling of 4 chains and of the most of --many, beside our whole runs.
"""
import argparse, csv, glob, json, math, os, platform, re, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
MODELS = ['hierarchical_schools', 'regression_linear', 'glm_logistic', 'glm_poisson', 'hierarchical_intercepts', 'irt_rasch', 'mixture_two',
          'ordinal_logistic']
CHAINS = (1, 4, 64, 1024)
RATE_ITERATIONS = 300  # of warmup, and as many after it, for the tables of rates
SHARED = (4, 64)  # chains of the table of what the sampler adds to gradients

# Each prints its summary, then {"seconds": without the start of Python, "ess": least bulk ESS}.
STANLI = '''
import sys, json, time, numpy as np, stanli
start = time.perf_counter()
fit = stanli.Model(stan_file=sys.argv[1], data=sys.argv[2]).sample(seed=1, chains=int(sys.argv[3]), warmup=1000, samples=1000, refresh=0)
summary = fit.summary()
print(summary)
seconds = time.perf_counter() - start
print(json.dumps({'seconds': seconds, 'ess': np.nanmin([e for name, e in zip(summary.names, summary.ess_bulk) if not name.endswith('__')])}))
'''
PYSTAN = '''
import sys, json, time, stan
start = time.perf_counter()
model = stan.build(open(sys.argv[1]).read(), data=json.load(open(sys.argv[2])), random_seed=1)
times = [time.perf_counter() - start]
for chains in sys.argv[3].split(','):
    start = time.perf_counter()
    fit = model.sample(num_chains=int(chains), num_warmup=1000, num_samples=1000)
    print({name: fit[name].mean(axis=-1) for name in fit.param_names})
    times.append(time.perf_counter() - start)
print(json.dumps(times))
'''


def timed(command):
    """seconds and standard output of a process; None and its last words if it fails"""
    start = time.perf_counter()
    p = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    return (seconds, p.stdout) if p.returncode == 0 else (None, (p.stderr.strip() or 'no output').split('\n')[-1])


def ours(runner, program, chains):
    seconds, out = timed([runner, 'sample', program[0], '--data', program[1], '--json', '--chains', str(chains)])
    if seconds is None: raise RuntimeError('stan2onnx-run: ' + out)
    return {'total': seconds, 'ess': min(q['ess_bulk'] for q in json.loads(out)['quantities'] if q['name'] != 'lp__' and q['ess_bulk'] is not None)}


def python(interpreter, script, program, chains):
    seconds, out = timed([interpreter, '-c', script, *program, str(chains)])
    if seconds is None: raise RuntimeError(out)
    return {'total': seconds} | json.loads(out.strip().split('\n')[-1])


def stan_seconds(interpreter, program, chains):
    """that pystan takes to compile and then to sample so many chains, in one process whose cache is empty"""
    with tempfile.TemporaryDirectory() as cache:
        p = subprocess.run([interpreter, '-c', PYSTAN, *program, ','.join(str(n) for n in chains)], capture_output=True, text=True,
                           env=os.environ | {'XDG_CACHE_HOME': cache})
    if p.returncode: raise RuntimeError('pystan: ' + p.stderr.strip().split('\n')[-1])
    return json.loads(p.stdout.strip().split('\n')[-1])


def leapfrogs_per_second(runner, program, chains, *options):
    with tempfile.TemporaryDirectory() as folder:
        n = str(RATE_ITERATIONS)
        seconds, out = timed([runner, 'sample', program[0], '--data', program[1], '--chains', str(chains), '--warmup', n, '--samples', n, '--quiet', '--output', folder, *options])
        if seconds is None: raise RuntimeError('stan2onnx-run: ' + out)
        steps, longest = 0, 0.0
        for file in glob.glob(os.path.join(folder, '*.csv')):
            text = open(file).read()
            steps += sum(int(float(row['n_leapfrog__'])) for row in csv.DictReader(line for line in text.split('\n') if line and line[0] != '#'))
            longest = max(longest, float(re.search(r'([\d.]+) seconds \(Sampling\)', text)[1]))
        return steps / longest


def gradient_seconds(build, program, chains):
    """of the log density and its gradient at points of so many chains, in one call on one thread"""
    with tempfile.TemporaryDirectory() as folder:
        model, points = os.path.join(folder, 'model.onnx'), os.path.join(folder, 'points.json')
        run = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True).stdout
        run(os.path.join(build, 'stan2onnx'), program[0], '--data', program[1], '-o', model)
        info = json.loads(run(os.path.join(build, 'stan2onnx-run'), model, '--info', '--json'))
        size = next(i['shape'][1] for i in info['inputs'] if i['name'] == 'unconstrained')
        with open(points, 'w') as f: json.dump([[0.1] * size] * chains, f)
        return json.loads(run(os.path.join(build, 'stan2onnx-run'), model, '--point', points, '--time', '--json').replace('NaN', 'null'))['seconds_per_evaluation']


def processor():
    try:
        with open('/proc/cpuinfo') as f: return re.search(r'model name\s*:\s*(.*)', f.read())[1]
    except (OSError, TypeError): return platform.processor() or platform.machine()


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--build', default=os.path.join(ROOT, 'build'))
    a.add_argument('--stan-python', default=sys.executable)
    a.add_argument('--ours-only', action='store_true')
    a.add_argument('--pystan', action='store_true')
    a.add_argument('--many', default='16,64')
    a.add_argument('--only')
    a.add_argument('--repeat', type=int, default=3)
    a.add_argument('-o', '--output')
    a = a.parse_args()
    runner = os.path.join(a.build, 'stan2onnx-run')
    models = a.only.split(',') if a.only else MODELS
    programs = {m: [os.path.join(ROOT, 'testdata', m, f) for f in ('model.stan', 'data.json')] for m in models}
    lines = []

    def show(line):
        lines.append(line)
        print(line, flush=True)

    contestants = [('ours', lambda *run: ours(runner, *run))]
    if not a.ours_only: contestants.append(('stanli', lambda *run: python(a.stan_python, STANLI, *run)))

    def best_of(program, chains, repeat, contestants):
        best = {}
        for _ in range(repeat):
            for name, run in contestants:
                try: result = run(program, chains)
                except (RuntimeError, ValueError) as e: print('%s, %s: %s' % (program[0], name, e), file=sys.stderr); continue
                if name not in best or result['total'] < best[name]['total']: best[name] = result
        return lambda name, key: best.get(name, {}).get(key, math.nan)

    show('%s, %d cores, load %.1f; best of %d' % (processor(), os.cpu_count(), os.getloadavg()[0], a.repeat))
    show('')
    show('| program | ours, s | stanli, s | in process | ours / stanli | ESS/s, ours | ESS/s, stanli |')
    show('|---' + '|---:' * 6 + '|')
    for model, program in programs.items():
        get = best_of(program, 4, a.repeat, contestants)
        show('| %s | %.2f | %.2f | %.2f | %.2f | %.0f | %.0f |' % (
            model, get('ours', 'total'), get('stanli', 'total'), get('stanli', 'seconds'), get('ours', 'total') / get('stanli', 'total'),
            get('ours', 'ess') / get('ours', 'total'), get('stanli', 'ess') / get('stanli', 'total')))
    many = [int(n) for n in a.many.split(',') if n]
    if many:
        show('')
        show('| seconds | ' + ' | '.join('ours, %d chains | stanli | ours / stanli' % n for n in many) + ' |')
        show('|---' + '|---:' * (3 * len(many)) + '|')
    for model, program in programs.items() if many else ():
        cells = []
        for n in many:
            get = best_of(program, n, 1, contestants)
            cells.append('%.2f | %.2f | %.2f' % (get('ours', 'total'), get('stanli', 'total'), get('ours', 'total') / get('stanli', 'total')))
        show('| %s | %s |' % (model, ' | '.join(cells)))
    show('')
    show('| leapfrog steps, 1000/s | ' + ' | '.join('%d chain%s' % (n, 's' * (n > 1)) for n in CHAINS) + ' |')
    show('|---' + '|---:' * len(CHAINS) + '|')
    for model, program in programs.items():
        show('| %s | %s |' % (model, ' | '.join('%.1f' % (leapfrogs_per_second(runner, program, n) / 1000) for n in CHAINS)))
    show('')
    show('| us on one thread | ' + ' | '.join('a step, %d chains | its gradients | sampler / gradients' % n for n in SHARED) + ' |')
    show('|---' + '|---:' * (3 * len(SHARED)) + '|')
    for model, program in programs.items():
        cells = []
        for n in SHARED:
            step = n / leapfrogs_per_second(runner, program, n, '--threads', '1')
            gradient = gradient_seconds(a.build, program, n)
            cells.append('%.1f | %.1f | %.2f' % (step * 1e6, gradient * 1e6, step / gradient - 1))
        show('| %s | %s |' % (model, ' | '.join(cells)))
    if a.pystan:
        most = max(many, default=64)
        show('')
        show('| seconds | pystan compiles | samples 4 chains | %d chains | ours, from the program on, 4 chains | %d chains |' % (most, most))
        show('|---' + '|---:' * 5 + '|')
    for model, program in programs.items() if a.pystan else ():
        stan = stan_seconds(a.stan_python, program, (4, most))
        show('| %s | %s |' % (model, ' | '.join('%.2f' % s for s in stan + [ours(runner, program, n)['total'] for n in (4, most)])))
    if a.output:
        with open(a.output, 'w') as f: f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
