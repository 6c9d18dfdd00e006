#!/usr/bin/env bash
# Installs what is missing, builds with sanitizers and warnings as errors, and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

set_up check clang-format
install_test_tools
say "Checking the layout of the sources"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
say "Building"
build build-test -DSTAN2ONNX_SANITIZE=ON -DSTAN2ONNX_WERROR=ON
build build -DSTAN2ONNX_WERROR=ON -DSTAN2ONNX_TESTS=OFF
say "Testing"
ctest --test-dir build-test --output-on-failure --timeout 2400 -j 2
