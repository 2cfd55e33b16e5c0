"""Reads chats as the chat list shows them, when the browser's storage does not tell what is in them.

Everything shown is taken, as far back as asked for. Whose it is, the rows themselves must tell, by
packed ids or by their models: a chat whose rows do not is given back without rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from whatsapp_etl.errors import StopRequestedError
from whatsapp_etl.extract.capture import Capture, Step, chats_named, stanza_ids
from whatsapp_etl.extract.chat_list import ChatRow
from whatsapp_etl.extract.reader import BUDGET, Reader, Walk
from whatsapp_etl.model import (
    ChatBatch,
    ChatFacts,
    ChatKind,
    ListedChat,
    RawRow,
    Reach,
    RowGlance,
    ShownChat,
    StopReason,
)

#: So often nothing may come at a top that does not say why: then it is the chat's beginning.
_QUIET_TRIES = 3

#: The list is gone through until it stood still once, but no more often than this.
_MOST_SWEEPS = 4


class Everything(Capture):
    """Keeps every row that is shown."""

    def __init__(self) -> None:
        super().__init__(())
        self.glances: dict[str, RowGlance] = {}

    def wants(self, shown_id: str) -> bool:  # noqa: ARG002 - every one
        return True

    def is_picture(self, shown_id: str) -> bool:
        glance = self.glances.get(shown_id)
        return glance is not None and glance.is_picture


@dataclass(frozen=True, slots=True)
class ListedVisit:
    """What reading one row of the chat list needs to know.

    `admit` takes the id that the opened chat proves and says how far back it is read, or why it is
    not; None when it was read already and another row of the same title must be meant.
    """

    listed: ListedChat
    admit: Callable[[str], Reach | StopReason | None]
    glance: Callable[[Sequence[RawRow]], Mapping[str, RowGlance]]
    budget: timedelta = BUDGET
    asks_phone: bool = False


@dataclass
class _ListedWalk:
    """The state of one visit."""

    walk: Walk
    capture: Everything
    row: ChatRow
    chat_id: str
    reach: Reach
    times: dict[str, datetime] = field(default_factory=dict)  #: By stanza id, of rows that tell their own.


class ListReader(Reader):
    """A reader that can also read what no metadata lists."""

    def listed(self) -> tuple[ListedChat, ...]:
        """Return the rows of the chat list and of the archive, from top to bottom.

        A list that re-orders while one scrolls may show a row twice, or another one not at all: it is
        gone through again until a whole pass shows nothing new.
        """
        found: dict[tuple[object, ...], ListedChat] = {}
        for is_archived in (False, True):
            for _ in range(_MOST_SWEEPS):
                before = len(found)
                for row in self._rows(is_archived=is_archived):
                    found.setdefault(_identity(row), _listed(row))
                if len(found) == before:
                    break
        return tuple(found.values())

    def look_at(self, place: int) -> tuple[ShownChat, ...]:
        """Return what the rows around a place of the list show; no chat is opened for it."""
        self._limits.scrolls.wait()
        if self._session.pack is not self._scripts.pack:
            self._scripts.use(self._session.pack)
        return tuple(
            ShownChat(row.title, row.index, row.chat_id, row.badge, row.preview, row.clock)
            for row in self.chat_list.near(place)
        )

    def read_listed(self, visit: ListedVisit) -> ChatBatch:
        """Open the chat of one row and read it as far back as it is admitted.

        Returns:
            The rows, under the chat id that they prove; the id is empty when they prove none.

        Raises:
            SelectorDriftError: The conversation does not show what the pack requires.
        """
        if self._session.pack is not self._scripts.pack:
            self._scripts.use(self._session.pack)
        state: _ListedWalk | None = None
        try:
            opened = self._open_listed(visit)
            if isinstance(opened, ChatBatch):
                return opened
            state = opened
            reason = self._walk_listed(visit, state)
            self._save_pictures(state.walk, {}, is_last=True)
        except StopRequestedError:
            reason = StopReason.INTERRUPTED
        return self._listed_batch(visit, reason, state)

    # --- opening -----------------------------------------------------------------------------

    def _rows(self, *, is_archived: bool) -> Iterator[ChatRow]:
        if is_archived and not self.chat_list.has_archive():
            return iter(())
        return self.chat_list.rows(is_archived=is_archived)

    def _open_listed(self, visit: ListedVisit) -> _ListedWalk | ChatBatch:
        """Open the row's chat, or say why it is not read."""
        listed = visit.listed
        ids = {listed.chat_id} if listed.chat_id else set()
        reason, chat_id = StopReason.CHAT_NOT_FOUND, listed.chat_id or ""
        for row in self.chat_list.candidates(_as_chat(listed), listed.index, ids):
            step = self.conversation.newest(()) if self._click(row) else None
            if step is None:
                continue
            proven = _proven(step, ids)
            if proven is None:
                reason = StopReason.CHAT_UNIDENTIFIED
                continue
            admitted = visit.admit(proven)
            if admitted is None:
                reason = StopReason.NOTHING_TO_READ
                continue
            if isinstance(admitted, StopReason):
                reason, chat_id = admitted, proven
                break
            capture = Everything()
            walk = Walk(
                capture=capture,
                chat_ids={proven},
                edge=admitted.edge,
                deadline=time.monotonic() + visit.budget.total_seconds(),
                asks_phone=visit.asks_phone,
                times={},
            )
            state = _ListedWalk(walk, capture, row, proven, admitted)
            self._take_listed(visit, state, step)
            return state
        return ChatBatch(chat_id, self._scripts.pack.id, (), reason, self._clock())

    # --- walking -----------------------------------------------------------------------------

    def _walk_listed(self, visit: ListedVisit, state: _ListedWalk) -> StopReason:
        """Go up until there is a reason to stop."""
        while (reason := _reason_to_stop(state)) is None:
            self._limits.scrolls.wait()
            step = self._next(state.walk)
            if step is None or not _named(step) <= {state.chat_id}:
                state.walk.forget()
                return StopReason.CHAT_UNIDENTIFIED
            self._take_listed(visit, state, step)
        return reason

    def _take_listed(self, visit: ListedVisit, state: _ListedWalk, step: Step) -> None:
        glances = visit.glance([shown.row for shown in step.rows])
        state.capture.glances.update(glances)
        for shown_id, glance in glances.items():
            if glance.sent_at is not None:
                state.times.update((stanza, glance.sent_at) for stanza in stanza_ids(shown_id))
        self._take(state.walk, step)

    # --- the result --------------------------------------------------------------------------

    def _listed_batch(self, visit: ListedVisit, reason: StopReason, state: _ListedWalk | None) -> ChatBatch:
        if state is None:
            return ChatBatch(visit.listed.chat_id or "", self._scripts.pack.id, (), reason, self._clock())
        walk = state.walk
        return ChatBatch(
            chat_id=state.chat_id,
            pack_id=self._scripts.pack.id,
            rows=walk.capture.rows,
            stop_reason=reason,
            observed_at=self._clock(),
            files=dict(walk.files),
            empty_ids=walk.capture.empty_ids,
            pictures_unseen=tuple(sorted(walk.unseen)),
            pictures_refused=tuple(sorted(walk.refused)),
            pictures_left=tuple(sorted(walk.left)),
            oldest_shown_id=walk.capture.oldest_id,
            scrolls=walk.scrolls,
            pages_loaded=walk.pages_loaded,
            unread_before=state.row.unread_count,
            unread_after=self.chat_list.unread_count(state.row),
        )


def _reason_to_stop(state: _ListedWalk) -> StopReason | None:
    walk = state.walk
    if walk.capture.is_past(state.reach.edge, state.times):
        return state.reach.ends_as
    if time.monotonic() >= walk.deadline:
        return StopReason.TIME_BUDGET
    if walk.quiet == 0 or (walk.top == "button" and walk.asks_phone):
        return None
    if walk.top in _AT_TOP:
        return _AT_TOP[walk.top]
    if walk.quiet < _QUIET_TRIES:
        return None
    return StopReason.BEGINNING_REACHED if walk.top == "quiet" else StopReason.STALLED


#: What the page says above the oldest row that it has.
_AT_TOP = {
    "failed": StopReason.PHONE_FAILED,
    "button": StopReason.NEEDS_PHONE,
    "use_phone": StopReason.NEEDS_PHONE,
}


def _named(step: Step) -> frozenset[str | None]:
    return chats_named([shown.row for shown in step.rows])


def _proven(step: Step, ids: Collection[str]) -> str | None:
    """Return the one chat that all newest rows name; None when they name none, several, or another."""
    named = _named(step)
    chat_id = next(iter(named)) if len(named) == 1 else None
    return chat_id if not ids or chat_id in ids else None


def _identity(row: ChatRow) -> tuple[object, ...]:
    """Tell one row from another: by its chat, else by all that it says at its place."""
    return (row.is_archived, row.chat_id) if row.chat_id else (row.is_archived, row.title, row.index)


def _listed(row: ChatRow) -> ListedChat:
    return ListedChat(
        title=row.title,
        index=row.index,
        chat_id=row.chat_id,
        is_archived=row.is_archived,
        unread_count=row.unread_count,
        last_activity=row.last_activity,
        look=row.look,
    )


def _as_chat(listed: ListedChat) -> ChatFacts:
    """Return a row as the chat that the list is searched for."""
    return replace(_NO_CHAT, id=listed.chat_id or "", title=listed.title, is_archived=listed.is_archived)


_NO_CHAT = ChatFacts(
    id="",
    kind=ChatKind.OTHER,
    title=None,
    last_activity=None,
    unread_count=0,
    is_archived=False,
    is_pinned=False,
    is_muted=False,
    is_locked=False,
    is_readonly=False,
    disappearing_seconds=None,
    history_type=None,
)
