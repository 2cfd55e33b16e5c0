"""Reads one chat: opens it, proves that it is the one meant, walks up until nothing is missing.

Nothing captured counts until the newest ids shown all belong to the chat; that is checked again
after every step. Every visit says why it ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from whatsapp_etl.downloads import DownloadRules, DownloadWay
from whatsapp_etl.errors import StopRequestedError
from whatsapp_etl.extract.capture import Capture, Step, Verdict, judge
from whatsapp_etl.extract.chat_list import ChatList, ChatRow
from whatsapp_etl.extract.conversation import QUIET_TRIES, Conversation, Opened, Patience
from whatsapp_etl.extract.limits import Limits
from whatsapp_etl.extract.media import PictureOptions, Pictures
from whatsapp_etl.extract.page_script import PageScripts
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.storage import Storage
from whatsapp_etl.model import (
    CapturedFile,
    ChatBatch,
    ChatVisit,
    MessageType,
    RawRow,
    StopReason,
)

#: A message is stored so soon after it is shown; and how often that is looked for.
_STORED_WITHIN = timedelta(seconds=3)
_LOOK_AGAIN = 0.2

#: The part of the mounted rows, from the top, that stays on the page for at least one more step. A
#: step brings about 24 rows of at most 100, and those at the far end are emptied before they leave.
_TOP_SHARE = 0.5

#: Pictures read from the page in one go.
_PICTURES_AT_ONCE = 12

#: Reading one chat, unless the caller says otherwise.
BUDGET = timedelta(minutes=5)


class Reader:
    """Reads chats of a ready session, one after another.

    Args:
        session: Ready; its pack is used for the life of this reader.
        storage: The metadata; proves whose rows are shown.
        save_file: Keeps a picture's bytes and says where.
        limits: How fast chats are opened and scrolled, and the request to stop.
        clock: The program's clock; aware UTC.
        patience: How long the page is given for each thing.
        downloads: Which files are wanted, and how they are got.
    """

    def __init__(
        self,
        session: Session,
        storage: Storage,
        *,
        save_file: Callable[[bytes], CapturedFile],
        limits: Limits,
        clock: Callable[[], datetime],
        patience: Patience | None = None,
        downloads: DownloadRules | None = None,
    ) -> None:
        self._session = session
        self._storage = storage
        self._limits = limits
        self._clock = clock
        patience = patience or Patience()
        self._scripts = PageScripts(
            session.page, session.watchdog, session.pack, session.hits, session.keep_snapshot
        )
        self.chat_list = ChatList(self._scripts)
        self._downloads = rules = downloads or DownloadRules()
        is_pressed = DownloadWay.BUTTON in rules.ways
        self.conversation = Conversation(self._scripts, self.chat_list, patience, presses=is_pressed)
        options = PictureOptions(is_pressed, rules.most_shown_bytes, patience.pictures)
        self._pictures = Pictures(self._scripts, save_file, limits.downloads, options)
        self._left_in: str | None = None  # the chat that is open where a walk ran out of time

    def read(
        self,
        visit: ChatVisit,
        *,
        since: datetime,
        budget: timedelta = BUDGET,
        asks_phone: bool = False,
    ) -> ChatBatch:
        """Read what a visit wants.

        Args:
            visit: The chat and the messages wanted of it.
            since: The look-back's edge.
            budget: How long the walk may take.
            asks_phone: Whether the phone may be asked once for older messages.

        Returns:
            The rows of wanted messages only. A chat that was not found or is not the one meant
            gives a batch without rows, with that stop reason.

        Raises:
            MetadataUnreadableError: Nothing can be proven without the metadata, so nothing is read.
            SelectorDriftError: The conversation does not show what the pack requires.
        """
        seeks_phone = visit.seeks_phone and asks_phone
        if not visit.wanted and not seeks_phone:
            return self._batch(visit, StopReason.NOTHING_TO_READ)
        if self._session.pack is not self._scripts.pack:
            self._scripts.use(self._session.pack)
        unread_before = self._storage.unread_count(visit.chat.id)
        walk = Walk(
            capture=Capture(visit.wanted, visit.checked, self._downloads),
            chat_ids=frozenset(visit.chat.ids),
            edge=since if seeks_phone else max(since, min(fact.sent_at for fact in visit.wanted)),
            deadline=time.monotonic() + budget.total_seconds(),
            asks_phone=asks_phone,
            seeks_phone=seeks_phone,
            times=self._storage.stanza_times(visit.chat.ids),
        )
        try:
            reason = None if self._goes_on(visit, walk) else self._open(visit, walk)
            reason = reason or self._walk(visit, walk)
            self._left_in = visit.chat.id if reason is StopReason.TIME_BUDGET else None
            self._save_pictures(walk, {}, is_last=True)
        except StopRequestedError:
            reason = StopReason.INTERRUPTED
        else:
            if walk.capture.unlisted(walk.times):
                walk.times = self._storage.stanza_times(
                    visit.chat.ids
                )  # what came meanwhile is listed by now
        batch = self._batch(visit, reason, walk)
        return replace(
            batch, unread_before=unread_before, unread_after=self._storage.unread_count(visit.chat.id)
        )

    # --- opening -----------------------------------------------------------------------------

    def _goes_on(self, visit: ChatVisit, walk: Walk) -> bool:
        """Take up the conversation where it was left, and prove it again; whether that can be done."""
        if not visit.goes_on or self._left_in != visit.chat.id:
            return False
        step = self.conversation.older(())
        if step is None or not step.rows or not self._is_ours(visit, walk, step):
            return False
        self._take(walk, step)
        return True

    def _open(self, visit: ChatVisit, walk: Walk) -> StopReason | None:
        """Open the chat meant and take its newest rows; a stop reason when that fails."""
        was_found = False
        newest = _newest_shown(visit, walk.times)
        for row in self.chat_list.candidates(visit.chat, visit.list_position, walk.chat_ids):
            was_found = True
            if not self._click(row):
                continue
            step = self.conversation.newest(newest)
            if step is not None and self._is_ours(visit, walk, step):
                self._take(walk, step)
                return None
        return StopReason.CHAT_UNIDENTIFIED if was_found else StopReason.CHAT_NOT_FOUND

    def _click(self, row: ChatRow) -> bool:
        """Open the chat of one row at the pace allowed; whether it is shown.

        Raises:
            SelectorDriftError: A conversation is there and lacks what each one has.
            UnknownDialogError: A dialog that is not known covers the page.
            SessionNeedsPersonError: A person has to do something first.
        """
        self._left_in = None
        self._limits.chats.wait()
        self._session.dismiss_dialogs()
        opened = self.conversation.open(row)
        if opened is Opened.YES:
            return True
        self._session.check_ready()
        if opened is Opened.PARTLY:
            self._session.require("conversation")
        if opened is Opened.WITHOUT_ROWS:
            raise self._scripts.drift("message_row", "in a conversation that is shown")
        if opened is Opened.NOTHING and not self._scripts.has_served("conversation"):
            raise self._scripts.drift("conversation", "after a chat was clicked")
        return False

    def _is_ours(self, visit: ChatVisit, walk: Walk, step: Step) -> bool:
        """Return whether the rows shown belong to the chat.

        A message that arrives meanwhile may be shown a moment before it is stored, so ids not known
        yet are looked up again before they count against the chat.
        """
        rows = [shown.row for shown in step.rows]
        verdict = judge(rows, walk.chat_ids, walk.times)
        end = time.monotonic() + _STORED_WITHIN.total_seconds()
        while verdict is not Verdict.OURS:
            walk.times = self._storage.stanza_times(visit.chat.ids)
            verdict = judge(rows, walk.chat_ids, walk.times)
            if verdict is not Verdict.UNKNOWN or time.monotonic() >= end:
                break
            if self._limits.stop.wait(_LOOK_AGAIN):
                raise StopRequestedError("Reading was asked to stop.")
        return verdict is Verdict.OURS

    # --- walking -----------------------------------------------------------------------------

    def _walk(self, visit: ChatVisit, walk: Walk) -> StopReason:
        """Go up until there is a reason to stop."""
        while (reason := self._reason_to_stop(walk)) is None:
            self._limits.scrolls.wait()
            step = self._next(walk)
            if step is None or (step.rows and not self._is_ours(visit, walk, step)):
                walk.forget()
                return StopReason.CHAT_UNIDENTIFIED
            self._take(walk, step)
        return reason

    def _next(self, walk: Walk) -> Step | None:
        if walk.top == "button" and walk.asks_phone:
            walk.asks_phone = False
            return self.conversation.ask_phone(walk.capture.seen)
        walk.scrolls += 1
        return self.conversation.older(walk.capture.seen, pictures=walk.pictures)

    def _reason_to_stop(self, walk: Walk) -> StopReason | None:
        if walk.capture.is_complete and not (walk.seeks_phone and walk.asks_phone and walk.may_go_on()):
            return StopReason.ALL_FOUND
        if walk.capture.is_past(walk.edge, walk.times):
            return StopReason.EDGE_REACHED
        if time.monotonic() >= walk.deadline:
            return StopReason.TIME_BUDGET
        return None if walk.may_go_on() else walk.end_at_top()

    def _take(self, walk: Walk, step: Step) -> None:
        """Keep a step's rows, open their long texts and save their pictures while they are there."""
        kept = walk.capture.add(step)
        walk.top = step.top
        walk.pages_loaded += step.loads
        walk.quiet = walk.quiet + 1 if step.is_quiet else 0
        for shown in kept:
            if shown.is_cut and (whole := self.conversation.expand(shown.row.shown_id)) is not None:
                walk.capture.replace(_with_context(whole.row, shown.row))
        walk.unseen.update(step.unseen)
        walk.refused.update(step.refused)
        self._save_pictures(walk, step.pictures)
        walk.pictures += [shown.row.shown_id for shown in kept if walk.capture.is_picture(shown.row.shown_id)]

    def _save_pictures(
        self, walk: Walk, shown: Mapping[str, Sequence[str]], *, is_last: bool = False
    ) -> None:
        """Save what the page shows of the pictures captured, before their rows leave the document.

        Most come by themselves while one scrolls on; only a row about to leave is waited for.
        """
        walk.urls.update(shown)
        walk.pictures = [shown_id for shown_id in walk.pictures if shown_id not in shown]
        low = set(walk.capture.mounted[round(len(walk.capture.mounted) * _TOP_SHARE) :])
        leaving = walk.pictures if is_last else [row for row in walk.pictures if row in low]
        too_large = {row for row in leaving if walk.capture.is_too_large(row)}
        looked = self._pictures.wait(leaving, too_large, walk.deadline)
        walk.urls.update(looked.urls)
        walk.unseen.update(looked.unseen)
        walk.refused.update(looked.refused)
        walk.pictures = [shown_id for shown_id in walk.pictures if shown_id not in leaving]
        if is_last or len(walk.urls) >= _PICTURES_AT_ONCE:
            walk.files.update(self._pictures.save(walk.urls))
            walk.left.update(self._pictures.left)
            self._pictures.left.clear()
            walk.urls = {}

    # --- the result --------------------------------------------------------------------------

    def _batch(self, visit: ChatVisit, reason: StopReason, walk: Walk | None = None) -> ChatBatch:
        capture = walk.capture if walk else Capture(())
        return ChatBatch(
            chat_id=visit.chat.id,
            pack_id=self._scripts.pack.id,
            rows=capture.rows,
            stop_reason=reason,
            observed_at=self._clock(),
            files=dict(walk.files) if walk else {},
            empty_ids=capture.empty_ids,
            shown_ids=capture.shown_ids,
            unlisted_ids=capture.unlisted(walk.times) if walk else (),
            pictures_unseen=tuple(sorted(walk.unseen)) if walk else (),
            pictures_refused=tuple(sorted(walk.refused)) if walk else (),
            pictures_left=tuple(sorted(walk.left)) if walk else (),
            oldest_shown_id=capture.oldest_id,
            scrolls=walk.scrolls if walk else 0,
            pages_loaded=walk.pages_loaded if walk else 0,
        )


@dataclass
class Walk:
    """The state of one visit."""

    capture: Capture
    chat_ids: Collection[str]
    edge: datetime
    deadline: float
    asks_phone: bool
    times: Mapping[str, datetime]
    seeks_phone: bool = False  #: Not to stop before the phone was asked, though all that is wanted was found.
    top: str = "quiet"
    quiet: int = 0  #: Steps in a row that brought nothing.
    scrolls: int = 0
    pages_loaded: int = 0
    pictures: list[str] = field(default_factory=list)  #: Rows whose picture is not saved yet.
    urls: dict[str, Sequence[str]] = field(default_factory=dict)  #: blob: URLs not read yet, by row.
    files: dict[str, tuple[CapturedFile, ...]] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)  #: Rows of pictures without one, and without a reason.
    refused: set[str] = field(default_factory=set)  #: Rows of pictures that cannot be downloaded.
    left: set[str] = field(default_factory=set)  #: Rows of pictures for which there was no room.

    def may_go_on(self) -> bool:
        """Return whether another step can bring something older."""
        if self.top == "button" and self.asks_phone:
            return True
        if self.quiet == 0:
            return self.top == "loading" or self.capture.has_more_stored(self.times)
        # Nothing came, though the page should show more: ask again a few times.
        return (
            self.top in {"quiet", "loading"}
            and self.quiet < QUIET_TRIES
            and self.capture.misses_older(self.times)
        )

    def end_at_top(self) -> StopReason:
        """Say what the top of the conversation, as far as it goes, means."""
        if self.top == "failed":
            return StopReason.PHONE_FAILED
        if self.top in {"button", "use_phone"}:
            return StopReason.NEEDS_PHONE
        return StopReason.STALLED if self.capture.misses_older(self.times) else StopReason.BEGINNING_REACHED

    def forget(self) -> None:
        """Drop everything: it is not proven to be this chat's."""
        self.capture = Capture(())
        self.pictures = []
        self.urls = {}
        self.files = {}
        self.unseen = set()
        self.refused = set()
        self.left = set()


def _newest_shown(visit: ChatVisit, times: Mapping[str, datetime]) -> tuple[str, ...]:
    """Return the wanted messages of which one is the last on the page.

    Those of the newest second, since seconds do not say which of them is below; and the last one by the
    storage's own order, in which a message that came late stands last whatever its time.
    """
    shown = {fact.key.stanza_id: fact for fact in visit.wanted if fact.type is not MessageType.SYSTEM}
    if not shown:
        return ()
    newest = max(fact.sent_at for fact in shown.values())
    found = {stanza_id for stanza_id, fact in shown.items() if fact.sent_at == newest}
    last = next((stanza_id for stanza_id in reversed(list(times)) if stanza_id in shown), None)
    return tuple(sorted(found if last is None else found | {last}))


def _with_context(whole: RawRow, first: RawRow) -> RawRow:
    """Return the later capture with the context of the first, when more rows stood around it."""
    return replace(
        whole,
        date_marker=whole.date_marker or first.date_marker,
        run_position=first.run_position,
        run_head=first.run_head,
    )
