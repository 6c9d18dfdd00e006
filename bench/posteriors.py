#!/usr/bin/env python3
"""Our draws against reference draws.

bench/posteriors.py --posteriordb CHECKOUT [--build BUILD] [--only NAME,...] [--limit SECONDS] [--seed N] [--threads N] [--stan-fits FOLDER]

Samples the posteriors of a checkout of stan-dev/posteriordb that have reference draws (4 chains, 1000 iterations of warmup and 1000 after it) and
compares mean and standard deviation of every parameter with the reference. A difference is measured in standard errors, which combine the Monte Carlo
errors of both sides: z = (ours - theirs) / sqrt(se_ours^2 + se_theirs^2). Prints, for each posterior, the number of parameters, the share of means and
deviations with |z| <= 4, the largest |z| and where it is, the worst R-hat of all quantities, divergent transitions, seconds, and of the reference's
parameters the worst R-hat and the least and the median bulk effective sample size per draw. The exit status is 1 if less than 99 % of all comparisons
are within 4 standard errors, or if a posterior could not be compared.

--stan-fits sets Stan's beside them: FOLDER/NAME/*.csv are the files of a run of CmdStan with as many draws. Our own summary reads them, so that both
sides are measured alike. Then the exit status is 1, too, if no posterior has such files, if ours has an R-hat of 1.01 or more where Stan's is below, or
if its least effective sample size per draw is less than 0.8 of Stan's.
"""
import argparse, glob, json, os, subprocess, sys, tempfile, time, zipfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WITHIN, GOAL = 4.0, 0.99
RHAT, ESS_RATIO = 1.01, 0.8  # the limit of R-hat, and what of Stan's effective sample size ours is at least


def load_archive(path):
    with zipfile.ZipFile(path) as z: return z.read(z.namelist()[0])


def posteriors(checkout):
    """name, program, archive of the data and archive of the draws of each posterior that has them all"""
    root = os.path.join(checkout, 'posterior_database')
    for path in sorted(glob.glob(os.path.join(root, 'posteriors', '*.json'))):
        with open(path) as f: p = json.load(f)
        if not p.get('reference_posterior_name'): continue
        data = os.path.join(root, 'data', 'data', p['data_name'] + '.json.zip')
        draws = os.path.join(root, 'reference_posteriors', 'draws', 'draws', p['reference_posterior_name'] + '.json.zip')
        if os.path.exists(data) and os.path.exists(draws):
            yield p['name'], os.path.join(root, 'models', 'stan', p['model_name'] + '.stan'), data, draws


def column(name):
    """theta[1,2] as in the header of a CSV file"""
    return name.replace('[', '.').replace(',', '.').replace(']', '').replace(' ', '')


def reference_draws(archive):
    """{name as in the header of a CSV file: draws by chain}"""
    chains = json.loads(load_archive(archive))
    return {column(name): np.array([c[name] for c in chains]) for name in chains[0]}


def our_draws(folder):
    chains = []
    for path in sorted(glob.glob(os.path.join(folder, '*.csv'))):
        with open(path) as f: lines = [l for l in f if l.strip() and not l.startswith('#')]
        names = lines[0].strip().split(',')
        chains.append(np.array([l.split(',') for l in lines[1:]], dtype=float))
    return {name: np.array([c[:, i] for c in chains]) for i, name in enumerate(names)}


def effective_size(x):
    """of draws by chain: halves of chains, autocorrelation summed over Geyer's initial monotone sequence of pairs"""
    half = x.shape[1] // 2
    x = np.concatenate([x[:, :half], x[:, -half:]])
    m, n = x.shape
    centred = x - x.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * n, axis=1)
    autocovariance = np.fft.irfft(np.abs(spectrum) ** 2, 2 * n, axis=1)[:, :n] / n
    within = autocovariance[:, 0].mean() * n / (n - 1)
    total = within * (n - 1) / n + x.mean(axis=1).var(ddof=1)
    if not total > 0: return float('nan')
    rho = 1 - (within - autocovariance.mean(axis=0) * n / (n - 1)) / total
    rho[0] = 1
    pairs = rho[:n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    if len(negative): pairs = pairs[:negative[0]]
    tau = -1 + 2 * np.minimum.accumulate(pairs).sum()
    return m * n / max(tau, 1 / np.log10(m * n))


def moments(x):
    """mean, its standard error, standard deviation, its standard error (delta method on the mean of squared deviations)"""
    sd = x.std(ddof=1)
    squares = (x - x.mean()) ** 2
    return x.mean(), sd / np.sqrt(effective_size(x)), sd, squares.std(ddof=1) / np.sqrt(effective_size(squares)) / (2 * sd)


def compare(ours, theirs):
    """[(|z|, what)] for the mean and the deviation of each parameter of the reference; names that we do not have"""
    result, missing = [], []
    for name, reference in theirs.items():
        if name not in ours:
            missing.append(name)
            continue
        mean, mean_se, sd, sd_se = moments(ours[name])
        ref_mean, ref_mean_se, ref_sd, ref_sd_se = moments(reference)
        for what, z in (('mean', (mean - ref_mean) / np.hypot(mean_se, ref_mean_se)), ('sd', (sd - ref_sd) / np.hypot(sd_se, ref_sd_se))):
            result.append((abs(z) if np.isfinite(z) else float('inf'), '%s %s' % (what, name)))
    return result, missing


def convergence(summary, names):
    """of the quantities with these names of a CSV file's header: worst R-hat, and least and median bulk effective sample size per draw"""
    known = [q for q in summary['quantities'] if column(q['name']) in names and isinstance(q.get('rhat'), (int, float)) and isinstance(q.get('ess_bulk'), (int, float))]
    if not known: return float('nan'), float('nan'), float('nan')
    ess = [q['ess_bulk'] / (summary['chains'] * summary['draws']) for q in known]
    return max(q['rhat'] for q in known), min(ess), float(np.median(ess))


def stan_summary(a, name):
    """of CmdStan's files for a posterior, by our own command; None where there are none"""
    files = sorted(glob.glob(os.path.join(a.stan_fits, name, '*.csv')))
    if not files: return None
    p = subprocess.run([os.path.abspath(os.path.join(a.build, 'stan2onnx-run')), 'summary', *files, '--json'], capture_output=True, text=True)
    return json.loads(p.stdout) if p.returncode == 0 else None


def sample(a, program, data, folder):
    """summary and seconds; or a reason why there are none"""
    command = [os.path.abspath(os.path.join(a.build, 'stan2onnx-run')), 'sample', program, '--data', data, '--output', folder, '--json', '--sig-figs', '17',
               '--seed', str(a.seed), '--threads', str(a.threads)]
    start = time.perf_counter()
    try: p = subprocess.run(command, capture_output=True, text=True, timeout=a.limit)
    except subprocess.TimeoutExpired: return 'over %g s' % a.limit, None
    if p.returncode: return 'exit status %d: %s' % (p.returncode, (p.stderr.strip().splitlines() or [''])[-1][:120]), None
    return json.loads(p.stdout), time.perf_counter() - start


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--build', default=os.path.join(ROOT, 'build'))
    a.add_argument('--posteriordb', required=True)
    a.add_argument('--only', help='names of posteriors, separated by commas')
    a.add_argument('--limit', type=float, default=60, help='seconds for each posterior')
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--threads', type=int, default=1)
    a.add_argument('--stan-fits', help="folder with a folder of CmdStan's CSV files for each posterior")
    a = a.parse_args()
    known = {p[0]: p for p in posteriors(a.posteriordb)}
    names = a.only.split(',') if a.only else list(known)
    unknown = [n for n in names if n not in known]
    if unknown: sys.exit('no such posterior with data and reference draws: ' + ', '.join(unknown))
    total, within, failed = 0, 0, 0
    beside, worse = 0, []  # how many are set beside Stan's, and where ours is the worse
    columns = ['posterior', 'parameters', 'within %g s.e.' % WITHIN, 'largest z', 'worst R-hat', 'divergences', 's', "parameters' R-hat", 'ESS per draw', 'median']
    if a.stan_fits: columns += ["Stan's R-hat", "Stan's ESS per draw", 'median']
    print('| %s |\n%s|' % (' | '.join(columns), '|---' * len(columns)))
    for name in names:
        _, program, data_archive, draws_archive = known[name]
        with tempfile.TemporaryDirectory() as tmp:
            data, folder = os.path.join(tmp, 'data.json'), os.path.join(tmp, 'fit')
            with open(data, 'wb') as f: f.write(load_archive(data_archive))
            summary, seconds = sample(a, program, data, folder)
            if seconds is None:
                failed += 1
                print('| %s | %s |' % (name, summary), flush=True)
                continue
            theirs = reference_draws(draws_archive)
            z, missing = compare(our_draws(folder), theirs)
        if missing or not z:
            failed += 1
            print('| %s | not among our columns: %s |' % (name, ', '.join(missing[:5])), flush=True)
            if not z: continue
        good, (worst, where) = sum(v <= WITHIN for v, _ in z), max(z)
        rhat = max((q['rhat'] for q in summary['quantities'] if isinstance(q.get('rhat'), (int, float))), default=float('nan'))
        ours = convergence(summary, theirs)
        line = '| %s | %d | %.1f %% | %.2f (%s) | %.3f | %d | %.1f | %.3f | %.2f | %.2f |' % (name, len(z) // 2, 100 * good / len(z), worst, where, rhat,
                                                                                   summary['divergences'], seconds, *ours)
        total, within = total + len(z), within + good
        stan = a.stan_fits and stan_summary(a, name)
        if stan:
            stan = convergence(stan, theirs)
            line += ' %.3f | %.2f | %.2f |' % stan
            beside += 1
            if stan[0] < RHAT and not ours[0] < RHAT: worse.append('%s: R-hat %.3f, Stan %.3f' % (name, ours[0], stan[0]))
            if not ours[1] >= ESS_RATIO * stan[1]: worse.append('%s: ESS per draw %.2f, Stan %.2f' % (name, ours[1], stan[1]))
        elif a.stan_fits: line += ' | | |'
        print(line, flush=True)
    print('%d of %d comparisons within %g standard errors (%.2f %%); posteriors without a comparison: %d' %
          (within, total, WITHIN, 100 * within / max(total, 1), failed))
    if a.stan_fits:
        print("set beside Stan's: %d; R-hat %g or more where Stan's is below, or ESS per draw below %g of Stan's: %d" % (beside, RHAT, ESS_RATIO, len(worse)))
        for w in worse: print('  ' + w)
    sys.exit(failed > 0 or within < GOAL * total or bool(worse) or (bool(a.stan_fits) and not beside))


if __name__ == '__main__': main()
