"""A login's way into a profile: unpacked beside, then put in place by renaming.

`Default` is swapped as a whole, inside the profile: the profile itself may be a mount, which cannot be
renamed, and its lock, a file in it, must stay held. What was there before stays until the next backup
has shown that the new one works.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from whatsapp_etl.errors import VaultError
from whatsapp_etl.vault.archive import LOGIN_FOLDERS
from whatsapp_etl.vault.lease import Holder

_LIVE = "Default"
_RESTORED = "Default.restored"
_BEFORE = "Default.before"
_WORK = "whatsapp-etl.work"
_NOTE = "whatsapp-etl.vault"


class Condition(StrEnum):
    """Whether a profile can be opened as it is."""

    EMPTY = "empty"  #: It holds no login.
    BROKEN = "broken"  #: It holds a part of one, or a database without its index.
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Note:
    """What a profile remembers of the store."""

    seen: int = (
        0  #: Number of the pointer that counted when this profile was last kept or restored; 0: never.
    )
    holder: Holder | None = None  #: Who last took the lease on this profile.
    is_owed: bool = False  #: The program ended before it could keep what is here.


def condition_of(profile: Path) -> Condition:
    """Look whether a profile holds a login that Chromium can open, from its files alone."""
    folders = [profile / part for part in LOGIN_FOLDERS]
    is_filled = [any(path.is_file() for path in folder.rglob("*")) for folder in folders]
    if not any(is_filled):
        return Condition.EMPTY
    databases = [path for folder in folders for path in folder.rglob("*leveldb") if path.is_dir()]
    return Condition.WHOLE if all(is_filled) and all(map(_has_index, databases)) else Condition.BROKEN


def needs_restoring(condition: Condition, *, is_linked: bool, seen: int, current: int | None) -> bool:
    """Whether the store's current generation replaces what the profile holds.

    Args:
        condition: Of the profile.
        is_linked: Whether an account was once seen logged in here.
        seen: Number of the pointer by which this profile was last kept or restored; 0: never.
        current: Number of the pointer that counts; None: the store is empty.
    """
    if current is None:
        return False
    if condition is not Condition.WHOLE or not is_linked:
        return True
    # Another machine went on from here, so what lies here is old. A login that the store never saw stays.
    return 0 < seen < current


def read_note(profile: Path) -> Note:
    try:
        told = json.loads((profile / _NOTE).read_bytes())
        holder = Holder(**told["holder"]) if told["holder"] else None
        return Note(int(told["seen"]), holder, bool(told.get("is_owed")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Note()


def write_note(profile: Path, note: Note) -> None:
    path = profile / _NOTE
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(asdict(note)))
        fresh.chmod(0o600)
        fresh.replace(path)
    except OSError as error:
        raise _not_written(error) from error


def fresh_work_folder(profile: Path, name: str) -> Path:
    """Return an empty folder on the profile's own disk; whatever was left in it is gone."""
    folder = profile / _WORK / name
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
        (profile / _WORK).chmod(0o700)
    except OSError as error:
        raise _not_written(error) from error
    return folder


def work_folder(profile: Path) -> Path:
    """Return where copies are unpacked, each in a folder of its own."""
    return profile / _WORK


def clear_work(profile: Path) -> None:
    """Remove what was unpacked; a later call removes what this one could not."""
    shutil.rmtree(profile / _WORK, ignore_errors=True)


def recover(profile: Path) -> None:
    """Complete or undo a swap that was cut off. Under the profile's lock."""
    live, restored, before = (profile / name for name in (_LIVE, _RESTORED, _BEFORE))
    clear_work(profile)
    try:
        if not live.exists():
            for complete in (restored, before):
                if complete.exists():
                    complete.rename(live)
                    break
        if restored.exists():  # cut off before the live one was moved: it is fetched again
            shutil.rmtree(restored)
    except OSError as error:
        raise _not_written(error) from error


def put_in_place(profile: Path, unpacked: Path) -> None:
    """Make an unpacked login the profile's own. Under the profile's lock."""
    live, restored, before = (profile / name for name in (_LIVE, _RESTORED, _BEFORE))
    try:
        if restored.exists():
            shutil.rmtree(restored)
        (unpacked / _LIVE).rename(restored)
        if live.exists():
            if before.exists():
                shutil.rmtree(before)
            live.rename(before)
        restored.rename(live)
    except OSError as error:
        recover(profile)
        raise _not_written(error) from error


def forget_before(profile: Path) -> None:
    """Let go of what was there before the last restoration."""
    shutil.rmtree(profile / _BEFORE, ignore_errors=True)


def _has_index(database: Path) -> bool:
    """Whether LevelDB finds its state: CURRENT names a manifest that is there."""
    try:
        named = (database / "CURRENT").read_text().strip()
    except (OSError, ValueError):
        return False
    return named.startswith("MANIFEST-") and (database / named).is_file()


def _not_written(error: OSError) -> VaultError:
    return VaultError(
        f"The profile could not be changed ({error.strerror}).",
        "Free some space, and see that this user owns the profile.",
    )
