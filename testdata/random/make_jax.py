"""What JAX's generator gives, for tests/prng_test.c: python make_jax.py > jax.json (needs the package jax)."""
import json

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_threefry_partitionable", True)

SEEDS = [0, 1, 42, 2**32 + 5, 1234567890123456789, 2**63 - 1, -1]
COUNT = 5


def words(x):
    return [[int(v) >> 32, int(v) & 0xFFFFFFFF] for v in x]


def streams(seed):
    key = jax.random.PRNGKey(seed)
    return {
        "seed": seed,
        "key": [int(w) for w in key],
        "split": [[int(w) for w in k] for k in jax.random.split(key, COUNT)],
        "bits": words(jax.random.bits(key, (COUNT,), "uint64")),
        "uniform": [float(u) for u in jax.random.uniform(key, (COUNT,), "float64")],
    }


entries = ",\n".join(json.dumps(streams(s)) for s in SEEDS)
print('{"jax": "%s", "streams": [\n%s\n]}' % (jax.__version__, entries))
