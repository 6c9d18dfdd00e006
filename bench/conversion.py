#!/usr/bin/env python3
"""Time and memory of conversions.

bench/conversion.py [--build BUILD] [--posteriordb CHECKOUT]

Converts the programs of testdata/ with their data (or the posteriors of a checkout of stan-dev/posteriordb) and prints, for each, the seconds of the
whole command (best of three), its peak memory, the sizes of data and model, and whether memory stays below 4 x (data + model) + 50 MB.
"""
import argparse, json, os, sys, tempfile, time, zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def programs_of_testdata():
    folder = os.path.join(ROOT, 'testdata')
    for name in sorted(os.listdir(folder)):
        model = os.path.join(folder, name, 'model.stan')
        if os.path.exists(model): yield name, model, os.path.join(folder, name, 'data.json')


def programs_of_posteriordb(checkout, tmp):
    root = os.path.join(checkout, 'posterior_database')
    for name in sorted(os.listdir(os.path.join(root, 'posteriors'))):
        with open(os.path.join(root, 'posteriors', name)) as f: posterior = json.load(f)
        archive = os.path.join(root, 'data', 'data', posterior['data_name'] + '.json.zip')
        if not os.path.exists(archive): continue
        data = os.path.join(tmp, posterior['data_name'] + '.json')
        with zipfile.ZipFile(archive) as z, open(data, 'wb') as f: f.write(z.read(z.namelist()[0]))
        yield name[:-5], os.path.join(root, 'models', 'stan', posterior['model_name'] + '.stan'), data


def run(command):
    """exit status, seconds and peak bytes of a command"""
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, '/dev/null', os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss * 1024


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('--build', default=os.path.join(ROOT, 'build'))
    a.add_argument('--posteriordb')
    a = a.parse_args()
    command, slowest, over, count = os.path.abspath(os.path.join(a.build, 'stan2onnx')), ('', 0), 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, 'm.onnx')
        print('| program | ms | memory MB | data MB | model MB |\n|---|---|---|---|---|')
        for name, model, data in programs_of_posteriordb(a.posteriordb, tmp) if a.posteriordb else programs_of_testdata():
            results = [run([command, model, '--data', data, '-o', out]) for _ in range(3)]
            if results[0][0]:
                print('| %s | exit status %d |' % (name, results[0][0]))
                continue
            seconds, memory = min(r[1] for r in results), max(r[2] for r in results)
            sizes = os.path.getsize(data), os.path.getsize(out)
            wide = memory > 4 * sum(sizes) + 50e6
            print('| %s | %.1f | %.1f%s | %.2f | %.2f |' % (name, 1e3 * seconds, memory / 1e6, ' (over)' if wide else '', sizes[0] / 1e6, sizes[1] / 1e6), flush=True)
            slowest, over, count = max(slowest, (name, seconds), key=lambda x: x[1]), over + wide, count + 1
    print('%d converted; slowest %s, %.0f ms; over the memory bound: %d' % (count, slowest[0], 1e3 * slowest[1], over))


if __name__ == '__main__':
    main()
