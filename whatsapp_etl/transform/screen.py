"""Compares what the message store tells of chats with what the chat list shows of them, no chat being opened.

The two are read by different means, so that neither of them can be wrong unnoticed. What the list shows was
drawn in some language and by some release, and a chat moves while one looks: only what cannot be a matter of
either is compared, and only what is seen twice counts. Texts and names are told by their length and hash.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import ChatFacts, ChatKind, Disagreement, DisagreementFact, MessageType, ShownChat

#: Kinds whose preview is what a person wrote, and all of it.
PREVIEWED = frozenset({MessageType.TEXT})

#: The list shows no greater number of unread messages.
_MOST_UNREAD = 999

#: So many characters of a long text suffice: nobody knows where a release cuts it.
_ENOUGH = 60

#: So many chats must disagree, and so large a part of those compared, before the store rests.
_MANY_CHATS = 2
_LARGE_SHARE = 0.1

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class ToldChat:
    """What the store tells of one chat."""

    chat: ChatFacts
    last_at: datetime | None  #: Of its newest message; None: the store has none.
    last_text: str | None  #: As the page shows it; None where it does not show a text of a person.


@dataclass(frozen=True, slots=True)
class ScreenCheck:
    """What a look at the chat list came to."""

    compared: int  #: Chats.
    found: tuple[Disagreement, ...]

    @property
    def is_serious(self) -> bool:
        """Whether so many chats disagree that it is no accident of one of them."""
        chats = {each.thread_external_id for each in self.found}
        return len(chats) >= _MANY_CHATS and len(chats) > _LARGE_SHARE * self.compared


def sample(chats: Sequence[ChatFacts], places: Mapping[str, int], size: int, turn: int) -> list[ChatFacts]:
    """Return the chats that this cycle compares: neighbours in the list, others with each turn.

    Args:
        chats: Those in scope.
        places: Where the list shows each, by id.
        size: So many; 0: none.
        turn: Goes up by one with each cycle.
    """
    # The archive is behind a button: a look presses nothing.
    listed = sorted((chat for chat in chats if not chat.is_archived), key=lambda chat: places[chat.id])
    if len(listed) <= size:
        return listed
    begin = turn * size % len(listed)
    return (listed * 2)[begin : begin + size]


def next_place(
    wanted: Sequence[ChatFacts], places: Mapping[str, int], seen: Collection[int], looked: Collection[int]
) -> int | None:
    """Return the place to look at next, or None when every wanted chat's place was seen or looked at."""
    return next(
        (place for chat in wanted if (place := places[chat.id]) not in seen and place not in looked),
        None,
    )


def compare(
    told: Iterable[ToldChat], shown: Iterable[ShownChat], *, zone: tzinfo, now: datetime
) -> ScreenCheck:
    """Compare the chats that were told with the rows that are theirs.

    A row that does not tell its chat is the chat of its title, where only one row and one chat have it;
    a chat without a row is not compared.
    """
    rows = list({row.index: row for row in shown}.values())
    by_chat = [(each, row) for each in told if (row := _row_of(each.chat, rows)) is not None]
    found = [
        Disagreement(each.chat.id, fact, known, said, now)
        for each, row in by_chat
        for fact, known, said in _of_chat(each, row, zone, now)
    ]
    found += [
        Disagreement(chat_id, DisagreementFact.ORDER, "below", "above", now)
        for chat_id in _misplaced(by_chat)
    ]
    return ScreenCheck(len(by_chat), tuple(found))


def confirmed(first: ScreenCheck, second: ScreenCheck) -> ScreenCheck:
    """Return what two looks have in common: a message may come between reading one side and the other."""
    again = {(each.thread_external_id, each.fact) for each in first.found}
    found = [each for each in second.found if (each.thread_external_id, each.fact) in again]
    return ScreenCheck(max(first.compared, second.compared), tuple(found))


# --- one chat ------------------------------------------------------------------------------------


def _row_of(chat: ChatFacts, rows: Sequence[ShownChat]) -> ShownChat | None:
    if (row := next((each for each in rows if each.chat_id in chat.ids), None)) is not None:
        return row
    same = [each for each in rows if each.chat_id is None and _is_title(chat, each.title)]
    return same[0] if len(same) == 1 else None


def _of_chat(
    told: ToldChat, row: ShownChat, zone: tzinfo, now: datetime
) -> Iterable[tuple[DisagreementFact, str, str]]:
    chat = told.chat
    if row.chat_id is not None and chat.title is not None and not _is_title(chat, row.title):
        yield DisagreementFact.TITLE, _redacted(chat.title), _redacted(row.title)
    if not _is_count(chat.unread_count, row.unread_count):
        yield DisagreementFact.UNREAD, str(chat.unread_count), str(row.unread_count)
    if told.last_text and row.preview and not _is_text(told.last_text, row.preview):
        yield DisagreementFact.PREVIEW, _redacted(told.last_text), _redacted(row.preview)
    if told.last_at and row.clock and not _is_clock(told.last_at, row.clock, zone, now):
        yield DisagreementFact.LAST_TIME, f"{told.last_at:%Y-%m-%d %H:%M} UTC", _redacted(row.clock)


def _is_title(chat: ChatFacts, shown: str) -> bool:
    """Whether a title may be the chat's; signs and spaces are the page's own, and so is "(You)"."""
    known, seen = _letters(chat.title or ""), _letters(shown)
    if not known or not seen:
        return chat.title is not None and not known and not seen
    return seen == known or (chat.kind is ChatKind.SELF and seen.startswith(known))


def _is_count(known: int, shown: int) -> bool:
    if known <= 0 or shown <= 0:
        # A number in other digits is no number to the reader: it counts as a mark.
        return (known == 0) == (shown == 0)
    return min(known, _MOST_UNREAD) == min(shown, _MOST_UNREAD)


def _is_text(known: str, shown: str) -> bool:
    """Whether a preview may be of a text: on one line, without marks of lists, perhaps cut."""
    whole, seen = _letters(known), _letters(shown)
    if not whole or not seen:
        return True
    return whole == seen or (len(seen) >= _ENOUGH and whole.startswith(seen))


def _is_clock(at: datetime, shown: str, zone: tzinfo, now: datetime) -> bool:
    """Whether a time may be of an instant. Only today's is a clock; words and dates tell what is older."""
    local = at.astimezone(zone)
    numbers = [int(each) for each in _NUMBERS.findall(shown)]
    if local.date() != now.astimezone(zone).date() or len(numbers) < len(("hour", "minute")):
        return True
    # Twelve or twenty-four hours, and "24:05" on some pages.
    return any(hour % 12 == local.hour % 12 and minute == local.minute for hour, minute in pairwise(numbers))


# --- their order ---------------------------------------------------------------------------------


def _misplaced(by_chat: Iterable[tuple[ToldChat, ShownChat]]) -> Sequence[str]:
    """Return the chats right above one in which something happened later; pins have an order of their own."""
    rows = sorted(
        (
            (row.index, each.chat)
            for each, row in by_chat
            if not each.chat.is_pinned and each.chat.last_activity is not None
        ),
        key=lambda pair: pair[0],
    )
    return [
        above.id
        for (_, above), (_, below) in pairwise(rows)
        if above.last_activity and below.last_activity and above.last_activity < below.last_activity
    ]


# --- helpers -------------------------------------------------------------------------------------


def _letters(text: str) -> str:
    """Return what of a text no release draws otherwise: its letters and digits."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _redacted(text: str) -> str:
    return f"{len(text)} characters, sha256 {hash_id(text)}"
