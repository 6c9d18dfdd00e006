# What a fresh Debian machine lacks for building, running and testing: sourced by demo.sh and test.sh.
#
# Installs only what is missing: Debian packages (as root or through sudo), and ONNX Runtime's shared library
# from PyPI in an environment of the project's own (.venv), or from npm where PyPI is out of reach.
# STAN2ONNX_ORT, when set, names a library or folder to use instead.

ORT_VERSION=1.32.0
ORT_NODE_VERSION=1.30.0
ONNX_VERSION=1.23.2

say() { printf '\033[1m%s\033[0m\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() { # package names; only those that dpkg does not have
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

have_onnx_runtime() {
  [ -n "${STAN2ONNX_ORT:-}" ] || compgen -G '.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*' >/dev/null ||
    compgen -G 'node_modules/onnxruntime-node/bin/napi-v*/linux/*/libonnxruntime.so.1' >/dev/null
}

# The system's own Python first: another on the PATH may lack what makes environments.
make_environment() { # folder, packages...
  local folder=$1 python
  shift
  for python in /usr/bin/python3 python3; do
    if "$python" -m venv "$folder" 2>/dev/null && "$folder/bin/pip" install -q --disable-pip-version-check "$@"; then return 0; fi
    rm -rf "$folder"
  done
  return 1
}

install_onnx_runtime() {
  have_onnx_runtime && return
  say "Installing ONNX Runtime"
  make_environment .venv "onnxruntime==$ORT_VERSION" numpy && return
  say "PyPI does not answer; trying npm"
  install_packages npm
  npm install --no-save --silent "onnxruntime-node@$ORT_NODE_VERSION" && have_onnx_runtime && return
  echo "ONNX Runtime could not be installed; set STAN2ONNX_ORT to its shared library" >&2
  return 1
}

build() { # folder, CMake options...
  local folder=$1
  shift
  cmake -G Ninja -S . -B "$folder" "$@" >"$folder.log" 2>&1 && cmake --build "$folder" >>"$folder.log" 2>&1 && rm "$folder.log" && return
  tail -n 40 "$folder.log" >&2
  return 1
}

# What tests use beyond that: ONNX's checker. Without it, they skip what needs it.
install_test_tools() {
  [ -x .venv/bin/pip ] || make_environment .venv numpy || return 0
  .venv/bin/python -c 'import onnx' 2>/dev/null || .venv/bin/pip install -q --disable-pip-version-check "onnx==$ONNX_VERSION" || true
}

set_up() {
  install_packages gcc libc6-dev cmake ninja-build flex bison pkg-config libprotobuf-c-dev protobuf-c-compiler libjansson-dev \
    libtcmalloc-minimal4 python3-venv "$@"
  install_onnx_runtime
}
