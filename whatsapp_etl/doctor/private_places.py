"""Who else can read what nobody else may read: the login, the pictures, the evidence, the passwords."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whatsapp_etl import bootstrap
from whatsapp_etl.attachments.files import files_below
from whatsapp_etl.doctor.findings import Finding, good, wrong
from whatsapp_etl.load.embedded import data_of
from whatsapp_etl.settings import ENV_FILE, Settings

_FOREIGN_BITS = 0o077
_OTHERS_READ = 0o004


@dataclass(frozen=True, slots=True)
class _Place:
    """Something that only its owner may read."""

    name: str
    path: Path
    holds: str  #: What it is, for the one who reads the finding.
    is_whole: bool = False  #: Everything below it is looked at, too.
    forbidden: int = _FOREIGN_BITS


def permissions(settings: Settings) -> Iterator[Finding]:
    for place in _places(settings):
        if place.path.exists():
            yield _judged(place)
        else:
            yield good("permissions", "not made yet", place.name)


def _places(settings: Settings) -> Iterator[_Place]:
    yield _Place("WHATSAPP_PROFILE_DIR", settings.whatsapp_profile_dir, "the login")
    yield _Place("ATTACHMENTS_DIR", settings.attachments_dir, "the pictures", is_whole=True)
    yield _Place("SPOOL_DIR", settings.spool_dir, "chats that wait for Postgres", is_whole=True)
    snapshots = bootstrap.snapshots_of(settings)
    yield _Place("snapshots", snapshots, "redacted pages", is_whole=True)
    if not settings.pg_url.get_secret_value():
        yield _Place("PG_DATA_DIR", data_of(settings.pg_data_dir), "the database")
    # A group may be trusted with the settings: a service's own, for example.
    yield _Place(ENV_FILE, Path(ENV_FILE).absolute(), "passwords", forbidden=_OTHERS_READ)


def _judged(place: _Place) -> Finding:
    if not _may_be_listed(place.path):
        return wrong(
            "permissions",
            f"{place.path} belongs to another user and cannot be read.",
            f"Run: sudo chown -R {os.geteuid()} {shlex.quote(str(place.path))}",
            place.name,
        )
    foreign = [place.path] if place.path.stat().st_mode & place.forbidden else []
    count = len(foreign)
    if place.is_whole:
        for path in files_below(place.path):
            if path.lstat().st_mode & place.forbidden:
                count += 1
                foreign = foreign or [path]
    if not count:
        return good("permissions", "only its owner can read it", place.name)
    others = f", and {count - 1} more below it" if count > 1 else ""
    flags, bits = (
        ("-R ", "go=") if place.is_whole else ("", "o=" if place.forbidden == _OTHERS_READ else "go=")
    )
    return wrong(
        "permissions",
        f"Others can read {foreign[0]}{others}: {place.holds}.",
        f"Run: chmod {flags}{bits} {shlex.quote(str(place.path))}",
        place.name,
    )


def _may_be_listed(path: Path) -> bool:
    return os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK)
