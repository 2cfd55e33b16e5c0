"""`whatsapp-etl forget`: shows what a wish would remove, asks, removes it, then its files."""

from __future__ import annotations

import errno
import sys
from collections.abc import Collection
from datetime import datetime

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import settings_of_person
from whatsapp_etl.errors import EXIT_PARTIAL, ConfigurationError
from whatsapp_etl.forgotten import Erasure, Wish, WishKind, forgotten_of
from whatsapp_etl.load.store import Store
from whatsapp_etl.settings import Settings
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.spooling import forget_waiting, waiting_of
from whatsapp_etl.transform.identity import normalise_id
from whatsapp_etl.unused_files import remove_unused_files
from whatsapp_etl.whole_files import remove_leftovers


def forget(*, message: str | None, chat: str | None, contact: str | None, is_agreed: bool) -> int:
    """Erase what is named; return the exit code.

    Raises:
        ConfigurationError: Not exactly one thing is named, there is nobody to ask, nothing is stored
            under the id, or it is the account's own.
    """
    wish = _wish(message=message, chat=chat, contact=contact)
    if not is_agreed and not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask at; nothing was removed.", "Add --yes.")
    settings = settings_of_person()
    console = Console(soft_wrap=True, highlight=False)
    with bootstrap.open_store(settings) as store:
        _refuse_own(wish, store)
        now = bootstrap.clock_of(settings)()
        spool = bootstrap.spool_of(settings)
        foreseen = store.foresee_erasure(wish, now)
        waiting, texts = waiting_of(spool, forgotten_of(wish))
        if foreseen.counts or waiting:
            console.print(_table(wish, foreseen, waiting))
            if not is_agreed and console.input("Remove this for good? \\[y/N] ").strip().lower() not in _YES:
                console.print("Nothing was removed.")
                return 1
            store.erase(wish, now, waiting, texts)
            console.print("Removed; no later cycle stores it again.")
        elif foreseen.was_forgotten:
            console.print("It was forgotten before; nothing more is stored.")
        else:
            raise ConfigurationError(f"Nothing is stored of a {wish.kind} with this id.")
        # What was being written has no name yet, and may hold anything.
        for folder in (settings.attachments_dir, settings.spool_dir):
            remove_leftovers(folder)
        if unread := _forget_waiting(spool, store, now):
            console.print(f"Removed unread: {unread} damaged files of the spool; their chats are read again.")
        return _remove_files(settings, store, spool)


def _forget_waiting(spool: Spool, store: Store, now: datetime) -> int:
    try:
        return forget_waiting(spool, store.forgotten(), store, now)
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        raise ConfigurationError(
            f"SPOOL_DIR: what waits there cannot be changed ({reason}); it may hold what was forgotten.",
            "Look at its owner and its disk, then run the command again.",
        ) from error


_YES = frozenset({"y", "yes"})
_KINDS: tuple[WishKind, ...] = ("message", "chat", "contact")


def _wish(**named: str | None) -> Wish:
    wishes = [
        Wish("message", some_id.strip()) if kind == "message" else Wish(kind, normalise_id(some_id))
        for kind in _KINDS
        if (some_id := named[kind]) is not None
    ]
    if len(wishes) != 1:
        raise ConfigurationError("Exactly one of --message, --chat and --contact must be given.")
    return wishes[0]


def _refuse_own(wish: Wish, store: Store) -> None:
    account = store.account()
    if wish.kind == "contact" and account is not None and wish.id in {account.id, account.lid}:
        raise ConfigurationError(
            "This is the account itself; nothing was removed.",
            "Forget its chats, or drop the database's schema.",
        )


def _table(wish: Wish, erasure: Erasure, waiting: Collection[str]) -> Table:
    table = Table(f"what goes with this {wish.kind}", "rows")
    if waiting:
        table.add_row("messages that wait in the spool", f"{len(waiting)}")
    for name, count in sorted(erasure.counts.items(), key=lambda each: -each[1]):
        table.add_row(name, f"{count}")
    return table


def _remove_files(settings: Settings, store: Store, spool: Spool) -> int:
    """Remove the files after the rows; tell what stays."""
    kept = remove_unused_files(store, bootstrap.remove_file_of(settings), spool.file_paths())
    for path, reason in kept.items():
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"whatsapp-etl: {path} cannot be removed ({reason}). Run the command again; a cycle tries too.",
            markup=False,
        )
    return EXIT_PARTIAL if kept else 0
