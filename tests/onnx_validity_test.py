#!/usr/bin/env python3
"""Every model of testdata/, in every form, is valid ONNX: the checker with strict shape inference. And old releases of ONNX Runtime have
what it takes.

onnx_validity_test.py BUILD_DIR     needs the package onnx; without it exits with 77
"""
import os, subprocess, sys, tempfile

try:
    import onnx
except ImportError:
    print('SKIPPED, for want of the Python package onnx')
    sys.exit(77)

import runtime_kernels

TESTDATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'testdata')


def main():
    build = os.path.abspath(sys.argv[1])
    models = sorted(d for d in os.listdir(TESTDATA) if os.path.exists(os.path.join(TESTDATA, d, 'model.stan')))
    wrong = checked = 0
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, 'm.onnx')
        for name in models:
            source, data = (os.path.join(TESTDATA, name, f) for f in ('model.stan', 'data.json'))
            for entry in ('log-density', 'constrain', 'unconstrain', 'generate', 'sample'):
                for options in (['--data', data], [], ['--dialect', 'prob', '--data', data], ['--dialect', 'prob'],
                                ['--reproducible', '--dialect', 'prob']):
                    if entry == 'sample' and 'prob' not in options: continue  # what the flat form has, it has, too
                    p = subprocess.run([os.path.join(build, 'stan2onnx'), source, '--emit', entry, *options, '-o', out], capture_output=True, text=True)
                    if entry == 'generate' and 'has no generated quantities' in p.stderr: continue
                    try:
                        if p.returncode: raise ValueError(p.stderr)
                        model = onnx.load(out)
                        onnx.checker.check_model(model, full_check=True)
                        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
                        faults = runtime_kernels.faults(model)
                        if faults: raise ValueError('; '.join(faults))
                    except Exception as e:
                        wrong += 1
                        print('%s, %s, %s: %s' % (name, entry, ' '.join(o for o in options if o != data), str(e)[:400]))
                    checked += 1
    print('%d passed, %d failed' % (checked - wrong, wrong))
    return wrong > 0


if __name__ == '__main__':
    sys.exit(main())
