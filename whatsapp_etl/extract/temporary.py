"""Where Chromium puts its socket: a path that is short enough for one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from whatsapp_etl.errors import ConfigurationError

#: Bytes of a socket's path on macOS; Linux allows four more. Without the NUL at its end.
_SOCKET_PATH = 103
#: What Chromium adds to TMPDIR. With a longer path it ends before it begins, and tells only its own log.
#: Seen with Chromium 156, 2026-11-28.
_ADDED = len("/org.chromium.Chromium.XXXXXX/SingletonSocket")
LONGEST = _SOCKET_PATH - _ADDED
_SHORT = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - Chromium makes a private folder in it


def browser_environment(
    environment: Mapping[str, str], instead: tuple[Path, ...] = _SHORT
) -> dict[str, str] | None:
    """Return the browser's environment with a temporary folder that is short enough; None: it is as it is.

    Raises:
        ConfigurationError: TMPDIR is too long, and nothing else can be written.
    """
    wanted = environment.get("TMPDIR", "")
    if len(os.fsencode(wanted)) <= LONGEST:
        return None
    for folder in instead:
        if os.access(folder, os.W_OK | os.X_OK):
            return {**environment, "TMPDIR": str(folder)}
    raise ConfigurationError(
        f"TMPDIR: {wanted} is too long for the socket that Chromium makes there.",
        f"Set TMPDIR to a folder whose path has at most {LONGEST} bytes.",
    )
