"""Copying stored files into the second store, a few at the end of each cycle; none is copied twice."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from whatsapp_etl.attachments.mirror import Mirror
from whatsapp_etl.errors import AttachmentStoreError
from whatsapp_etl.load.store import Store
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.unused_files import CopyLeftError

log = structlog.get_logger(__name__)

_ADVICE = "whatsapp-etl attachments fsck --repair"
_AT_ONCE = 100
_BUDGET = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Mirroring:
    """Copies what has no copy yet."""

    store: Store
    mirror: Mirror
    root: Path
    clock: Callable[[], datetime]
    announce: Announce = no_announcement

    def run(self, *, is_again: bool = False, is_patient: bool = False) -> int:
        """Copy until nothing is left or time is up; return how many files.

        Args:
            is_again: Whether to copy what was copied before, too.
            is_patient: Whether there is no limit of time.

        Raises:
            AttachmentStoreError: The store refuses or does not answer; what was copied is noted.
        """
        end = time.monotonic() + _BUDGET.total_seconds()
        copied, after = 0, ""
        if is_again:
            self.store.attachments.forget_copies()
        while paths := self.store.attachments.without_copy(after, _AT_ONCE):
            done: list[str] = []
            try:
                for path in paths:
                    if not is_patient and time.monotonic() > end:
                        return copied + len(done)
                    if (reason := self._not_copied(path)) is not None:
                        # The others are copied all the same, and it is tried again in the next cycle.
                        log.warning("attachment_not_copied", reason=reason, advice=_ADVICE)
                        continue
                    done.append(path)
                    self.announce(Step.FILE_COPIED)
            finally:
                self.store.attachments.note_copies(done, self.clock())
            self.announce(Step.FILES_COPIED)
            copied, after = copied + len(done), paths[-1]
        return copied

    def _not_copied(self, path: str) -> str | None:
        """Copy one file; or return why its copy would not be it."""
        try:
            return None if self.mirror.put(path, self.root / path) else "changed"
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, "unknown")


def remove_copy(mirror: Mirror, file_path: str) -> None:
    """Remove a file's copy.

    Raises:
        CopyLeftError: It could not be removed; the file stays noted and is tried again.
    """
    try:
        mirror.delete(file_path)
    except AttachmentStoreError as error:
        raise CopyLeftError(errno.EIO, str(error)) from error


def copy_new_files(mirroring: Mirroring | None) -> None:
    """Copy new files at the end of a cycle; a store that does not answer holds nothing else up."""
    if mirroring is None:
        return
    try:
        mirroring.run()
    except AttachmentStoreError as error:
        log.warning("files_not_copied", error=str(error))
