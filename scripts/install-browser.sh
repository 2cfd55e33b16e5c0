#!/bin/sh
# Install a Chromium where the program finds none. Quiet when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python

found() {
    "$python" - <<'PYTHON'
import sys

from whatsapp_etl.errors import BrowserMissingError
from whatsapp_etl.extract.browser import browser_version, find_browser
from whatsapp_etl.settings import read_settings

try:
    browser_version(find_browser(read_settings().browser_executable))
except BrowserMissingError:
    sys.exit(1)
PYTHON
}

# The commands that may need root: as they are for root, by sudo where it asks for no password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

found && exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "Installing Chromium …"
if [ "$(id -u)" -eq 0 ]; then
    "$python" -m playwright install --with-deps chromium >"$log" 2>&1 || true
else
    "$python" -m playwright install chromium >"$log" 2>&1 || true
fi
found && exit 0

if command -v apt-get >/dev/null 2>&1; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >>"$log" 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >>"$log" 2>&1 || true
    found && exit 0
fi

tail -n 5 "$log" >&2
cat >&2 <<'TEXT'

No Chromium could be installed. One of these helps; then run the same make target again:
  - .venv/bin/python -m playwright install chromium   (needs the network)
  - your distribution's package, for example: sudo apt-get install chromium
  - BROWSER_EXECUTABLE=/path/to/chrome in .env, for a browser that is installed elsewhere
TEXT
exit 3
