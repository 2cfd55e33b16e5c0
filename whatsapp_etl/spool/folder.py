"""The spool's folder: one file for each captured chat, in the order in which they were captured."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.errors import SpoolDamagedError, SpoolFullError
from whatsapp_etl.model import SpoolFacts
from whatsapp_etl.spool.format import packed, unpacked
from whatsapp_etl.spool.memory import Memory, packed_memory, unpacked_memory
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.whole_files import flush_folder, write_whole

#: A file that could not be loaded is kept so long for whoever wants to know why.
ASIDE_FOR = timedelta(days=7)

_NAME = re.compile(r"(?P<number>\d{10})-(?P<at>\d{8}T\d{6})\.chat")
_INSTANT = "%Y%m%dT%H%M%S"
_ASIDE = "aside"
_MEMORY = "settled.memory"


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    number: int
    captured_at: datetime
    size: int


class Spool:
    """Files that only their owner can read, in a folder that only the owner can enter.

    One program writes here, the one that holds the browser's profile.

    Args:
        folder: Made when the first chat is kept.
        most_bytes: Bound of all files together, those set aside among them; 0 keeps nothing.
        announce: Told of each step.
    """

    def __init__(self, folder: Path, most_bytes: int, announce: Announce = no_announcement) -> None:
        self._announce = announce
        self._folder = folder
        self._most_bytes = most_bytes
        self._last_number = 0
        self._full_at: int | None = None  # bytes held when a chat found no room

    def names(self) -> tuple[str, ...]:
        """Return the files that wait, oldest first."""
        return tuple(each.name for each in self._entries())

    def facts(self) -> SpoolFacts:
        """Return how much waits, since when, and how many files could not be loaded."""
        entries = self._entries()
        return SpoolFacts(
            batches=len(entries),
            bytes=sum(each.size for each in entries),
            oldest_at=min((each.captured_at for each in entries), default=None),
            set_aside=len(self.set_aside_names()),
        )

    @property
    def is_full(self) -> bool:
        """Whether the next chat would find no room; one did not, or the bound is reached."""
        held = self._held()
        return held >= self._most_bytes or (self._full_at is not None and held >= self._full_at)

    def put(self, captured: CapturedChat) -> str:
        """Keep a chat; return the file's name.

        Raises:
            SpoolFullError: The bound is reached, or the disk takes no more. What is kept stays.
        """
        data = packed(captured)
        entries = self._entries()
        held = self._held()
        if held + len(data) > self._most_bytes:
            self._full_at = held
            raise full(f"SPOOL_MAX_BYTES ({self._most_bytes:,}) is reached")
        number = max([self._last_number, *(each.number for each in entries)]) + 1
        at = captured.batch.observed_at.astimezone(UTC).strftime(_INSTANT)
        name = f"{number:010d}-{at}.chat"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(data, self._folder / name, self._folder, lambda: self._announce(Step.CHAT_PACKED))
        except OSError as error:
            self._full_at = held
            reason = errno.errorcode.get(error.errno or 0, "unknown")
            raise full(f"SPOOL_DIR takes no more files ({reason})") from error
        self._announce(Step.CHAT_SPOOLED)
        self._last_number = number
        return name

    def read(self, name: str) -> CapturedChat:
        """Return the chat that a file holds.

        Raises:
            SpoolDamagedError: It cannot be read, or holds something else.
        """
        try:
            return unpacked((self._folder / name).read_bytes())
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, "unknown")
            raise SpoolDamagedError(f"It cannot be read ({reason}).") from error

    def replace(self, name: str, captured: CapturedChat) -> None:
        """Put another content under a name, and so under its place in the order."""
        write_whole(packed(captured), self._folder / name, self._folder)

    def remove(self, name: str) -> None:
        """Remove a file whose chat is stored; one that is gone already is no error."""
        (self._folder / name).unlink(missing_ok=True)
        flush_folder(self._folder)
        self._full_at = None

    def set_aside(self, name: str) -> Path:
        """Move a file that cannot be loaded out of the way of the others; return where it is now."""
        place = self._folder / _ASIDE / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        (self._folder / name).replace(place)
        flush_folder(place.parent)
        return place

    def set_aside_names(self) -> tuple[str, ...]:
        """Return the files that could not be loaded."""
        return tuple(sorted(path.name for path in (self._folder / _ASIDE).glob("*.chat")))

    def remove_set_aside(self, before: datetime | None = None) -> int:
        """Remove files that could not be loaded, all or those captured before an instant; return how many."""
        gone = 0
        self._full_at = None
        for name in self.set_aside_names():
            match = _NAME.fullmatch(name)
            if before is None or match is None or _captured_at(match) < before:
                (self._folder / _ASIDE / name).unlink(missing_ok=True)
                gone += 1
        return gone

    # --- what is settled ------------------------------------------------------------------------

    @property
    def has_memory(self) -> bool:
        """Whether something was kept, readable or not."""
        return (self._folder / _MEMORY).is_file()

    def memory(self) -> Memory | None:
        """Return what was kept for a program that starts while Postgres is away; None: nothing.

        Raises:
            SpoolDamagedError: It cannot be read, or holds something else.
        """
        try:
            return unpacked_memory((self._folder / _MEMORY).read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, "unknown")
            raise SpoolDamagedError(f"It cannot be read ({reason}).") from error

    def keep_memory(self, memory: Memory) -> bool:
        """Keep it in place of the one before, unless that says the same; return whether there was room.

        Raises:
            OSError: The folder cannot be written. The one before stays.
        """
        place = self._folder / _MEMORY
        data = packed_memory(memory)
        if place.exists() and place.read_bytes() == data:
            return True
        if self._held(without_memory=True) + len(data) > self._most_bytes:
            return False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(data, place, self._folder)
        return True

    def remove_memory(self) -> None:
        """Remove it; one that is gone already is no error."""
        (self._folder / _MEMORY).unlink(missing_ok=True)

    # --- the files ------------------------------------------------------------------------------

    def file_paths(self) -> frozenset[str]:
        """Return the pictures that waiting chats show: no message has them yet, and they are in use."""
        return frozenset(path for captured in self._whole() for path in captured.file_paths)

    def _whole(self) -> Iterator[CapturedChat]:
        for name in self.names():
            with contextlib.suppress(SpoolDamagedError):  # told when it is loaded
                yield self.read(name)

    def _held(self, *, without_memory: bool = False) -> int:
        """Return the bytes of all files, those set aside and what is settled among them."""
        paths = [*self._folder.glob("*.chat"), *(self._folder / _ASIDE).glob("*.chat")]
        held = 0
        for path in paths if without_memory else (*paths, self._folder / _MEMORY):
            # `forget` may remove one meanwhile; or the folder is none, which is told where one is written.
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                held += path.stat().st_size
        return held

    def _entries(self) -> list[_Entry]:
        """Return the waiting files by number. They are few: a chat that was read is one file."""
        found = []
        for path in self._folder.glob("*.chat"):
            match = _NAME.fullmatch(path.name)
            with contextlib.suppress(FileNotFoundError):  # `forget` may remove one meanwhile
                if match is not None:
                    size = path.stat().st_size
                    found.append(_Entry(path.name, int(match["number"]), _captured_at(match), size))
        return sorted(found, key=lambda each: each.number)


def full(reason: str) -> SpoolFullError:
    """Return the error that ends reading while Postgres is away."""
    return SpoolFullError(
        f"Postgres is away and the spool has no room: {reason}. No chat is read until Postgres is back.",
        "Nothing is lost: what waits is loaded first, the rest is read then. See PG_URL and the server.",
    )


def _captured_at(match: re.Match[str]) -> datetime:
    return datetime.strptime(match["at"], _INSTANT).replace(tzinfo=UTC)
