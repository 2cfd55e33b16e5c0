#!/bin/sh
# Install the extra `ocr` into .ocr, with uv where it is installed ($1 is its path), else pip; and Tesseract.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
uv=${1:-}

echo "Installing RapidOCR into .ocr …"
rm -rf .ocr
if ! { [ -n "$uv" ] &&
    "$uv" pip install --quiet --link-mode copy --python .venv/bin/python --target .ocr --require-hashes -r requirements-ocr.lock; }; then
    rm -rf .ocr
    [ -x .venv/bin/pip ] || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --target .ocr --require-hashes \
        -r requirements-ocr.lock
fi

# With a font of Chinese and Japanese, in which the benchmark draws pages.
command -v tesseract >/dev/null 2>&1 || {
    echo "Installing Tesseract …"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq tesseract-ocr fonts-wqy-microhei >/dev/null 2>&1 || {
        echo "Tesseract is missing. Run: sudo apt-get install tesseract-ocr (or your distribution's name of it)." >&2
        exit 3
    }
}
