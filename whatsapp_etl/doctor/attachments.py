"""Stored files against their rows: `doctor --deep`. Every byte is read, one block at a time."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from whatsapp_etl import bootstrap
from whatsapp_etl.attachments.files import checksum_of, files_below
from whatsapp_etl.doctor.findings import Finding, Outcome, good
from whatsapp_etl.load.store import Store
from whatsapp_etl.records import StoredFile
from whatsapp_etl.settings import Settings
from whatsapp_etl.spool.folder import Spool

#: So many files of one kind are named; the others are counted.
NAMED = 100
_BATCH = 500
#: A file is written before its row is committed; one that is younger may get its row yet.
_YOUNG = timedelta(hours=1)

_RESTORE = (
    "Restore it from a backup of ATTACHMENTS_DIR: its name is its checksum, so any copy is the right one."
)
#: Kind of damage: what is told, what to do, and whether data is lost.
KINDS: dict[str, tuple[str, str, Outcome]] = {
    "attachment_missing": ("stored by a row and not there", _RESTORE, Outcome.WRONG),
    "attachment_unreadable": (
        "there and cannot be read",
        "Look at the owner and the disk; then run the check again.",
        Outcome.WRONG,
    ),
    "attachment_size": ("of another size than the row's", _RESTORE, Outcome.WRONG),
    "attachment_checksum": ("of other bytes than the row's checksum", _RESTORE, Outcome.WRONG),
    "attachment_orphan": (
        "there without a row",
        "A program that was killed before its commit left it. It may be removed: no row names it.",
        Outcome.NOTICE,
    ),
}


@dataclass
class _Damage:
    """What was found, by kind: all of it counted, the first of it named."""

    counts: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, file: str) -> None:
        self.counts[kind] += 1
        names = self.named.setdefault(kind, [])
        if len(names) < NAMED:
            names.append(file)


def stored_files(settings: Settings) -> Iterator[Finding]:
    """Compare every stored file with its rows, and every file on the disk with all rows."""
    if not bootstrap.has_database(settings):
        yield good("stored files", "none yet: the database is not made")
        return
    root = settings.attachments_dir.expanduser()
    damage = _Damage()
    with bootstrap.open_store_to_read(settings) as store, _progress() as progress:
        task = progress.add_task("reading stored files", total=store.attachments.count_files())
        checked = 0
        for file in store.attachments.files():
            # The service may have removed it since the row was read.
            if (kind := damage_of(file, root)) and store.attachments.has_file(file):
                damage.add(kind, file.file_path)
            checked += 1
            progress.advance(task)
        waiting = Spool(settings.spool_dir, settings.spool_max_bytes).file_paths()
        for orphan in _orphans(store, root):
            if orphan not in waiting:
                damage.add("attachment_orphan", orphan)
    if not damage.counts:
        yield good(
            "stored files", f"{checked} are there and have the bytes of their checksums; no other file is"
        )
        return
    for kind, (told, remedy, outcome) in KINDS.items():
        if count := damage.counts[kind]:
            yield Finding(
                "stored files",
                outcome,
                f"{count} {'is' if count == 1 else 'are'} {told}.",
                remedy,
                code=kind,
                exit_code=1 if outcome is Outcome.WRONG else 0,
                count=count,
                files=tuple(damage.named[kind]),
            )


def damage_of(file: StoredFile, root: Path) -> str | None:
    """Return what is wrong with a stored file; None when it is what its row says.

    A file that cannot be read is one that the disk or its owner keeps from us.
    """
    path = root / file.file_path
    try:
        if file.size_bytes is not None and path.stat().st_size != file.size_bytes:
            return "attachment_size"
        return None if checksum_of(path) == file.checksum else "attachment_checksum"
    except FileNotFoundError:
        return "attachment_missing"
    except OSError:
        return "attachment_unreadable"


def _orphans(store: Store, root: Path) -> Iterator[str]:
    """Yield the files that no row names, neither as stored nor as waiting to be removed."""
    young_since = (datetime.now(UTC) - _YOUNG).timestamp()  # by the machine's clock, which dates files
    found = files_below(root) if root.is_dir() else iter(())
    paths = (path for path in found if not path.is_dir() and path.lstat().st_mtime < young_since)
    while batch := [path.relative_to(root).as_posix() for path in islice(paths, _BATCH)]:
        known = store.attachments.known_files(batch)
        yield from (path for path in batch if path not in known)


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not sys.stderr.isatty(),
    )
