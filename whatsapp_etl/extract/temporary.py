"""A browser's own temporary folder: short enough for its socket, and gone when the browser is.

Chromium and Playwright leave folders in it when they are killed. So each browser gets one of its own, which
its owner removes. That of an owner who was killed is removed at the next start: while an owner lives it holds
a lock in the folder, which the kernel releases however it ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from whatsapp_etl.errors import ConfigurationError, ProfileUnwritableError

#: Bytes of a socket's path on macOS; Linux allows four more. Without the NUL at its end.
_SOCKET_PATH = 103
_PREFIX = "wetl-browser-"
_RANDOM_BYTES = 4
_OURS = re.compile(rf"{_PREFIX}[0-9a-f]{{{2 * _RANDOM_BYTES}}}")
_OWNER_FILE = "owner"
#: What we and Chromium add to the folder for temporary files. With a longer path Chromium ends before it
#: begins, and tells only its own log. Seen with Chromium 156, 2026-11-28.
_ADDED = len(f"/{_PREFIX}{'X' * 2 * _RANDOM_BYTES}/org.chromium.Chromium.XXXXXX/SingletonSocket")
LONGEST = _SOCKET_PATH - _ADDED
_SHORT = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - only private folders are made in them


class TemporaryFolder:
    """A folder that one browser has between `__enter__` and `__exit__`; the folders of dead owners go first.

    Args:
        base: Where it is made; see `temporary_base`.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._lock: int | None = None
        self.path: Path  #: Once it was entered.

    def __enter__(self) -> Self:
        """Make the folder, for this user only.

        Raises:
            ProfileUnwritableError: The disk is full.
        """
        _remove_abandoned(self._base)
        try:
            while self._lock is None:
                self.path = self._base / f"{_PREFIX}{secrets.token_hex(_RANDOM_BYTES)}"
                with suppress(FileExistsError):
                    self.path.mkdir(mode=0o700)
                    self._lock = _lock_in(self.path)
        except OSError as error:
            raise ProfileUnwritableError(
                f"The browser's temporary folder cannot be made in {self._base} ({error.strerror}).",
                "Free some space there, or set TMPDIR to another folder.",
            ) from error
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            # What a process of the browser that is still ending writes meanwhile goes at the next start.
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def temporary_base(environment: Mapping[str, str], instead: tuple[Path, ...] = _SHORT) -> Path:
    """Return where a browser's temporary folder is made: TMPDIR, or another one where that cannot be.

    Raises:
        ConfigurationError: TMPDIR is too long or cannot be written, and nothing else can.
    """
    wanted = environment.get("TMPDIR", "")
    if wanted and len(os.fsencode(wanted)) <= LONGEST and os.access(wanted, os.W_OK | os.X_OK):
        return Path(wanted)
    for folder in instead:
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise ConfigurationError(
        f"TMPDIR: {wanted} is too long for the socket that Chromium makes there, or cannot be written."
        if wanted
        else "TMPDIR: no folder for temporary files can be written.",
        f"Set TMPDIR to a folder of yours whose path has at most {LONGEST} bytes.",
    )


def _remove_abandoned(base: Path) -> None:
    """Remove the folders of this user whose owner is dead."""
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):  # another start was quicker
            found = folder.lstat()
            if (
                _OURS.fullmatch(folder.name)
                and stat.S_ISDIR(found.st_mode)
                and found.st_uid == os.geteuid()
                and (lock := _lock_in(folder)) is not None
            ):
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock_in(folder: Path) -> int | None:
    """Return the lock of a folder; None where somebody else has it, or removed the folder meanwhile."""
    path = folder / _OWNER_FILE
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None
