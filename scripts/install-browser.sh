#!/bin/sh
# Install a Chromium where the program finds none. Quiet when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
python=.venv/bin/python

# 0: there is one. 1: there is none. Anything else: BROWSER_EXECUTABLE or another setting is wrong.
found() {
    "$python" - <<'PYTHON'
import sys

from whatsapp_etl.errors import BrowserMissingError, ConfigurationError
from whatsapp_etl.extract.browser import browser_version, find_browser
from whatsapp_etl.settings import read_settings

try:
    chosen = read_settings().browser_executable
    browser_version(find_browser(chosen))
except ConfigurationError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
except BrowserMissingError as error:
    if chosen is None:
        sys.exit(1)
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
PYTHON
}

done_or_wrong() {
    code=0
    found || code=$?
    [ "$code" -eq 1 ] || exit "$code"
}

done_or_wrong

log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "Installing Chromium …"
install="$python -m playwright install"
if [ "$(id -u)" -eq 0 ] && $install --with-deps chromium >"$log" 2>&1; then
    :
else
    $install chromium >>"$log" 2>&1 || true
fi
done_or_wrong

if command -v apt-get >/dev/null 2>&1; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >>"$log" 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >>"$log" 2>&1 || true
    done_or_wrong
fi

tail -n 5 "$log" >&2
cat >&2 <<'TEXT'

No Chromium could be installed. One of these helps; then run the same make target again:
  - .venv/bin/python -m playwright install chromium   (needs the network)
  - your distribution's package, for example: sudo apt-get install chromium
  - BROWSER_EXECUTABLE=/path/to/chrome in .env, for a browser that is installed elsewhere
TEXT
exit 3
