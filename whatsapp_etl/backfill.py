"""Back-fill: what lies before the look-back, read slice by slice, so that many chats come on.

`Backfill._sync` is the story. It opens, reads, plans and stores as a cycle does. What differs is how far
back, which chats, and that its progress is stored in place of checkpoint and coverage, which tell of the
look-back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.chat_memory import ChatMemory
from whatsapp_etl.errors import ChatChoiceError
from whatsapp_etl.loading import ReadChat
from whatsapp_etl.model import (
    BackfillProgress,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    LoadPlan,
    StopReason,
)
from whatsapp_etl.pipeline import Cycle
from whatsapp_etl.planning import plan_captured
from whatsapp_etl.progress import CycleProgress
from whatsapp_etl.records import ChatBackfill
from whatsapp_etl.scope import Directory, index_in_scope, read_directory
from whatsapp_etl.tally import Tally
from whatsapp_etl.transform.backfill import (
    as_backfill,
    chosen_chats,
    is_complete,
    needs_reading,
    phone_has_more,
    settled,
)
from whatsapp_etl.transform.visits import Planned, visiting_order

#: The first slice of a chat. One that runs out makes the next twice as long, since a chat opens at its end.
SLICE = timedelta(minutes=2)

#: A chat is walked so often in one run, what the phone brings included.
_MOST_WALKS = 3

#: So many of the longest slices in a row that come no further up mean that the page shows no more.
_MOST_STALLS = 3


@dataclass
class Backfill(Cycle):
    """Reads `lookback` far back, beside the ordinary cycles, whose own look-back is `recent`."""

    recent: timedelta = timedelta(days=30)
    names: tuple[str, ...] = ()  #: Chats by id, title or number; empty: all in scope.
    slice: timedelta = SLICE
    chats: tuple[ChatFacts, ...] = field(init=False, default=())
    candidates: tuple[str, ...] = field(init=False, default=())  #: Ids of the chats that one name fits.
    _since: datetime = field(init=False)
    _edge: datetime = field(init=False)
    _before: dict[str, BackfillProgress] = field(init=False, default_factory=dict)
    _diffs: Mapping[str, ChatDiff] = field(init=False, default_factory=dict)
    _unread: Mapping[str, Sequence[str]] = field(init=False, default_factory=dict)
    _walks: dict[str, int] = field(init=False, default_factory=dict)
    _left_in: str | None = field(
        init=False, default=None
    )  #: Goes on where it is, longer than any chat's slice.
    _top: str | None = field(init=False, default=None)  #: The oldest row that the last slice saw.
    _stalls: int = field(init=False, default=0)  #: Slices in a row that went on there and came no further.
    _told_whole: set[str] = field(init=False, default_factory=set)  #: Chats that need no page, as in a cycle.
    _stuck: set[str] = field(init=False, default_factory=set)  #: Chats that are given up for this run.

    def __post_init__(self) -> None:
        super().__post_init__()
        self._memory = ChatMemory(self.clock, self.slice)
        self._visiting = replace(self._visiting, memory=self._memory, adjust=self._adjusted)
        self._loading = replace(self._loading, memory=self._memory)

    def told(self) -> tuple[ChatBackfill, ...]:
        """Return what is known of each chosen chat, as stored; none when the run did not come to choosing."""
        progress = self.store.backfill_progress() if self.chats else {}
        oldest = self.store.oldest_stored([some_id for chat in self.chats for some_id in chat.ids])
        return tuple(self._told_of(chat, progress.get(chat.id), oldest) for chat in self.chats)

    def _sync(self, tally: Tally, progress: CycleProgress) -> None:
        progress.stage("opening the page")
        with tally.stage("open"):
            self.source.open()
        self._rows.page_opened(self.source.language())
        self._since, self._edge = tally.started_at - self.lookback, tally.started_at - self.recent
        tally.run_id = self.store.begin_run(tally.started_at, self._since, "backfill")
        account = self._pinned_account(tally)
        tally.raise_if_away()

        progress.stage("reading the list of chats")
        with tally.stage("directory"):
            directory = read_directory(self.source, account, self._rules_now)
            tally.chats_listed, tally.chats_skipped = len(directory.chats), directory.skipped
            self._load_people(directory, tally)
            self._take_up(directory)

        if self.reader != "dom":
            progress.stage("reading the message store")
            self._read_store(directory, tally)
        while queue := self._next_round(directory, tally):
            progress.stage("reading chats")
            progress.chats(len(queue))
            with tally.stage("read"):
                for chat in queue:
                    progress.chat_done(self._read_slice(chat, directory, tally))
            # The phone may have brought more.
            directory = read_directory(self.source, account, self._rules_now)
            self._take_up(directory)

        # The last comparison counted the chats of which nothing is wanted; of these nothing more can be read.
        tally.missing += sum(diff.expected - diff.stored for diff in self._diffs.values() if diff.wanted)
        progress.stage("reactions")
        with tally.stage("directory_load"):
            self._load_reactions(self._chosen(directory), self._since, tally)
            self._record_settled(tally)
        tally.unreadable_parts.update(self.source.unreadable_parts)

    # --- the steps ------------------------------------------------------------------------------

    def _take_up(self, directory: Directory) -> None:
        """Go on where earlier slices stopped, those of earlier runs among them."""
        try:
            self.chats = chosen_chats(directory.chats, self.names, directory.rules)
        except ChatChoiceError as error:
            self.candidates = error.candidates  # for the person's eyes; the error itself is logged and stored
            raise
        self._before = dict(self.store.backfill_progress())
        for chat_id, before in self._before.items():
            if before.phone_asked_at is not None:
                self._visiting.phone_asked.setdefault(chat_id, before.phone_asked_at)
            if chat_id not in self._walks:
                self._memory.resume(chat_id, before.slices)

    def _next_round(self, directory: Directory, tally: Tally) -> tuple[ChatFacts, ...]:
        """Compare the chosen chats anew; return those from which a slice could bring something."""
        with tally.stage("compare"):
            unreadable_before = self.source.unreadable_rows
            pages = index_in_scope(self.source, self._chosen(directory), self._since)
            self._diffs, self._unread = self.store.diff_before(
                pages, self._since, edge=self._edge, now=tally.started_at, run_id=tally.run_id
            )
            tally.compared(self._diffs, unreadable=self.source.unreadable_rows - unreadable_before)
        due = [chat for chat in self.chats if self._is_due(chat)]
        if left := [chat for chat in due if chat.id == self._left_in]:
            return tuple(left)  # any other chat would be opened in its place
        places = {chat.id: self._diffs.get(chat.id) or ChatDiff(chat.id, 0, 0, ()) for chat in due}
        # `visiting_order` leaves out what is not wanted; here the phone alone may be.
        ordered = visiting_order(places, due, replace(directory.rules, last=self._memory.last))
        return (*ordered, *(chat for chat in due if chat not in ordered))

    def _read_store(self, directory: Directory, tally: Tally) -> None:
        """Read what the page's message store tells; what it does not, slices of the page bring."""
        queue = self._next_round(directory, tally)
        listed = [chat for chat in queue if (diff := self._diffs.get(chat.id)) and diff.wanted]
        load = partial(self._load_told, directory, tally)
        with tally.stage("read_store"):
            self._store_first.read(listed, directory, self._diffs, since=self._since, tally=tally, load=load)
        self._take_up(directory)

    def _load_told(
        self,
        directory: Directory,
        tally: Tally,
        chats: Sequence[ReadChat],
        *,
        is_last: bool,  # noqa: ARG002 - no cursor stands for what lies before the look-back
    ) -> Sequence[LoadPlan]:
        """Store what was told of chats with how far each came."""
        plans = []
        for each in chats:
            plan = self._planned(each.captured, directory)
            if self._loading.apply(plan, tally, is_late=True) and each.is_whole:
                self._told_whole.add(each.captured.chat.id)
            plans.append(plan)
        return plans

    def _planned(self, captured: CapturedChat, directory: Directory) -> LoadPlan:
        chat_id = captured.chat.id
        return as_backfill(
            plan_captured(captured, directory.rules, self.store, self.clock()),
            captured,
            edge=self._edge,
            before=self._before.get(chat_id),
            asked_at=self._visiting.phone_asked.get(chat_id),
        )

    def _is_due(self, chat: ChatFacts) -> bool:
        before = self._before.get(chat.id)
        walks = self._walks.get(chat.id, 0)
        diff, unread = self._diffs.get(chat.id), self._unread_of(chat.id)
        has_more = chat.id not in self._told_whole and needs_reading(diff, unread, before)
        if not walks:
            return has_more or self._seeks_phone(chat)
        if before is None:  # its rows were refused
            return False
        if before.stop_reason is StopReason.TIME_BUDGET:
            return chat.id not in self._stuck
        return before.is_finished and has_more and walks < _MOST_WALKS

    def _seeks_phone(self, chat: ChatFacts) -> bool:
        return phone_has_more(chat, self._since) and self._visiting.is_phone_due(chat.id)

    def _read_slice(self, chat: ChatFacts, directory: Directory, tally: Tally) -> int:
        """Read one slice of a chat and store it with how far it came; return how many messages it wrote."""
        diff = self._diffs.get(chat.id) or ChatDiff(chat.id, 0, 0, ())
        captured = self._capture(chat, directory, diff, self._since, tally)
        tally.raise_if_away()
        plan = self._planned(captured, directory)
        self._loading.apply(plan, tally)
        self._note_place(captured.batch, plan)
        if captured.batch.stop_reason is not StopReason.TIME_BUDGET:
            self._walks[chat.id] = self._walks.get(chat.id, 0) + 1
        else:
            self._walks.setdefault(chat.id, 1)
        tally.stop_if_interrupted(captured.batch)
        return len(plan.messages)

    def _note_place(self, batch: ChatBatch, plan: LoadPlan) -> None:
        """Note where the page stands when a chat's longest slice ran out, unless it comes no further up."""
        progress, chat_id = plan.backfill, plan.thread.external_id
        has_run_out = progress is not None and self._memory.has_had_longest(progress.slices)
        is_left = batch.stop_reason is StopReason.TIME_BUDGET and has_run_out
        is_at_same = self._left_in == chat_id and batch.oldest_shown_id == self._top
        self._stalls = self._stalls + 1 if is_left and is_at_same else 0
        if self._stalls == _MOST_STALLS:
            self._stuck.add(chat_id)
        self._top = batch.oldest_shown_id
        self._left_in = chat_id if is_left and chat_id not in self._stuck else None

    def _adjusted(self, planned: Planned) -> Planned:
        """Read as a cycle does, but for where it begins, and up to the place where the phone may be asked."""
        chat = planned.visit.chat
        planned = replace(planned, visit=replace(planned.visit, goes_on=chat.id == self._left_in))
        if self._seeks_phone(chat) and planned.unopened in {None, StopReason.NOTHING_TO_READ}:
            return Planned(replace(planned.visit, seeks_phone=True))
        return planned

    def _record_settled(self, tally: Tally) -> None:
        """Note how the chats stand from which nothing more can be read now."""
        now = self.clock()
        progress = []
        for chat in self.chats:
            before, diff, unread = (
                self._before.get(chat.id),
                self._diffs.get(chat.id),
                self._unread_of(chat.id),
            )
            if not needs_reading(diff, unread, before):
                progress.append(settled(chat, diff, unread, since=self._since, now=now, before=before))
        self.store.record_backfill(progress, tally.run_id)

    # --- small things ---------------------------------------------------------------------------

    def _chosen(self, directory: Directory) -> Directory:
        return replace(directory, chats=self.chats)

    def _unread_of(self, chat_id: str) -> Sequence[str]:
        return self._unread.get(chat_id, ())

    def _told_of(
        self, chat: ChatFacts, progress: BackfillProgress | None, oldest: Mapping[str, datetime]
    ) -> ChatBackfill:
        diff = self._diffs.get(chat.id)
        has_more = phone_has_more(chat, self._since)
        return ChatBackfill(
            thread_external_id=chat.id,
            expected=progress.expected if progress else (diff.expected if diff else 0),
            stored=progress.stored if progress else (diff.stored if diff else 0),
            missing=progress.missing if progress else {},
            stop_reason=progress.stop_reason if progress else None,
            is_finished=bool(progress and progress.is_finished),
            is_complete=is_complete(progress, chat, self._since),
            oldest_stored_at=min(
                (oldest[some_id] for some_id in chat.ids if some_id in oldest), default=None
            ),
            history_type=chat.history_type,
            device_holds_from=chat.held_since(self._since),
            needs_phone=has_more,
            phone_asked_at=progress.phone_asked_at if progress else None,
        )
