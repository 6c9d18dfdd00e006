#!/usr/bin/env python3
"""Samples a posterior with onnxruntime and numpy alone: sample.py MODEL.onnx, made with --emit sample and --data."""
import sys, numpy as np, onnxruntime as ort

chains, warmup, samples = 4, 1000, 1000
model = ort.InferenceSession(sys.argv[1])
names = [output.name for output in model.get_outputs()]
inputs = {'prng_state': np.array([0, 1]), 'chains': np.array(chains), 'warmup': np.array(warmup), 'samples': np.array(samples),
          'settings': np.array([0.8, 10, 1, 2]),  # delta, maximum tree depth, first step size, radius of starting points
          'sampler_keys': np.zeros((0, 2), np.int64)} | {i.name: np.zeros((0, i.shape[1] if isinstance(i.shape[1], int) else 0))
                                                         for i in model.get_inputs() if i.name in ('init', 'sampler_state')}
slices = []
for done in range(0, warmup + samples, 250):  # in slices, each from where the one before ended
    result = dict(zip(names, model.run(None, inputs | {'iterations': np.array(250)})))
    inputs |= {'sampler_state': result['next_sampler_state'], 'sampler_keys': result['next_sampler_keys']}
    print('%d of %d iterations' % (done + 250, warmup + samples), file=sys.stderr)
    if done >= warmup: slices.append(result)
draws = {name: np.concatenate([s[name] for s in slices], axis=1) for name in names if slices[0][name].shape[1:2] == (250,)}
for name, x in draws.items():
    print('%-20s mean %s  sd %s' % (name, np.round(x.mean((0, 1)), 3), np.round(x.std((0, 1)), 3)))
