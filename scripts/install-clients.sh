#!/bin/sh
# Install other people's WhatsApp Web clients, each into an environment of its own below .conformance/.
# Versions are pinned in tests/conformance/clients/; nothing of them is used by the program.
set -eu
cd "$(dirname "$0")/.."
clients=tests/conformance/clients
home=.conformance

for name in whatsplay camouchat qr_reader; do
    echo "Installing $name into $home/$name …"
    .venv/bin/python -m venv --clear "$home/$name"
    "$home/$name/bin/pip" install --quiet --disable-pip-version-check -r "$clients/$name.txt"
done

command -v npm >/dev/null 2>&1 || {
    echo "The QR helper of wppconnect needs Node.js and npm. Install them and run this again." >&2
    exit 3
}
echo "Installing wppconnect into $home/wppconnect …"
rm -rf "$home/wppconnect"
mkdir -p "$home/wppconnect"
# Its browser download is not wanted: Chromium is here already.
PUPPETEER_SKIP_DOWNLOAD=1 npm install --silent --prefix "$home/wppconnect" --no-package-lock --no-save \
    --ignore-scripts --no-audit --no-fund "$(cat "$clients/wppconnect.txt")"
