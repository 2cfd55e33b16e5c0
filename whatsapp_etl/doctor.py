"""Looks at everything the program needs and says what to do about what is wrong."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.errors import ProfileLockedError, WhatsappEtlError
from whatsapp_etl.extract.browser import find_browser
from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.load import migrate
from whatsapp_etl.settings import Settings, read_settings

#: Chromium logs itself out when its disk quota is exceeded, so this is asked for with room to spare.
_LEAST_FREE_BYTES = 2_000_000_000
_FOREIGN_BITS = 0o077


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    check: str
    is_good: bool
    told: str  #: What was found; where it is not good, with what to do.
    exit_code: int = 0


def run_doctor() -> int:
    """Print every finding; return 0, or the exit code of the first that is not good."""
    settings = read_settings()
    findings = [_guarded(name, check, settings) for name, check in CHECKS.items()]
    table = Table("", "check", "found")
    for finding in findings:
        table.add_row("ok" if finding.is_good else "!!", finding.check, finding.told)
    Console().print(table)
    return next((finding.exit_code or 1 for finding in findings if not finding.is_good), 0)


def _guarded(name: str, check: Callable[[Settings], tuple[bool, str]], settings: Settings) -> Finding:
    try:
        is_good, told = check(settings)
    except WhatsappEtlError as error:
        return Finding(name, is_good=False, told=str(error), exit_code=error.exit_code)
    return Finding(name, is_good, told)


def _python(_settings: Settings) -> tuple[bool, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    return sys.version_info >= (3, 11), version


def _browser(settings: Settings) -> tuple[bool, str]:
    return True, str(find_browser(settings.browser_executable))


def _packs(settings: Settings) -> tuple[bool, str]:
    packs, _ = bootstrap.packs_of(settings.whatsapp_selector_pack)
    return True, ", ".join(sorted(pack.id for pack in packs))


def _profile(settings: Settings) -> tuple[bool, str]:
    folder = settings.whatsapp_profile_dir
    if not folder.is_dir():
        return True, "not made yet; `whatsapp-etl login` makes it"
    if folder.stat().st_mode & _FOREIGN_BITS:
        return False, f"others can read {folder}, which is the login. Run: chmod 700 '{folder}'"
    try:
        with Profile(folder) as profile:
            return True, "linked once" if profile.was_linked else "not linked; run `whatsapp-etl login`"
    except ProfileLockedError as error:
        return True, error.what  # a service that runs is no fault


def _database(settings: Settings) -> tuple[bool, str]:
    with bootstrap.open_db(settings) as database:
        migrate.require_current(database)
        return True, database.place


def _attachments(settings: Settings) -> tuple[bool, str]:
    folder = settings.attachments_dir
    existing = _existing(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        return False, f"ATTACHMENTS_DIR: {existing} cannot be written. Change its owner or the setting."
    return True, str(folder)


def _disk(settings: Settings) -> tuple[bool, str]:
    places = {settings.whatsapp_profile_dir, settings.attachments_dir, settings.pg_data_dir}
    free = min(shutil.disk_usage(_existing(place)).free for place in places)
    told = f"{free / 1e9:.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return False, f"{told}: too little; a full disk logs the browser out. Free some space."
    return True, told


def _sending(settings: Settings) -> tuple[bool, str]:
    return not settings.whatsapp_enable_sending, "nothing can be sent"


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(step for step in (folder, *folder.parents) if step.exists())


CHECKS: dict[str, Callable[[Settings], tuple[bool, str]]] = {
    "Python": _python,
    "browser": _browser,
    "selector packs": _packs,
    "profile": _profile,
    "database": _database,
    "attachments": _attachments,
    "disk": _disk,
    "sending": _sending,
}
