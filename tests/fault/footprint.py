"""What a process of tests holds of the machine, and what is left of a test in its folder."""

from __future__ import annotations

import gc
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

#: So much more may the interpreter keep for the next test; the first of a worker takes about 11 MiB.
#: A leak of every cycle is what `make soak` measures, over hundreds of them.
MOST_GROWTH_BYTES = 24 * 1024 * 1024
#: Ends of threads and sockets are seen a little later.
_ENDS_WITHIN_SECONDS = 10
_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Footprint:
    """What this process holds of the machine."""

    open_files: Mapping[str, int]  #: By what they are; sockets and pipes too.
    programs: Mapping[str, int]  #: Started by it, of all generations, by name.
    threads: Mapping[str, int]  #: By name.
    resident_bytes: int

    @classmethod
    def now(cls) -> Footprint:
        gc.collect()
        process = psutil.Process()
        return cls(
            open_files=_open_files(),
            programs=_programs(process),
            threads=Counter(_NUMBER.sub("", each.name) for each in threading.enumerate()),
            resident_bytes=process.memory_info().rss,
        )

    def assert_not_outgrown(self, *, holds_store: bool = False) -> None:
        """Assert that no more is held now, or soon; memory may vary a little.

        Args:
            holds_store: Whether the tests' own object store runs in this process: it keeps in memory what
                was stored, and its client's event loop stays.
        """
        until = time.monotonic() + _ENDS_WITHIN_SECONDS
        never = threading.Event()
        ignored = {"anon_inode"} if holds_store else set()
        while (more := self._more_of(now := Footprint.now()).keys() - ignored) and time.monotonic() < until:
            never.wait(0.05)
        assert not more, self._more_of(now)
        assert holds_store or now.resident_bytes - self.resident_bytes < MOST_GROWTH_BYTES

    def _more_of(self, now: Footprint) -> Mapping[str, int]:
        return {
            **(Counter(now.open_files) - Counter(self.open_files)),
            **(Counter(now.programs) - Counter(self.programs)),
            **(Counter(now.threads) - Counter(self.threads)),
        }


def _open_files() -> Mapping[str, int]:
    kinds: Counter[str] = Counter()
    for each in Path("/proc/self/fd").iterdir():
        try:
            target = str(each.readlink())
        except FileNotFoundError:  # the one that reads this folder
            continue
        kinds[target.partition(":")[0] if ":[" in target else target] += 1
    return kinds


def _programs(process: psutil.Process) -> Mapping[str, int]:
    """Count what runs, without the tests' own Postgres, and each browser once: its parts come and go."""
    names: Counter[str] = Counter()
    for each in process.children(recursive=True):
        try:
            if each.name() != "postgres" and not any(word.startswith("--type=") for word in each.cmdline()):
                names[each.name()] += 1
        except psutil.NoSuchProcess:
            continue
    return names


def half_written(folder: Path) -> list[str]:
    """Return files below a folder that a program was writing and has not ended."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(".part-*"))
