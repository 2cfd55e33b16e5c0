"""`whatsapp-etl session`: the login in its store, seen and moved by a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import settings_of_person
from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.plain_json import plain
from whatsapp_etl.session_keeping import keeper_of
from whatsapp_etl.vault.generations import Manifest
from whatsapp_etl.vault.keeper import Keeper, Listed

_YES = frozenset({"y", "yes"})


def backup() -> None:
    with _keeper() as keeper:
        _console().print(f"Kept as {_told(keeper.backup())}")


def restore(generation: int | None) -> None:
    with _keeper() as keeper:
        _console().print(f"Restored {_told(keeper.restore(generation))}")


def list_generations(*, as_json: bool) -> None:
    with _keeper() as keeper:
        listed = keeper.listed()
        is_owed = keeper.is_owed
    if as_json:
        for each in listed:
            sys.stdout.write(json.dumps(plain(each), sort_keys=True) + "\n")
    elif listed:
        _console().print(_table(listed))
    else:
        _console().print("The session store is empty.")
    if is_owed:
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            "The profile here is newer: the program had to end before it was kept. The next `run` keeps it"
            " when it renews its browser; `whatsapp-etl session backup` does so now."
        )


def verify(generation: int | None) -> None:
    with _keeper() as keeper:
        _console().print(f"Whole, and its login opens: {_told(keeper.verify(generation))}")


def clear(*, is_agreed: bool) -> int:
    """Remove every generation; return the exit code.

    Raises:
        ConfigurationError: There is nobody to ask.
    """
    if not is_agreed and not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask at; nothing was removed.", "Add --yes.")
    with _keeper() as keeper:
        count = len(keeper.listed())
        question = f"Remove all {count} generations from the session store for good? \\[y/N] "
        if not is_agreed and _console().input(question).strip().lower() not in _YES:
            _console().print("Nothing was removed.")
            return 1
        _console().print(f"Removed {keeper.clear()} generations.")
    return 0


@contextmanager
def _keeper() -> Iterator[Keeper]:
    """Yield the keeper of the session that the settings name; it gives the lease back at the end."""
    settings = settings_of_person()
    browser = bootstrap.browser_options_of(settings, is_headless=True)
    keeper = keeper_of(settings, browser, bootstrap.clock_of(settings))
    if keeper is None:
        raise ConfigurationError(
            "SESSION_STORE_URL: is empty, so no session is kept.",
            "Set it, for example to file:///mnt/backup.",
        )
    try:
        yield keeper
    finally:
        keeper.close()


def _told(manifest: Manifest) -> str:
    size = manifest.sealed_bytes / 1024**2
    return (
        f"generation {manifest.generation}: of {manifest.taken_at:%Y-%m-%d %H:%M} UTC on {manifest.host}, "
        f"Chromium {manifest.chromium}, {manifest.contents.files} files, {size:.1f} MiB."
    )


def _table(listed: tuple[Listed, ...]) -> Table:
    table = Table("generation", "taken (UTC)", "host", "Chromium", "files", "MiB", "")
    for each in listed:
        manifest = each.manifest
        row = (
            (
                f"{manifest.taken_at:%Y-%m-%d %H:%M}",
                manifest.host,
                manifest.chromium,
                f"{manifest.contents.files}",
            )
            if manifest
            else ("", "", "", "")
        )
        state = "current" if each.is_current else ""
        told = " · ".join(filter(None, (state, each.problem)))
        table.add_row(f"{each.kept.number}", *row, f"{each.kept.size_bytes / 1024**2:.1f}", told)
    return table


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False)
