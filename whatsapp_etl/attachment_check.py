"""Files against their rows: what is missing, changed, wrongly named or left over, and putting it right."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path

from whatsapp_etl.attachments.files import checksum_of, files_below, relative_path, save, sniff
from whatsapp_etl.load.store import Store
from whatsapp_etl.records import StoredFile

_BATCH = 500
#: A file is written before its row is committed; one that is younger may get its row yet.
_YOUNG = timedelta(hours=1)
#: So many first bytes tell a file's type.
_HEAD_BYTES = 64
#: As this program names files, and those that are not whole yet.
_OWN_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})\.[a-z0-9]{1,5}|\.part-\w+")

Restore = Callable[[StoredFile], bytes | None]


class Fault(StrEnum):
    """What can be wrong with a file."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    SIZE = "size"  #: Another size than its row's.
    CHECKSUM = "checksum"  #: Other bytes than its row's checksum.
    MISNAMED = "misnamed"  #: The right bytes under another name than theirs.
    ORPHAN = "orphan"  #: Named by no row.
    FOREIGN = "foreign"  #: By no row, and not as this program names files.


class Remedy(StrEnum):
    """What was done about it."""

    NONE = "none"
    RENAMED = "renamed"
    RESTORED = "restored"  #: From the second copy.
    QUEUED = "queued"  #: Its messages lack it again, and it is looked for.
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    fault: Fault
    path: str  #: Below ATTACHMENTS_DIR.
    file: StoredFile | None = None  #: What the rows say, where some do.
    remedy: Remedy = Remedy.NONE


def damage_of(file: StoredFile, root: Path) -> Fault | None:
    """Return what is wrong with a stored file; None when it is what its row says."""
    path = root / file.file_path
    try:
        if file.size_bytes is not None and path.stat().st_size != file.size_bytes:
            return Fault.SIZE
        return None if checksum_of(path) == file.checksum else Fault.CHECKSUM
    except FileNotFoundError:
        return Fault.MISSING
    except OSError:
        return Fault.UNREADABLE


def orphans(store: Store, root: Path, waiting: Collection[str]) -> Iterator[str]:
    """Yield the files that no row names, neither as stored nor as waiting to be removed or loaded."""
    young_since = (datetime.now(UTC) - _YOUNG).timestamp()  # by the machine's clock, which dates files
    found = files_below(root) if root.is_dir() else iter(())
    paths = (path for path in found if not path.is_dir() and path.lstat().st_mtime < young_since)
    while batch := [path.relative_to(root).as_posix() for path in islice(paths, _BATCH)]:
        known = store.attachments.known_files(batch)
        yield from (path for path in batch if path not in known and path not in waiting)


def examine(store: Store, root: Path, waiting: Collection[str]) -> Iterator[Problem]:
    """Yield all that is wrong; every byte is read, one block at a time."""
    for file in store.attachments.files():
        fault = damage_of(file, root)
        if fault is None and _right_path(file, root) != file.file_path:
            fault = Fault.MISNAMED
        # The service may have removed it since the row was read.
        if fault is not None and store.attachments.has_file(file):
            yield Problem(fault, file.file_path, file)
    yield from examine_orphans(store, root, waiting)


def examine_orphans(store: Store, root: Path, waiting: Collection[str]) -> Iterator[Problem]:
    """Yield the files that no row names; of those that have a row's bytes, under which name they belong."""
    for path in orphans(store, root, waiting):
        name = _OWN_NAME.fullmatch(path)
        file = store.attachments.by_checksum(_checksum(root / path)) if _is_file(root / path) else None
        if file is not None:
            yield Problem(Fault.MISNAMED, path, file)
        else:
            yield Problem(Fault.ORPHAN if name else Fault.FOREIGN, path)


def repair(
    problems: Collection[Problem], store: Store, root: Path, restore: Restore, now: datetime
) -> Iterator[Problem]:
    """Put right what can be, and yield each problem with what was done.

    Names come first: a file that is missing may only be called otherwise. Nothing foreign is touched.
    """
    for each in sorted(problems, key=lambda each: each.fault is not Fault.MISNAMED):
        yield replace(each, remedy=_repaired(each, store, root, restore, now))


def _repaired(problem: Problem, store: Store, root: Path, restore: Restore, now: datetime) -> Remedy:
    file, place = problem.file, root / problem.path
    match problem.fault:
        case Fault.MISNAMED if file is not None:
            saved = save(place.read_bytes(), root)
            if file.file_path != saved.relative_path:
                store.attachments.rename(file, saved.relative_path)
            if problem.path != saved.relative_path:
                place.unlink(missing_ok=True)
            return Remedy.RENAMED
        case Fault.ORPHAN:
            place.unlink(missing_ok=True)
            return Remedy.REMOVED
        case Fault.MISSING | Fault.SIZE | Fault.CHECKSUM if file is not None:
            if damage_of(file, root) is None:
                return Remedy.RENAMED  # a file that was called otherwise has taken its place
            if (data := restore(file)) is not None:
                saved = save(data, root)
                if file.file_path != saved.relative_path:
                    store.attachments.rename(file, saved.relative_path)
                return Remedy.RESTORED
            # First the rows: a file without one is left over, a row without its file would be wrong.
            store.attachments.lose(file, now)
            place.unlink(missing_ok=True)
            return Remedy.QUEUED
    return Remedy.NONE


def _right_path(file: StoredFile, root: Path) -> str:
    with (root / file.file_path).open("rb") as opened:
        return relative_path(file.checksum, sniff(opened.read(_HEAD_BYTES))[1]).as_posix()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _checksum(path: Path) -> str:
    try:
        return checksum_of(path)
    except OSError:
        return ""  # nothing has that one
