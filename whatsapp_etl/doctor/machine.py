"""The machine: Python, the browser and its sandbox, room on the disks."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from whatsapp_etl import bootstrap
from whatsapp_etl.doctor.findings import Finding, good, notice, wrong
from whatsapp_etl.errors import BrowserCrashedError
from whatsapp_etl.extract.browser import Browser, browser_version
from whatsapp_etl.room import GIGABYTE, LEAST_FOR_PROFILE, existing_part
from whatsapp_etl.settings import Settings

_LEAST_FREE = GIGABYTE
#: Chromium shares pictures between its processes there.
_LEAST_TEMPORARY = GIGABYTE // 4

#: What keeps an ordinary user's Chromium from making a sandbox: a switch of the kernel, the value that
#: forbids it, and the command that allows it.
_SANDBOX_SWITCHES = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=15000"),
)


def python(_settings: Settings) -> Iterator[Finding]:
    yield good("python", ".".join(map(str, sys.version_info[:3])))


def browser(settings: Settings) -> Iterator[Finding]:
    """Start the browser on an empty profile of its own; the account's stays untouched."""
    options = bootstrap.browser_options_of(settings, is_headless=True)
    version = browser_version(options.executable)
    with tempfile.TemporaryDirectory(prefix="whatsapp-etl-doctor-") as folder:
        try:
            with Browser(Path(folder) / "profile", options):
                pass
        except BrowserCrashedError as crash:
            yield wrong(
                "browser",
                f"{crash.what} Its version is {version}.",
                sandbox_remedy(os.geteuid(), _switches())
                or "Give the machine more memory, or set BROWSER_EXECUTABLE to another Chromium.",
                exit_code=crash.exit_code,
            )
            return
    yield good("browser", f"{version} starts, and its focus shield holds ({options.executable})")
    if os.geteuid() == 0:
        yield notice(
            "browser",
            "As root it runs without its sandbox.",
            "Nothing at once; as an ordinary user it has one.",
            "sandbox",
        )


def sandbox_remedy(user: int, switches: Mapping[str, str]) -> str | None:
    """Return what lets an ordinary user's browser have a sandbox; None where nothing forbids it.

    Args:
        user: 0 is root, which has none.
        switches: The kernel's switches by their path; those that it does not have lack.
    """
    if user == 0:
        return None
    for path, forbidding, command in _SANDBOX_SWITCHES:
        if switches.get(path) == forbidding:
            return f"The kernel lets no ordinary user have a sandbox. Run: {command}"
    return None


def disk(settings: Settings) -> Iterator[Finding]:
    """Tell the free space of each place by itself; they may be different disks."""
    places = {
        "WHATSAPP_PROFILE_DIR": (settings.whatsapp_profile_dir, LEAST_FOR_PROFILE),
        "ATTACHMENTS_DIR": (settings.attachments_dir, _LEAST_FREE),
        "SPOOL_DIR": (settings.spool_dir, _LEAST_FREE),
        "snapshots": (bootstrap.snapshots_of(settings), _LEAST_TEMPORARY),
        "temporary folder": (Path(tempfile.gettempdir()), _LEAST_TEMPORARY),
    }
    if not settings.pg_url.get_secret_value():
        places["PG_DATA_DIR"] = (settings.pg_data_dir, _LEAST_FREE)
    for name, (folder, least) in places.items():
        yield _room(name, folder, least)


def _room(name: str, folder: Path, least: int) -> Finding:
    existing = existing_part(folder)
    free = shutil.disk_usage(existing).free
    told = f"{free / GIGABYTE:.1f} GB free at {existing}"
    if not os.access(existing, os.W_OK | os.X_OK):
        return wrong(
            "disk", f"{existing} cannot be written.", "Change its owner, or name another folder.", name
        )
    if free < least:
        why = (
            "A full disk logs the browser out. "
            if name == "WHATSAPP_PROFILE_DIR"
            else "Nothing is lost yet. "
        )
        return wrong("disk", f"{told}: too little.", f"{why}Free some space, or name another folder.", name)
    return good("disk", told, name)


def _switches() -> Mapping[str, str]:
    paths = (Path(path) for path, _, _ in _SANDBOX_SWITCHES)
    return {str(path): path.read_text().strip() for path in paths if path.exists()}
