"""What the page's own message store tells is read first; the page itself, for what is left.

The ladder: the decrypted store with the storage's list of ids, then the list with texts from opened chats,
then the chat list alone (`chat_list_cycle`). The store is left for the page within the cycle: as a whole when
its self-test or an answer fails, message by message where it does not tell everything, as of notices, whose
words are the page's own. Nothing is lost by that, since the difference of the ids decides what is still
wanted, and nothing doubled, since both ways give a message the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

import structlog

from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.errors import (
    MetadataUnreadableError,
    PageScriptError,
    PageTimeoutError,
    SelectorDriftError,
    StopRequestedError,
    StoreUnreadableError,
)
from whatsapp_etl.extract.message_store import MessageStore
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.source import Source
from whatsapp_etl.loading import ReadChat
from whatsapp_etl.model import (
    BODILESS_TYPES,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    Disagreement,
    DisagreementFact,
    LoadPlan,
    MessageFacts,
    MessageType,
    ParsedRow,
    StopReason,
)
from whatsapp_etl.overlap import Overlap
from whatsapp_etl.scope import Directory
from whatsapp_etl.screen_check import ScreenChecking
from whatsapp_etl.store_records import StoreRow, StoreUnavailable
from whatsapp_etl.tally import Tally
from whatsapp_etl.transform.messages import external_id
from whatsapp_etl.transform.parse import signal_counts
from whatsapp_etl.transform.store_rows import (
    StoreWords,
    is_told,
    names_of,
    notice_without_words,
    read_store_rows,
)
from whatsapp_etl.transform.visits import plan_visit

log = structlog.get_logger(__name__)

ReaderChoice = Literal["auto", "dom", "store"]

#: Messages that are read and stored at once, of as many chats as it takes; but for one chat with more.
GROUP_ROWS = 2000
GROUP_CHATS = 100

#: After the page showed something else than the store told, the page alone is read for so long.
REST = timedelta(days=1)


class Load(Protocol):
    """Plans and stores chats, all of them in one transaction; `is_last`: nothing of any chat is left then."""

    def __call__(self, chats: Sequence[ReadChat], *, is_last: bool) -> Sequence[LoadPlan]: ...


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is wanted of one chat."""

    chat: ChatFacts
    diff: ChatDiff
    facts: tuple[MessageFacts, ...]  #: Of what is wanted, and of what is near.
    wanted: tuple[MessageFacts, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one cycle's reading is about."""

    directory: Directory
    since: datetime
    words: StoreWords
    tally: Tally
    load: Load
    pack_id: str
    left: dict[str, ChatDiff]  #: What is still wanted, by chat.


@dataclass
class StoreFirst:
    """Reads chats from the page's message store, before any chat is opened."""

    source: Source
    choice: ReaderChoice  #: "dom": never; "auto": the page tells the rest; "store": the rest is left out.
    clock: Callable[[], datetime]
    screen: ScreenChecking  #: Compares it with the chat list.
    record: Callable[[Sequence[Disagreement], int], None]  #: Stores disagreements of a run.
    _store: MessageStore | None = None
    _of: Session | None = None  #: Whose page the store belongs to.
    _rests_until: datetime | None = None
    _has_read: bool = False

    def read(
        self,
        queue: Sequence[ChatFacts],
        directory: Directory,
        diffs: Mapping[str, ChatDiff],
        *,
        since: datetime,
        tally: Tally,
        load: Load,
    ) -> Mapping[str, ChatDiff]:
        """Read and load what the store tells of these chats.

        Args:
            queue: Chats with something wanted.
            directory: The account's chats and people.
            diffs: How the chats compare with Postgres.
            since: The look-back's edge.
            tally: Of the cycle.
            load: Takes what was read.

        Returns:
            What is still wanted, by chat: of all chats when the store cannot be read.
        """
        left = {chat.id: diffs[chat.id] for chat in queue}
        if self.choice == "dom" or not (queue or self.screen.chats) or not self._is_usable(tally):
            return left
        words = self._words(directory)
        if not self._is_as_shown(directory, words, tally):
            return left
        pack_id = self.source.session.pack.id
        reading = _Reading(directory, since, words, tally, load, pack_id, left)
        with Overlap() as loading:
            for group in self._groups(queue, diffs, reading):
                try:
                    rows = self._rows(group)
                except StoreUnreadableError as failure:
                    self._leave(failure.reason, failure.detail, tally)
                    break
                loading.submit(partial(self._load, group, rows, reading))
        return left

    def note(self, tally: Tally) -> None:
        """Let the store rest when the page showed another text than it told, or the other way round."""
        if self._has_read and tally.disagreed[DisagreementFact.TEXT]:
            self._rest(tally)

    # --- the store ------------------------------------------------------------------------------

    def _is_as_shown(self, directory: Directory, words: StoreWords, tally: Tally) -> bool:
        """Compare a few chats with the list; before anything is read, so that this cycle reads the page."""
        try:
            check = self.screen.check(self._opened(), directory, words, tally.run_id)
        except StoreUnreadableError as failure:
            self._leave(failure.reason, failure.detail, tally)
            return False
        except (MetadataUnreadableError, PageScriptError, PageTimeoutError, SelectorDriftError) as unreadable:
            log.warning("chat_list_not_compared", error=str(unreadable), kind=type(unreadable).__name__)
            return True
        tally.compared_with_list(check)
        if check.found:
            log.warning("chat_list_disagrees", found=len(check.found), compared=check.compared)
            tally.if_there(lambda: self.record(check.found, tally.run_id))
        if check.is_serious:
            self._rest(tally)
        return not check.is_serious

    def _rest(self, tally: Tally) -> None:
        self._rests_until = self.clock() + REST
        self._leave(StoreUnavailable.DISAGREES, None, tally)

    def _is_usable(self, tally: Tally) -> bool:
        """Prove in each cycle that the store can be read: a release of the page may come at any time."""
        if self._rests_until is not None and self.clock() < self._rests_until:
            self._leave(StoreUnavailable.DISAGREES, None, tally)
            return False
        try:
            listed = self.source.storage.newest_row()
        except MetadataUnreadableError as unreadable:
            self._leave(StoreUnavailable.NOT_LISTED, unreadable.reason, tally)
            return False
        check = self._opened().check(listed)
        if check.reason is not None:
            self._leave(check.reason, check.detail, tally)
        return check.is_passed

    def _opened(self) -> MessageStore:
        session = self.source.session
        if self._store is None or self._of is not session:
            self._store, self._of = MessageStore(session.page, session.watchdog), session
        return self._store

    def _leave(self, reason: StoreUnavailable, detail: str | None, tally: Tally) -> None:
        tally.store_unavailable, tally.store_detail = reason, detail
        log.warning(
            "store_reader_unavailable",
            reason=reason.value,
            detail=detail,
            wa_version=self.source.snapshot().wa_version,
        )

    # --- chats ----------------------------------------------------------------------------------

    def _groups(
        self, queue: Sequence[ChatFacts], diffs: Mapping[str, ChatDiff], reading: _Reading
    ) -> Iterator[Sequence[_Wish]]:
        """Yield chats with what is wanted of them, together about a page of rows, or one chat with more."""
        for chats in _together(queue, diffs):
            if self.source.stop.is_set():
                raise StopRequestedError("The program was asked to stop; what was read is stored.")
            wishes = self._wishes(chats, diffs, reading)
            # Notices alone are worth no opening where the page is not to be opened.
            group = [
                wish
                for wish in wishes
                if self.choice == "store" or any(is_told(each) for each in wish.wanted)
            ]
            if group:
                yield group

    def _wishes(
        self, chats: Sequence[ChatFacts], diffs: Mapping[str, ChatDiff], reading: _Reading
    ) -> Sequence[_Wish]:
        """List what is wanted of chats; one that cannot be listed is left to the page, and costs no other."""
        try:
            wanted = [(chat.ids, diffs[chat.id].wanted) for chat in chats]
            listed = self.source.storage.messages_of(wanted, reading.since)
        except (MetadataUnreadableError, PageScriptError, PageTimeoutError) as unreadable:
            if len(chats) == 1:
                log.warning("chat_left_to_page", error=str(unreadable))
                return ()
            return [wish for chat in chats for wish in self._wishes([chat], diffs, reading)]
        return [
            _wish(chat, diffs[chat.id], facts, reading.directory)
            for chat, facts in zip(chats, listed, strict=True)
        ]

    def _rows(self, group: Iterable[_Wish]) -> Mapping[str, StoreRow]:
        """Read what is wanted, by stored id.

        Only that is decrypted: nothing of other chats, or before the look-back.
        """
        wanted = [
            each.stored_id
            for wish in group
            for each in wish.wanted
            if is_told(each) and each.type not in BODILESS_TYPES and each.stored_id
        ]
        return {row.stored_id: row for page in self._opened().rows(wanted) for row in page}

    def _load(self, group: Sequence[_Wish], rows: Mapping[str, StoreRow], reading: _Reading) -> None:
        """Understand and load what was read; beside the reading of the next."""
        if self.source.stop.is_set():
            return  # the rest is wanted in the next cycle, too
        told = [(wish, *self._told(wish, rows, reading)) for wish in group]
        is_last = not any(rest for *_, rest in told) and len(reading.left) == len(told)
        plans = reading.load([ReadChat(captured, not rest) for _, captured, rest in told], is_last=is_last)
        for (wish, _, rest), plan in zip(told, plans, strict=True):
            if rest:
                reading.left[wish.chat.id] = replace(wish.diff, wanted=rest, stored=plan.coverage.stored)
            else:
                del reading.left[wish.chat.id]

    def _told(
        self, wish: _Wish, rows: Mapping[str, StoreRow], reading: _Reading
    ) -> tuple[CapturedChat, tuple[str, ...]]:
        """Return what the store tells of a chat, and the keys that are left."""
        directory, chat = reading.directory, wish.chat
        told = [row for each in wish.wanted if (row := rows.get(each.stored_id or "")) is not None]
        parsed = [*read_store_rows(told, reading.words), *self._notices(wish.wanted)]
        rest = self._remainder(parsed, wish.wanted, wish.diff, directory)
        batch = ChatBatch(
            chat_id=chat.id,
            pack_id=reading.pack_id,
            rows=(),
            # Until the page was read, too, the chat counts as one whose reading was cut off.
            stop_reason=StopReason.INTERRUPTED if rest else self._end(parsed, wish.wanted),
            observed_at=self.clock(),
            read_path="store",
        )
        reading.tally.parsed(batch, parsed, signal_counts(parsed))
        self._has_read = True
        captured = CapturedChat(
            chat=chat,
            account=directory.account,
            since=reading.since,
            diff=wish.diff,
            facts=wish.facts,
            batch=batch,
            parsed=tuple(parsed),
            rejects=(),
            participant_ids=directory.participants(chat.id),
            phone_ids=directory.rules.phone_ids,
        )
        return captured, rest

    def _notices(self, wanted: Iterable[MessageFacts]) -> Sequence[ParsedRow]:
        """Return the notices without their words, where no chat is opened for those."""
        if self.choice != "store":
            return ()
        return [notice_without_words(each) for each in wanted if each.type is MessageType.SYSTEM]

    def _remainder(
        self,
        parsed: Sequence[ParsedRow],
        wanted: Sequence[MessageFacts],
        diff: ChatDiff,
        directory: Directory,
    ) -> tuple[str, ...]:
        """Return the keys that the page must be opened for: what was not told, and bytes that it shows."""
        if self.choice == "store":
            return ()
        told = {row.shown_id: row.type for row in parsed}
        keys = {
            external_id(each.key, directory.account)
            for each in wanted
            if each.type not in BODILESS_TYPES
            and (
                (kind := told.get(each.stored_id or "")) is None
                or directory.rules.downloads.expects_page(kind)
            )
        }
        return tuple(key for key in diff.wanted if key in keys)

    def _end(self, parsed: Sequence[ParsedRow], wanted: Sequence[MessageFacts]) -> StopReason:
        told = {row.shown_id for row in parsed}
        is_whole = all(each.stored_id in told or each.type in BODILESS_TYPES for each in wanted)
        return StopReason.ALL_FOUND if is_whole else StopReason.NOTHING_TO_READ

    def _words(self, directory: Directory) -> StoreWords:
        account = directory.account
        own = {some_id for some_id in (account.id, account.lid) if some_id}
        return StoreWords(names_of(directory.contacts, own), self.source.language())


def _together(queue: Sequence[ChatFacts], diffs: Mapping[str, ChatDiff]) -> Iterator[Sequence[ChatFacts]]:
    """Yield the chats in groups of which about so many rows are wanted."""
    group: list[ChatFacts] = []
    rows = 0
    for chat in queue:
        wanted = len(diffs[chat.id].wanted)
        if group and (rows + wanted > GROUP_ROWS or len(group) == GROUP_CHATS):
            yield group
            group, rows = [], 0
        group.append(chat)
        rows += wanted
    if group:
        yield group


def _wish(chat: ChatFacts, diff: ChatDiff, facts: Sequence[MessageFacts], directory: Directory) -> _Wish:
    position = directory.positions[chat.id]
    planned = plan_visit(chat, diff, facts, directory.rules, directory.account, list_position=position)
    return _Wish(chat, diff, tuple(facts), planned.visit.wanted)
