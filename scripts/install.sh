#!/bin/sh
# Build .venv from the hashed lock file: with uv where it is installed ($1 is its path), else venv and pip.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
uv=${1:-}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

python=$(find_python) || python=
if [ -z "$python" ] && [ -z "$uv" ]; then
    echo "whatsapp_etl needs Python 3.11 to 3.14 and found none. Install python3 (and python3-venv), or uv." >&2
    exit 3
fi

with_uv() {
    # A broken .venv is replaced without asking.
    { [ -x .venv/bin/python ] || UV_VENV_CLEAR=1 "$uv" venv --quiet --python "${python:-3.13}" .venv; } &&
        "$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r requirements-dev.lock &&
        "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
}

with_pip() {
    if [ ! -x .venv/bin/pip ]; then
        # Debian and Ubuntu keep what makes a venv in a package of its own.
        if ! "$python" -c 'import ensurepip' 2>/dev/null && command -v apt-get >/dev/null 2>&1; then
            as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null 2>&1 || true
        fi
        "$python" -m venv --clear .venv || {
            echo "$python -m venv failed. Run: sudo apt-get install python3-venv (or your distribution's name of it)." >&2
            exit 3
        }
    fi
    .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
}

echo "Installing into .venv …"
if [ -n "$uv" ]; then
    with_uv && exit 0
    [ -n "$python" ] || exit 3
    # The two trust different certificates, so behind some networks' proxies only one of them works.
    echo "uv could not install; trying venv and pip …" >&2
fi
with_pip
