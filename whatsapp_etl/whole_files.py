"""Files that are there whole or not at all, whatever is killed and however full the disk is."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

#: Begins the names of files that are not whole yet; all of them lie in the scratch folder.
_PART = ".part-"


def write_whole(
    data: bytes, place: Path, scratch: Path, on_written: Callable[[], None] = lambda: None
) -> None:
    """Write a file that its owner alone can read; it gets its name when it is whole and on disk.

    Args:
        data: All of it.
        place: Its name; what is there is replaced.
        scratch: A folder of the same file system, where what a killed program left is found.
        on_written: Called when all of it is on disk and has no name yet.

    Raises:
        OSError: The disk is full or a folder cannot be written; nothing half-written stays.
    """
    # mkstemp makes the file readable by its owner only; the rename keeps that.
    descriptor, name = tempfile.mkstemp(dir=scratch, prefix=_PART)
    with contextlib.ExitStack() as remains:
        remains.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        on_written()
        Path(name).replace(place)
        remains.pop_all()
    flush_folder(place.parent)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(scratch: Path, before: datetime | None = None) -> None:
    """Remove what a killed program was writing: unfinished files that nobody touched since `before`, or all.

    Raises:
        OSError: The folder cannot be read or written.
    """
    for path in scratch.glob(f"{_PART}*"):
        with contextlib.suppress(FileNotFoundError):  # another program finished or removed it just now
            if before is None or path.stat().st_mtime < before.timestamp():
                path.unlink()
