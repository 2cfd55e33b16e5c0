"""What a cycle does with chats while Postgres is away, and when it is back. `Spooling.load` is the story."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.errors import SpoolDamagedError
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import LoadPlan
from whatsapp_etl.scope import Directory
from whatsapp_etl.spool.folder import ASIDE_FOR, Spool, full
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.tally import Tally, has_unread_fallen
from whatsapp_etl.transform.keeping import fit_to_keep, without_forgotten
from whatsapp_etl.transform.visits import Rules, is_allowed

log = structlog.get_logger(__name__)

#: Stores a chat under the rules in force; returns whether Postgres took it. The last argument: whether its
#: checkpoint may move.
LoadChat = Callable[[CapturedChat, Rules, Tally, bool], bool]


@dataclass
class Spooling:
    """Keeps captured chats on disk, and loads them in the order in which they were captured."""

    spool: Spool
    store: Store
    clock: Callable[[], datetime]
    load_chat: LoadChat
    announce: Announce = no_announcement

    def require_room(self) -> None:
        """Return while another chat can be kept.

        Raises:
            SpoolFullError: Reading it would be for nothing.
        """
        if self.spool.is_full:
            raise full("its bound is reached or its disk is full")

    def keep(self, captured: CapturedChat, plan: LoadPlan, tally: Tally) -> None:
        """Put a chat on disk, unless it brought nothing that could be stored.

        Raises:
            SpoolFullError: There is no room.
        """
        if captured.batch.rows or plan.messages:
            self.spool.put(fit_to_keep(captured))
            tally.spooled += 1
            log.info("chat_spooled", rows=len(captured.batch.rows), messages=len(plan.messages))
        tally.not_stored(captured.batch)

    def load(self, directory: Directory, tally: Tally) -> None:
        """Load what waits, oldest first, each chat in a transaction of its own; its file goes after that.

        Killed in between, a chat is loaded once more and changes nothing. The people must be stored
        already: whose ids are one person's decides which messages are stored.

        Raises:
            DatabaseUnreachableError: Postgres is away again; what is not stored stays.
        """
        for name in self.spool.names():
            try:
                captured = self.spool.read(name)
            except SpoolDamagedError as damaged:
                self._set_aside(name, str(damaged))
                continue
            if self._load_one(name, captured, directory, tally):
                self.announce(Step.SPOOLED_CHAT_STORED)
                self.spool.remove(name)
                self.announce(Step.SPOOLED_CHAT_REMOVED)
                tally.unspooled += 1
        if tally.unspooled:
            log.info("spool_loaded", chats=tally.unspooled)

    def tidy(self) -> None:
        """Remove files that were set aside long enough ago."""
        self.spool.remove_set_aside(self.clock() - ASIDE_FOR)

    def _load_one(self, name: str, captured: CapturedChat, directory: Directory, tally: Tally) -> bool:
        """Return whether the file has served."""
        pinned = self.store.account()
        if pinned is not None and pinned.id != captured.account.id:
            self._set_aside(name, "It was captured from another account than the one of the database.")
            return False
        phone_ids = {**captured.phone_ids, **directory.rules.phone_ids}
        rules = replace(directory.rules, phone_ids=phone_ids)
        left = without_forgotten(captured, rules.forgotten)
        if left.gone_files:
            self.store.note_unused(left.gone_files, self.clock())
        if left.captured is None or not is_allowed(captured.chat, rules):
            self.store.note_unused(captured.file_paths, self.clock())
            return True
        if has_unread_fallen(captured.batch):
            self.store.raise_shield_alarm(self.clock())
            tally.is_alarmed = True
        # After a file that could not be loaded there may be a gap that nobody knows of.
        may_move = not self.spool.set_aside_names()
        # Its title and its place may have changed since.
        current = replace(left.captured, chat=directory.current(captured.chat))
        if self.load_chat(current, rules, tally, may_move):
            return True
        self._set_aside(name, "Postgres refused it; what it holds is read from the page again.")
        return False

    def _set_aside(self, name: str, reason: str) -> None:
        place = self.spool.set_aside(name)
        log.error("spool_file_set_aside", file=place.name, folder=str(place.parent), reason=reason)


def waiting_of(spool: Spool, forgotten: Forgotten) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys and the texts of the messages in the spool that are to be forgotten."""
    keys: set[str] = set()
    texts: set[str] = set()
    for name in spool.names():
        with suppress(SpoolDamagedError):  # nobody can tell what it holds
            left = without_forgotten(spool.read(name), forgotten)
            keys.update(left.gone_keys)
            texts.update(left.gone_texts)
    return tuple(sorted(keys)), tuple(sorted(texts))


def forget_waiting(spool: Spool, forgotten: Forgotten, store: Store, now: datetime) -> int:
    """Take what was forgotten out of the spool's files; return how many were removed unread.

    A file that cannot be read may hold anything, so it goes as a whole: its chat is read again.
    """
    unread = spool.remove_set_aside()
    spool.remove_memory()  # it does not know this wish; the next cycle leaves another
    for name in spool.names():
        try:
            captured = spool.read(name)
        except SpoolDamagedError:
            spool.remove(name)
            unread += 1
            continue
        left = without_forgotten(captured, forgotten)
        store.note_unused(left.gone_files, now)
        if left.captured is None:
            spool.remove(name)
        elif left.captured != captured:
            spool.replace(name, left.captured)
    return unread
