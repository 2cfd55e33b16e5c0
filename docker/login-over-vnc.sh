#!/bin/sh
# Opens the window of `whatsapp-etl login` on a screen in memory, and shows that screen over noVNC behind a password
# that is made anew for each login and ends with it. Arguments go to `login`.
set -eu
umask 077
folder=$(mktemp -d)
screen=
bridge=
finish() {
    for process in $bridge $screen; do kill "$process" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# VNC compares eight characters. Without those that look alike.
password=$(python -c 'import secrets; print("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8)))')
printf '%s\n' "$password" | vncpasswd -f >"$folder/password"

# It writes its number when it takes windows; reading from the pipe waits for that.
mkfifo "$folder/number"
Xvnc -displayfd 3 -geometry 1280x900 -depth 24 -localhost -rfbport 5900 -SecurityTypes VncAuth \
    -PasswordFile "$folder/password" -AlwaysShared=0 -nolisten tcp >"$folder/screen.log" 2>&1 3>"$folder/number" &
screen=$!
read -r number <"$folder/number" || { cat "$folder/screen.log" >&2; exit 1; }

# In the container every address; compose publishes it on the loopback address of the machine alone.
websockify --web /usr/share/novnc "${NOVNC_LISTEN:-0.0.0.0:6080}" 127.0.0.1:5900 >"$folder/bridge.log" 2>&1 &
bridge=$!

echo "Open http://127.0.0.1:6080/vnc.html?autoconnect=1&resize=scale"
echo "Password, for this login only: $password"
DISPLAY=":$number" whatsapp-etl login "$@"
