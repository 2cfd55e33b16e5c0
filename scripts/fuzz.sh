#!/bin/sh
# Fuzz the parser for $1 minutes: guided by coverage where atheris installs, else with many random examples.
set -eu
cd "$(dirname "$0")/.."
minutes=$1
# In a folder of its own: the locked environment stays as it is.
[ -x .fuzz/bin/pip ] || .venv/bin/python -m venv .fuzz
if .fuzz/bin/pip install --quiet --disable-pip-version-check atheris==3.0.0; then
    PYTHONPATH="$(echo .fuzz/lib/python3*/site-packages):." exec .venv/bin/python tests/fuzz/explore.py "$minutes"
fi
echo "atheris does not install here; trying random examples instead." >&2
FUZZ_EXAMPLES=$((minutes * 2000)) exec .venv/bin/pytest -q --timeout=0 tests/fuzz
