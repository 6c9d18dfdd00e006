#!/usr/bin/env python3
"""Writes expected.json: small samples, and what ArviZ (0.23) says of each.

make_expected.py     needs arviz and numpy
"""
import json, os, warnings
warnings.simplefilter('ignore')
import arviz, numpy as np

rng = np.random.default_rng(20210601)


def autoregressive(chains, draws, rho, shift=0.0):
    x = np.empty((chains, draws))
    x[:, 0] = rng.normal(size=chains)
    for i in range(1, draws): x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho ** 2) * rng.normal(size=chains)
    return x + shift * np.arange(chains)[:, None]


samples = {
    'independent': rng.normal(3, 2, (4, 100)),
    'odd number of draws': autoregressive(4, 51, 0.3),
    'slow': autoregressive(4, 120, 0.95),
    'antithetic': autoregressive(2, 80, -0.6),
    'shifted chains': autoregressive(3, 60, 0.2, shift=1.5),
    'different scales': rng.normal(size=(4, 64)) * np.array([1, 1, 3, 0.3])[:, None],
    'heavy tails': rng.standard_cauchy((4, 90)),
    'integers with ties': rng.poisson(2.5, (4, 70)).astype(float),
    'mostly one value': (rng.uniform(size=(4, 50)) < 0.08).astype(float),
    'one chain': autoregressive(1, 100, 0.5),
    'few draws': rng.normal(size=(2, 5)),
    'large numbers': 1e9 + rng.normal(size=(2, 40)),
    'small numbers': 1e-9 * rng.normal(size=(3, 32)),
    'trend': np.linspace(0, 3, 60) + rng.normal(size=(2, 60)),
    'both signs of zero': rng.choice([0.0, -0.0, 1.0], (2, 40)),
}

cases = []
for name, x in samples.items():
    multiple = x.shape[0] > 1
    q5, median, q95 = np.quantile(x, [0.05, 0.5, 0.95])
    # ArviZ takes what varies by less than 1e-15 for constant, and means lose digits where large numbers differ little: errors are
    # those of a copy that is moved and scaled
    scale = 1e9 if np.ptp(x) < 1e-6 else 1
    scaled = scale * (x - median) if abs(median) > 1e6 else scale * x
    cases.append({
        'name': name,
        'chains': x.tolist(),
        'mean': x.mean(),
        'sd': (x - median).std(ddof=1),
        'median': median,
        'q5': q5,
        'q95': q95,
        'mcse': float(arviz.mcse(scaled, method='mean')) / scale,
        'ess_bulk': float(arviz.ess(x, method='bulk')),
        'ess_tail': float(arviz.ess(x, method='tail')),
        'rhat': float(arviz.rhat(x, method='rank')) if multiple else None,
        'bfmi': arviz.bfmi(scaled).tolist(),
    })

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'expected.json')
with open(path, 'w') as f: json.dump(cases, f, indent=0)
