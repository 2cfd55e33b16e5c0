"""The cycle when the browser's storage cannot be read: the chat list decides, and the rows prove.

`ChatListCycle.run` is the story. What is not known here stays unknown: how many messages there are, who
received a group's, who reacted. Later metadata completes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from whatsapp_etl.chat_memory import ChatMemory
from whatsapp_etl.errors import BrowserCrashedError, PageScriptError, PageTimeoutError, SelectorDriftError
from whatsapp_etl.extract.list_reader import ListedVisit
from whatsapp_etl.extract.source import Source
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import (
    Account,
    ChatBatch,
    Checkpoint,
    KnownMessage,
    ListedChat,
    LoadPlan,
    ParsedRow,
    RawRow,
    Reach,
    Reject,
    RowGlance,
    StopReason,
)
from whatsapp_etl.progress import CycleProgress
from whatsapp_etl.tally import Tally, reason_of
from whatsapp_etl.transform.listing import (
    LastRead,
    after_reading,
    chat_of,
    chats_to_open,
    glances,
    inside,
    is_shielded,
    is_titled_out,
    reach,
    refusal,
)
from whatsapp_etl.transform.messages import ChatContext, external_id
from whatsapp_etl.transform.parse import signal_counts
from whatsapp_etl.transform.plan import plan_load, unopened
from whatsapp_etl.transform.visits import Rules

log = structlog.get_logger(__name__)

#: So many chats in a row whose rows prove no chat mean that this page proves none.
_UNPROVEN_IN_A_ROW = 3

Parsed = tuple[Sequence[ParsedRow], Sequence[Reject]]


@dataclass
class ChatListCycle:
    """Reads what the page alone tells; lives as long as the program, to know what it read before."""

    source: Source
    store: Store
    memory: ChatMemory
    clock: Callable[[], datetime]
    parse: Callable[[ChatBatch, Account], Parsed]
    apply: Callable[[LoadPlan, Tally], bool]
    may_ask_phone: Callable[[str], bool]
    _last: dict[str, LastRead] = field(default_factory=dict)  #: By chat id.

    def run(
        self, account: Account, rules: Rules, since: datetime, tally: Tally, progress: CycleProgress
    ) -> None:
        """Read the chats that may hold something new, and store what is proven."""
        progress.stage("reading the chat list")
        with tally.stage("directory"):
            listed = [each for each in self.source.listed() if not is_titled_out(each, account, rules)]
            tally.chats_listed = len(listed)

        with tally.stage("read"):
            queue = chats_to_open(listed, self._last, since, tally.started_at, first=self.memory.first)
            visits = _Visits(account, rules, since, tally.started_at, self.store.checkpoints())
            progress.stage("reading chats")
            progress.chats(len(queue))
            for each in queue:
                batch = self._visit(each, visits, tally)
                stored = self._store(each, batch, visits, tally)
                progress.chat_done(stored)
                tally.stop_if_interrupted(batch)

    # --- one chat -------------------------------------------------------------------------------

    def _visit(self, listed: ListedChat, visits: _Visits, tally: Tally) -> ChatBatch:
        """Read one chat, or say why it was not read; only what concerns all chats is raised."""
        key = listed.key
        if (reason := self.memory.resting(key)) is not None:
            return self._unopened(listed, reason)
        rules = replace(visits.rules, is_shield_alarmed=True) if tally.is_alarmed else visits.rules
        if is_shielded(listed, rules):
            return self._unopened(listed, StopReason.SHIELDED)
        if visits.unproven_in_a_row >= _UNPROVEN_IN_A_ROW:
            return self._unopened(listed, StopReason.CHAT_UNIDENTIFIED)
        try:
            batch = self.source.read_listed(
                ListedVisit(
                    listed=listed,
                    admit=lambda chat_id: visits.admit(chat_id, listed, self._last.get(chat_id)),
                    glance=lambda rows: self._glance(rows, visits.account),
                    budget=self.memory.budget(key),
                    asks_phone=self.may_ask_phone(key),
                )
            )
        except BrowserCrashedError:
            self.memory.note_failure(key, StopReason.PAGE_FAILED)
            raise
        except (SelectorDriftError, PageTimeoutError, PageScriptError) as failure:
            self.source.check_ready()  # what waits for a person explains it, and ends the cycle
            self.memory.note_failure(key, reason_of(failure))
            reason = tally.page_failed(failure)
            log.warning("chat_failed", error=str(failure), kind=type(failure).__name__)
            return self._unopened(listed, reason)
        tally.failures_in_a_row = 0
        visits.note(batch)
        if tally.opened(batch):
            self.store.raise_shield_alarm(self.clock())
            log.error("shield_alarm", detail="an unread count fell after the chat was opened")
        return batch

    def _store(self, listed: ListedChat, batch: ChatBatch, visits: _Visits, tally: Tally) -> int:
        """Store what a visit brought; return how many messages. Of an unproven chat nothing is written."""
        if not batch.chat_id or batch.stop_reason in {StopReason.EXCLUDED, StopReason.NOTHING_TO_READ}:
            tally.not_stored(batch)
            return 0
        self.memory.note_read(listed.key, batch.stop_reason)
        before = self._last.get(batch.chat_id)
        context = ChatContext(
            chat=chat_of(listed, batch.chat_id, visits.account),
            account=visits.account,
            since=visits.since,
            disappearing=visits.rules.disappearing,
            checkpoint=visits.checkpoints.get(batch.chat_id),
            forgotten=visits.rules.forgotten,
            downloads=visits.rules.downloads,
        )
        parsed, rejects = self.parse(batch, visits.account)
        batch, parsed = inside(batch, parsed, visits.since)
        tally.parsed(batch, parsed, signal_counts(parsed))
        plan = plan_load(
            batch, parsed, None, self._known(parsed, visits.account), context, self.clock(), rejects=rejects
        )
        self.apply(plan, tally)
        self._last[batch.chat_id] = after_reading(listed.look, batch.stop_reason, before, visits.started_at)
        return len(plan.messages)

    def _glance(self, rows: Sequence[RawRow], account: Account) -> Mapping[str, RowGlance]:
        batch = ChatBatch(
            "", self.source.session.pack.id, tuple(rows), StopReason.NOTHING_TO_READ, self.clock()
        )
        return glances(self.parse(batch, account)[0])

    def _known(self, parsed: Sequence[ParsedRow], account: Account) -> Mapping[str, KnownMessage]:
        return self.store.known([external_id(row.key, account) for row in parsed if row.key is not None])

    def _unopened(self, listed: ListedChat, reason: StopReason) -> ChatBatch:
        return unopened(listed.chat_id or "", reason, self.source.session.pack.id, self.clock())


@dataclass
class _Visits:
    """What one cycle knows while it goes from chat to chat."""

    account: Account
    rules: Rules
    since: datetime
    started_at: datetime
    checkpoints: Mapping[str, Checkpoint]
    unproven_in_a_row: int = 0
    _taken: set[str] = field(default_factory=set)  #: Chats opened in this cycle.

    def admit(self, chat_id: str, listed: ListedChat, before: LastRead | None) -> Reach | StopReason | None:
        """Return how far back an opened chat is read, or why not; None when it was read already."""
        if chat_id in self._taken:
            return None
        self._taken.add(chat_id)
        refused = refusal(chat_id, listed.title, self.account, self.rules)
        return refused or reach(self.checkpoints.get(chat_id), before, self.since, self.started_at)

    def note(self, batch: ChatBatch) -> None:
        """Count the chats whose rows proved nothing."""
        is_unproven = batch.stop_reason is StopReason.CHAT_UNIDENTIFIED and not batch.rows
        self.unproven_in_a_row = self.unproven_in_a_row + 1 if is_unproven else 0
