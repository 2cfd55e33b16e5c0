"""The browser profile: one owner at a time, and what a dead owner left behind is cleared.

The profile holds the login. Two browsers on it corrupt it, so the lock (`flock`, released by the
kernel however the owner ends) is taken first, and everything else happens only under it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from whatsapp_etl.errors import ConfigurationError, ProfileLockedError, ProfileUnwritableError
from whatsapp_etl.extract.processes import end_browser, find_browsers, is_driven

_OWNER_FILE = "whatsapp-etl.lock"
_LINKED_FILE = "whatsapp-etl.linked"
_SINGLETON_LINKS = ("SingletonLock", "SingletonCookie", "SingletonSocket")
_END_ALLOWED = timedelta(seconds=10)


class Profile:
    """A browser profile that this process owns between `__enter__` and `__exit__`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Take the profile.

        Raises:
            ProfileLockedError: Another process has it; the message names its pid and host.
            ProfileUnwritableError: The disk is full, or the folder is not ours to write.
        """
        try:
            return self._taken()
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, "unknown")
            raise ProfileUnwritableError(
                f"The browser profile {self.folder} cannot be written ({reason}).",
                "Free some space on its disk, or change its owner. The login is kept.",
            ) from error

    def _taken(self) -> Self:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / _OWNER_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise self._locked(_read_owner(lock)) from error
            self._clear_leftovers()
            _write_owner(lock)
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            # The file stays: removing a locked file lets two owners lock two files of one name.
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    @property
    def was_linked(self) -> bool:
        """Whether an account was once seen logged in here. A QR code then means: logged out."""
        return (self.folder / _LINKED_FILE).exists()

    @property
    def linked_at(self) -> int | None:
        """When an account was last seen being linked here, as a number that only grows; None: never."""
        try:
            return (self.folder / _LINKED_FILE).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def note_linked(self) -> None:
        """Remember that an account was seen logged in."""
        (self.folder / _LINKED_FILE).touch(mode=0o600)

    def forget_linked(self) -> None:
        """Begin anew, as a profile that never saw an account."""
        (self.folder / _LINKED_FILE).unlink(missing_ok=True)

    def _clear_leftovers(self) -> None:
        """End the Chromium of a dead owner and remove the links that it left."""
        for browser in find_browsers(self.folder):
            if not is_driven(browser):
                raise ProfileLockedError(
                    f"A browser (process {browser.pid} on {socket.gethostname()}) has the profile "
                    f"{self.folder} open.",
                    "Close it, then try again.",
                )
            # Every living owner holds the lock that is held here, so this one's is dead.
            end_browser(browser, _END_ALLOWED)
        if _is_stale(self.folder / _SINGLETON_LINKS[0]):
            for name in _SINGLETON_LINKS:
                (self.folder / name).unlink(missing_ok=True)

    def _locked(self, owner: Mapping[str, object]) -> ProfileLockedError:
        who = _told(owner) if owner else "another process"
        return ProfileLockedError(
            f"The browser profile {self.folder} is in use by {who}.",
            "End it first, or set WHATSAPP_PROFILE_DIR to another folder.",
        )


@dataclass(frozen=True, slots=True)
class ProfileLook:
    """What a look at a profile finds; nothing is taken, ended or cleared by it."""

    is_there: bool
    is_linked: bool = False  #: An account was once seen logged in.
    is_in_use: bool = False  #: A living process holds the lock.
    owner: str | None = None  #: Process, host and start as the lock says; of a dead one when nobody holds it.
    foreign_browser: int | None = None  #: The process of a browser that this program did not start.
    leftovers: tuple[str, ...] = ()  #: What a dead owner left, in words.


def look_at(folder: Path) -> ProfileLook:
    """Tell who has a profile.

    Raises:
        ConfigurationError: It belongs to another user and cannot be read.
    """
    profile = Profile(folder)
    if not profile.folder.is_dir():
        return ProfileLook(is_there=False)
    try:
        is_in_use, owner = _lock_of(profile.folder / _OWNER_FILE)
        is_stale = _is_stale(profile.folder / _SINGLETON_LINKS[0])
    except PermissionError as error:
        raise ConfigurationError(
            f"WHATSAPP_PROFILE_DIR: {profile.folder} belongs to another user.",
            "Run the program as the user who owns it.",
        ) from error
    told = _told(owner) if owner else None
    if is_in_use:
        return ProfileLook(is_there=True, is_linked=profile.was_linked, is_in_use=True, owner=told)
    browsers = list(find_browsers(profile.folder))
    left = [f"a Chromium (process {each.pid})" for each in browsers if is_driven(each)]
    left += ["the lock's entry"] if owner else []
    left += ["Chromium's own lock"] if is_stale else []
    return ProfileLook(
        is_there=True,
        is_linked=profile.was_linked,
        owner=told,
        foreign_browser=next((each.pid for each in browsers if not is_driven(each)), None),
        leftovers=tuple(left),
    )


def _lock_of(path: Path) -> tuple[bool, Mapping[str, object]]:
    """Return whether a process holds the lock, and whom the file names."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False, {}
    try:
        owner = _read_owner(lock)
        try:
            # Shared, and given back at once: other looks do not hinder each other.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True, owner
        return False, owner
    finally:
        os.close(lock)


def _told(owner: Mapping[str, object]) -> str:
    return f"process {owner.get('pid')} on {owner.get('host')}, started {owner.get('started')}"


def _is_stale(link: Path) -> bool:
    """Whether Chromium's lock link names another host or a process that is gone.

    Its target is "<host>-<pid>". A container made anew has another host name, and Chromium then
    refuses to start. Seen with Chromium 156, 2026-11-20.
    """
    try:
        target = str(link.readlink())
    except FileNotFoundError:
        return False
    named = re.fullmatch(r"(?P<host>.+)-(?P<pid>\d+)", target)
    if named is None or named["host"] != socket.gethostname():
        return True
    return not psutil.pid_exists(int(named["pid"]))


def _write_owner(lock: int) -> None:
    owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(owner).encode(), 0)


def _read_owner(lock: int) -> Mapping[str, object]:
    try:
        owner = json.loads(os.pread(lock, 4096, 0))
    except ValueError:  # Between taking the lock and writing, or after a crash in between.
        return {}
    return owner if isinstance(owner, dict) else {}
