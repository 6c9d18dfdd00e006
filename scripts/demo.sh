#!/usr/bin/env bash
# From a fresh checkout to a converted model that runs: installs what is missing, builds, converts the
# eight-schools example with its data, evaluates it in ONNX Runtime, and samples its posterior.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

set_up
say "Building"
build build -DSTAN2ONNX_TESTS=OFF
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
model=examples/eight_schools

run() {
  printf '\n\033[36m$ %s\033[0m\n' "$*" | sed "s|$out/||g"
  "$@"
}

say "A hierarchical model: treatment effects in eight schools"
cat $model/eight_schools.stan
say "Compiled with its data into one ONNX file: log density and gradient"
run build/stan2onnx $model/eight_schools.stan --data $model/eight_schools.json -o "$out/eight_schools.onnx" --stats
say "Evaluated in ONNX Runtime, three chains at once, at random points"
run build/stan2onnx-run "$out/eight_schools.onnx" --chains 3 --seed 1
say "How fast: 64 chains in one evaluation"
run build/stan2onnx-run "$out/eight_schools.onnx" --chains 64 --seed 1 --time | tail -n 3
say "And its posterior: four chains of NUTS, which runs inside an ONNX graph as well"
run build/stan2onnx-run sample $model/eight_schools.stan --data $model/eight_schools.json --seed 1 --output "$out/draws"
say "Done. Next: build/stan2onnx --help, build/stan2onnx-run --help, and the README."
