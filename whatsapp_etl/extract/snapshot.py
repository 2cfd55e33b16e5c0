"""Redacted snapshots of a page that was not understood, kept for a week."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

KEPT_FOR = timedelta(days=7)

_STAMP = "%Y-%m-%dT%H-%M-%S-%fZ"
_NAME = re.compile(r"(?P<stamp>\d{4}-\d\d-\d\dT[\d-]+Z)-[a-z0-9_.-]+\.html")


def write_snapshot(html: str, folder: Path, reason: str, now: datetime, redact: Callable[[str], str]) -> Path:
    """Write what is left of `html` after `redact`, readable by the owner only, and return its path.

    Snapshots older than `KEPT_FOR` are removed.

    Args:
        html: The page.
        folder: Made when missing.
        reason: Part of the file's name; lower-case letters, digits, "_", "." and "-".
        now: Aware; when the page looked so.
        redact: Replaces letters, digits and ids.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_old_snapshots(folder, now)
    path = folder / f"{now.astimezone(UTC).strftime(_STAMP)}-{reason}.html"
    path.touch(mode=0o600)
    path.write_text(redact(html), encoding="utf-8")
    return path


def remove_old_snapshots(folder: Path, now: datetime) -> None:
    """Remove what is older than `KEPT_FOR`; files of other names stay."""
    for path in folder.glob("*.html"):
        named = _NAME.fullmatch(path.name)
        if named and now - datetime.strptime(named["stamp"], _STAMP).replace(tzinfo=UTC) > KEPT_FOR:
            path.unlink(missing_ok=True)
