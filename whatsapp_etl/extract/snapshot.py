"""Redacted snapshots and blurred pictures of a page that was not understood, kept for a week."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import structlog
from PIL import Image

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=7)

_STAMP = "%Y-%m-%dT%H-%M-%S-%fZ"
_NAME = re.compile(r"(?P<stamp>\d{4}-\d\d-\d\dT[\d-]+Z)-[a-z0-9_.-]+\.(html|png)")

#: One cell of a picture stands for so many pixels each way: as large as the letters of a large heading,
#: and smaller than a dialog.
_BLUR_PIXELS = 40


def place_of(write: Callable[[], Path]) -> str:
    """Write a snapshot and return its path; where the disk refuses it, why there is none.

    What was seen on the page is told in any case: a full disk must not hide it.
    """
    try:
        return str(write())
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        log.warning("snapshot_not_kept", reason=reason)
        return f"none, since it could not be written ({reason})"


def write_snapshot(redacted: str, folder: Path, reason: str, now: datetime) -> Path:
    """Write a redacted page, readable by the owner only, and return its path.

    Snapshots older than `KEPT_FOR` are removed.

    Args:
        redacted: The page, without anybody's words, names, numbers and ids.
        folder: Made when missing.
        reason: Part of the file's name; lower-case letters, digits, "_", "." and "-".
        now: Aware; when the page looked so.

    Raises:
        OSError: It cannot be written; nothing half-written stays.
    """
    return _write(redacted.encode(), folder, f"{reason}.html", now)


def write_picture(png: bytes, folder: Path, reason: str, now: datetime) -> Path:
    """Write a screenshot in which only large shapes are left, beside the snapshots and as long as they.

    Each square of 40 pixels becomes its mean. Text of up to that height cannot be read from it; of letters
    that are several squares high, such as a page at many times its usual size, the shapes would stay.

    Args:
        png: In CSS pixels, so that a dense display does not make letters larger than squares.
        folder: Made when missing.
        reason: Part of the file's name, as in `write_snapshot`.
        now: Aware; when the page looked so.

    Raises:
        OSError: As with `write_snapshot`.
    """
    with Image.open(BytesIO(png)) as picture:
        cells = (max(1, picture.width // _BLUR_PIXELS), max(1, picture.height // _BLUR_PIXELS))
        blurred = (
            picture.convert("RGB")
            .resize(cells, Image.Resampling.BOX)
            .resize(picture.size, Image.Resampling.NEAREST)
        )
    encoded = BytesIO()
    blurred.save(encoded, "PNG")
    return _write(encoded.getvalue(), folder, f"{reason}.png", now)


def _write(data: bytes, folder: Path, name: str, now: datetime) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_old_snapshots(folder, now)
    path = folder / f"{now.astimezone(UTC).strftime(_STAMP)}-{name}"
    with ExitStack() as remains:
        remains.callback(path.unlink, missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(data)
        remains.pop_all()
    return path


def newest_snapshot(folder: Path) -> tuple[Path, datetime] | None:
    """Return the newest page or picture that is kept, and when it was taken; None without any."""
    if not folder.is_dir():
        return None
    named = ((path, _NAME.fullmatch(path.name)) for path in folder.iterdir())
    taken = [(path, _taken_at(match["stamp"])) for path, match in named if match]
    return max(taken, key=lambda each: each[1], default=None)


def remove_old_snapshots(folder: Path, now: datetime) -> None:
    """Remove what is older than `KEPT_FOR`; files of other names stay."""
    for path in folder.iterdir():
        named = _NAME.fullmatch(path.name)
        if named and now - _taken_at(named["stamp"]) > KEPT_FOR:
            path.unlink(missing_ok=True)


def _taken_at(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
