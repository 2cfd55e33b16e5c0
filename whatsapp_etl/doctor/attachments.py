"""Stored files against their rows: `doctor --deep`. Every byte is read, one block at a time."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from whatsapp_etl import bootstrap
from whatsapp_etl.attachment_check import damage_of, orphans
from whatsapp_etl.doctor.findings import Finding, Outcome, good
from whatsapp_etl.settings import Settings

#: So many files of one kind are named; the others are counted.
NAMED = 100

_RESTORE = (
    "`whatsapp-etl attachments fsck --repair` looks for it elsewhere; or restore it from a backup of "
    "ATTACHMENTS_DIR: its name is its checksum, so any copy is the right one."
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
    root = settings.attachments_dir
    damage = _Damage()
    with bootstrap.open_store_to_read(settings) as store, _progress() as progress:
        task = progress.add_task("reading stored files", total=store.attachments.count_files())
        checked = 0
        for file in store.attachments.files():
            # The service may have removed it since the row was read.
            if (fault := damage_of(file, root)) and store.attachments.has_file(file):
                damage.add(f"attachment_{fault}", file.file_path)
            checked += 1
            progress.advance(task)
        waiting = bootstrap.spool_of(settings).file_paths()
        for orphan in orphans(store, root, waiting):
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
