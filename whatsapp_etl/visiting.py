"""Reading one chat of the storage's list, or saying why it was not read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from whatsapp_etl.chat_memory import ChatMemory
from whatsapp_etl.errors import (
    BrowserCrashedError,
    ChatSkippedError,
    MetadataUnreadableError,
    PageScriptError,
    PageTimeoutError,
    SelectorDriftError,
)
from whatsapp_etl.extract.source import Source
from whatsapp_etl.model import ChatBatch, ChatDiff, ChatFacts, MessageFacts, StopReason
from whatsapp_etl.scope import Directory
from whatsapp_etl.tally import Tally, reason_of
from whatsapp_etl.transform.plan import unopened
from whatsapp_etl.transform.visits import Planned, Rules, plan_visit

log = structlog.get_logger(__name__)

#: The phone is asked for older messages of one chat at most so often.
_PHONE_EVERY = timedelta(days=1)


@dataclass
class Visiting:
    """Visits chats; only what concerns all of them is raised."""

    source: Source
    memory: ChatMemory
    clock: Callable[[], datetime]
    asks_phone: bool
    raise_alarm: Callable[[Tally], None]  #: An unread count fell after a chat was opened.
    adjust: Callable[[Planned], Planned] = lambda planned: planned  #: Has the last word on a visit.
    phone_asked: dict[str, datetime] = field(default_factory=dict)  #: When last, by chat id.

    def visit(
        self, chat: ChatFacts, directory: Directory, diff: ChatDiff, since: datetime, tally: Tally
    ) -> tuple[Sequence[MessageFacts] | None, ChatBatch]:
        """Return what the storage lists of a chat, None when that failed, and what was read of it."""
        facts = None
        if (reason := self.memory.resting(chat.id)) is not None:
            return facts, self._unopened(chat, reason)
        try:
            facts = self.source.messages(chat, since)
            planned = plan_visit(
                chat,
                diff,
                facts,
                self._rules(directory, tally),
                directory.account,
                list_position=directory.positions[chat.id],
                turn=tally.run_id,
            )
            batch = self._read(self.adjust(planned), since, tally)
        except BrowserCrashedError:
            self.memory.note_failure(chat.id, StopReason.PAGE_FAILED)
            raise
        except (SelectorDriftError, PageTimeoutError, PageScriptError, MetadataUnreadableError) as failure:
            self.source.check_ready()  # what waits for a person explains it, and ends the cycle
            self.memory.note_failure(chat.id, reason_of(failure))
            reason = tally.page_failed(failure)
            log.warning("chat_failed", error=str(failure), kind=type(failure).__name__)
            return facts, self._unopened(chat, reason)
        self.memory.note_read(chat.id, batch.stop_reason)
        return facts, batch

    def may_ask_phone(self, chat_id: str) -> bool:
        """Whether the phone may be asked for older messages of a chat; it counts as asked then."""
        if not self.is_phone_due(chat_id):
            return False
        self.phone_asked[chat_id] = self.clock()
        return True

    def is_phone_due(self, chat_id: str) -> bool:
        """Whether it is long enough ago that the phone was asked for the chat."""
        asked_at = self.phone_asked.get(chat_id)
        return self.asks_phone and (asked_at is None or self.clock() - asked_at >= _PHONE_EVERY)

    def _read(self, planned: Planned, since: datetime, tally: Tally) -> ChatBatch:
        """Read one chat, or say why it was not read; only what concerns all chats is raised."""
        visit = planned.visit
        if planned.unopened is not None:
            return self._unopened(visit.chat, planned.unopened)
        try:
            batch = self.source.read(
                visit,
                since=since,
                budget=self.memory.budget(visit.chat.id),
                asks_phone=self.may_ask_phone(visit.chat.id),
            )
        except ChatSkippedError as skipped:
            log.warning("chat_skipped", error=str(skipped))
            return self._unopened(visit.chat, StopReason.CHAT_NOT_FOUND)
        tally.failures_in_a_row = 0
        if tally.opened(batch):
            self.raise_alarm(tally)
        return batch

    def _unopened(self, chat: ChatFacts, reason: StopReason) -> ChatBatch:
        return unopened(chat.id, reason, self.source.session.pack.id, self.clock())

    def _rules(self, directory: Directory, tally: Tally) -> Rules:
        """Return the rules as they stand now: an alarm counts for the next chat already."""
        if tally.is_alarmed and not directory.rules.is_shield_alarmed:
            return replace(directory.rules, is_shield_alarmed=True)
        return directory.rules
