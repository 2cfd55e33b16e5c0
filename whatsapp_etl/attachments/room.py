"""Saves files as long as there is room for them: what is held stays, and what comes later is left."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from whatsapp_etl.attachments.files import files_below, place_of, save
from whatsapp_etl.model import CapturedFile
from whatsapp_etl.steps import Announce, no_announcement

#: The folder is measured again when it seems full, at most so often: files may have been removed.
_MEASURED_FOR = 60.0


@dataclass
class Room:
    """A folder of files with a limit on all of them together.

    Args:
        root: ATTACHMENTS_DIR.
        most_bytes: The limit; 0 for none.
        announce: Told of each step.
        monotonic: Seconds that only rise.
    """

    root: Path
    most_bytes: int = 0
    announce: Announce = no_announcement
    monotonic: Callable[[], float] = time.monotonic
    _used: int = 0
    _measured_at: float | None = field(default=None)

    def save(self, data: bytes) -> CapturedFile:
        """Save bytes; those that are held already need no room.

        Raises:
            OSError: The disk is full or the folder cannot be written; with EDQUOT, the limit is reached.
        """
        if not self.most_bytes:
            return save(data, self.root, self.announce)
        is_new = not place_of(data, self.root).is_file()
        if is_new and not self._has_room(len(data)):
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        saved = save(data, self.root, self.announce)
        self._used += len(data) if is_new else 0
        return saved

    def _has_room(self, size: int) -> bool:
        if self._measured_at is None or (self._used + size > self.most_bytes and self._is_measure_old()):
            self._used, self._measured_at = bytes_below(self.root), self.monotonic()
        return self._used + size <= self.most_bytes

    def _is_measure_old(self) -> bool:
        return self._measured_at is not None and self.monotonic() - self._measured_at > _MEASURED_FOR


def bytes_below(root: Path) -> int:
    """Return the bytes of all files below a folder; 0 where there is none."""
    total = 0
    for path in files_below(root) if root.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # removed just now
            total += 0 if path.is_dir() else path.lstat().st_size
    return total
