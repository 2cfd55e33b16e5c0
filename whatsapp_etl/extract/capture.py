"""What a visit to a chat has captured, and the decisions about it.

Whose rows these are, what is still missing, and whether going on can find it: values only, no page.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from whatsapp_etl.downloads import DownloadRules
from whatsapp_etl.extract.chat_list import normalise
from whatsapp_etl.model import FILE_TYPES, MessageFacts, MessageType, RawRow, RowModel

#: Rows of one page of history; a whole one beyond the edge proves that the edge was passed.
PAGE_ROWS = 50

#: Newest rows that must all belong to the chat before anything counts.
PROOF_ROWS = 20

_PACKED = re.compile(
    r"(?:true|false)_(?P<chat>[^_]+@[^_]+)_(?P<stanza>.+?)(?:_(?:in|out))?(?:_[^_]+@[^_]+?)?(?:_(?:in|out))?"
)
_ALBUM = re.compile(r"(?:album|grouped-sticker)-(?P<first>[^-]+)-(?P<last>[^-]+)-\d+")


class Verdict(Enum):
    """Whose rows are shown."""

    OURS = "ours"
    OTHER = "other"
    UNKNOWN = "unknown"  #: Some id is in no list: newer than the metadata read, or another chat's.


@dataclass(frozen=True, slots=True)
class Shown:
    """One row with content as the page shows it now."""

    row: RawRow
    is_cut: bool  #: "Read more" is there.
    pictures: int = 0  #: How many it stands for; several are an album.


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the walk brought."""

    title: str | None
    rows: tuple[Shown, ...]  #: New ones, in page order.
    shown_ids: tuple[str, ...]  #: All rows there, in page order.
    empty_ids: tuple[str, ...]  #: New ones that stayed without content.
    top: str  #: What stands above: "quiet", "loading", "button", "failed", "use_phone".
    loads: int
    is_quiet: bool  #: Nothing came although it was asked for.
    pictures: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  #: blob: URLs by row, of those asked for.
    unseen: tuple[str, ...] = ()  #: Of those asked for, rows that show no picture and not why.
    refused: tuple[str, ...] = ()  #: Of those asked for, rows that say that none can be downloaded.
    looks: tuple[tuple[str, ...], ...] = ()  #: All rows there at each look before the step ended.


def read_step(answer: Mapping[str, Any]) -> Step:
    """Turn the page script's answer into values."""
    return Step(
        title=answer["title"],
        rows=tuple(_shown(row) for row in answer["rows"]),
        shown_ids=_ids(answer["shown"]),
        empty_ids=_ids(answer["empty"]),
        top=answer["top"],
        loads=answer["loads"],
        is_quiet=answer["is_quiet"],
        pictures=answer["pictures"],
        unseen=tuple(answer["unseen"]),
        refused=tuple(answer["refused"]),
        looks=tuple(_ids(look) for look in answer["looks"]),
    )


def _ids(shown: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(row_id for row_id in shown if row_id)


def _shown(row: Mapping[str, Any]) -> Shown:
    model = row["model"]
    return Shown(
        RawRow(
            shown_id=row["id"],
            html=row["html"],
            alignment=row["alignment"],
            date_marker=row["marker"],
            run_position=row["position"],
            run_head=row["head"],
            model=None
            if model is None
            else RowModel(
                key=model["key"], sent_at_seconds=model["t"], type=model["type"], author=model["author"]
            ),
            side=row["side"],
        ),
        is_cut=row["is_cut"],
        pictures=row["pictures"],
    )


def stanza_ids(shown_id: str) -> tuple[str, ...]:
    """Return the stanza ids that a row's id names: of a packed or bare id one, of an album two."""
    if packed := _PACKED.fullmatch(shown_id):
        return (packed["stanza"],)
    if album := _ALBUM.fullmatch(shown_id):
        return album["first"], album["last"]
    return (shown_id,)


def shown_chat_id(row: RawRow) -> str | None:
    """Return the chat that the row itself names, by a packed id or its React model."""
    for key in (row.shown_id, row.model.key if row.model else None):
        if key and (packed := _PACKED.fullmatch(key)):
            return normalise(packed["chat"])
    return None


def chats_named(rows: Sequence[RawRow]) -> frozenset[str | None]:
    """Return the chats that rows name themselves; None among them when some row names none.

    Context cards that name none are left out: nothing is written of them.
    """
    named = ((row.shown_id, shown_chat_id(row)) for row in rows)
    return frozenset(chat_id for shown_id, chat_id in named if chat_id or not _is_card(shown_id))


def judge(rows: Sequence[RawRow], chat_ids: Collection[str], times: Mapping[str, datetime] | None) -> Verdict:
    """Decide whether `rows`, the newest shown, all belong to the chat.

    Args:
        rows: Rows in page order.
        chat_ids: The chat's ids (phone number and LID).
        times: The stanza ids that the metadata lists for the chat; None without metadata.
    """
    proven = 0
    unknown = 0
    for row in rows[-PROOF_ROWS:]:
        chat_id = shown_chat_id(row)
        is_listed = times is not None and any(stanza in times for stanza in stanza_ids(row.shown_id))
        if chat_id is not None and chat_id not in chat_ids and not is_listed:
            return Verdict.OTHER
        if is_listed or chat_id in chat_ids:
            proven += 1
        elif not _is_card(row.shown_id):
            unknown += 1
    if proven == 0 and times is not None and unknown:
        return Verdict.OTHER
    return Verdict.OURS if proven and not unknown else Verdict.UNKNOWN


def _is_card(shown_id: str) -> bool:
    """Whether the row is a context card or a group of stickers, which no metadata lists."""
    return shown_id.isdigit() or shown_id.startswith(("album-", "grouped-"))


class Capture:
    """Collects the rows of one visit, each id once, in page order."""

    def __init__(
        self,
        wanted: Iterable[MessageFacts],
        checked: Iterable[MessageFacts] = (),
        downloads: DownloadRules | None = None,
    ) -> None:
        self._downloads = downloads or DownloadRules()
        self._wanted = tuple(wanted)
        self._checked = frozenset(fact.key.stanza_id for fact in checked)
        self._by_stanza = {fact.key.stanza_id: fact for fact in self._wanted}
        self._rows: dict[str, RawRow] = {}
        self._pictures: dict[str, int] = {}  #: By id of a row with several: how many it stands for.
        self._order: list[str] = []  #: Every id shown so far, oldest first.
        self._known: set[str] = set()
        self._stanzas: set[str] = set()  #: What the shown ids name.
        self._seen: set[str] = set()  #: Ids with content, wanted or not.
        self._empty: set[str] = set()
        self._found: set[str] = set()
        self.mounted: tuple[str, ...] = ()

    def add(self, step: Step) -> tuple[Shown, ...]:
        """Take a step's rows; return those of them that are kept, in page order.

        A row that left the page before the step ended has the place in which it stood at a look. Without one
        it does not count: it is missing still, so the walk goes on until it comes back.
        """
        for look in (*step.looks, step.shown_ids):
            self._place(look)
        self.mounted = step.shown_ids
        kept = []
        for shown in step.rows:
            row = shown.row
            if row.shown_id not in self._known:
                continue
            self._seen.add(row.shown_id)
            if shown.pictures > 1:
                self._pictures[row.shown_id] = shown.pictures
            if not self.wants(row.shown_id):
                continue
            self._rows[row.shown_id] = row
            self._found.update(fact.key.stanza_id for fact in self.facts_of(row.shown_id))
            kept.append(shown)
        self._empty = (self._empty | set(step.empty_ids)) - self._seen
        return tuple(kept)

    def replace(self, row: RawRow) -> None:
        """Take a later, fuller capture of a row."""
        self._rows[row.shown_id] = row

    def wants(self, shown_id: str) -> bool:
        """Whether a row is kept: it is wanted, or to be compared with what is stored."""
        return self._shows_wanted(shown_id) or not self._checked.isdisjoint(stanza_ids(shown_id))

    def _shows_wanted(self, shown_id: str) -> bool:
        return bool(self.facts_of(shown_id)) or self._may_show_wanted(shown_id)

    def _may_show_wanted(self, shown_id: str) -> bool:
        """Whether a row is an album, of which a picture may be wanted that its id does not name."""
        return shown_id in self._pictures and any(fact.type in FILE_TYPES for fact in self.missing)

    def is_picture(self, shown_id: str) -> bool:
        """Whether a kept row shows pictures: one, or an album's."""
        facts = self.facts_of(shown_id)
        if not facts:
            return shown_id in self._pictures and self._downloads.expects_page(MessageType.IMAGE)
        return all(self._downloads.expects_page(fact.type) for fact in facts)

    def is_too_large(self, shown_id: str) -> bool:
        """Whether a row's file is larger than is wanted, as the storage states it."""
        facts = self.facts_of(shown_id)
        return bool(facts) and all(self._downloads.is_too_large(fact.type, fact.size_bytes) for fact in facts)

    def facts_of(self, shown_id: str) -> tuple[MessageFacts, ...]:
        """Return the wanted messages that a row stands for: several for an album."""
        named = stanza_ids(shown_id)
        facts = [self._by_stanza[stanza] for stanza in named if stanza in self._by_stanza]
        count = self._pictures.get(shown_id, 1)
        if not facts or (len(named) == 1 and count == 1):
            return tuple(facts)
        parents = {fact.parent_stanza_id for fact in facts} - {None}
        if parents:
            facts = [fact for fact in self._wanted if fact.parent_stanza_id in parents]
        elif len(named) > 1:
            facts = self._between(named[0], named[-1]) or facts
        else:
            facts = self._following(facts[0], count)
        return tuple(facts)

    def _following(self, first: MessageFacts, count: int) -> list[MessageFacts]:
        """Return an album's messages where its row has its first one's id, and nothing names their parent."""
        alike = sorted(
            (
                fact
                for fact in self._wanted
                if fact.sent_at >= first.sent_at
                and fact.type in FILE_TYPES
                and fact.key.is_outgoing == first.key.is_outgoing
                and fact.sender_id == first.sender_id
            ),
            key=lambda fact: (fact.sent_at, fact is not first),
        )
        return alike[:count]

    def _between(self, first: str, last: str) -> list[MessageFacts]:
        """Return an album's messages where the metadata does not name their parent."""
        ends = [self._by_stanza.get(first), self._by_stanza.get(last)]
        if ends[0] is None or ends[1] is None:
            return []
        low, high = sorted((ends[0].sent_at, ends[1].sent_at))
        return [
            fact
            for fact in self._wanted
            if low <= fact.sent_at <= high
            and fact.type in FILE_TYPES
            and fact.key.is_outgoing == ends[0].key.is_outgoing
            and fact.sender_id == ends[0].sender_id
        ]

    def _place(self, shown_ids: Sequence[str]) -> None:
        """Merge what is shown now into the order known so far."""
        fresh = [index for index, shown_id in enumerate(shown_ids) if shown_id not in self._known]
        if not fresh:
            return
        old = [index for index, shown_id in enumerate(shown_ids) if shown_id in self._known]
        first, last = (old[0], old[-1]) if old else (len(shown_ids), len(shown_ids))
        self._order[:0] = [shown_ids[index] for index in fresh if index < first]
        self._order.extend(shown_ids[index] for index in fresh if index > last)
        for index in fresh:
            if first < index < last:
                self._order.insert(self._order.index(shown_ids[index - 1]) + 1, shown_ids[index])
            self._known.add(shown_ids[index])
            self._stanzas.update(stanza_ids(shown_ids[index]))

    @property
    def seen(self) -> list[str]:
        """Ids with content among the rows that are on the page: not to be sent again."""
        return [shown_id for shown_id in self.mounted if shown_id in self._seen]

    @property
    def rows(self) -> tuple[RawRow, ...]:
        """The kept rows, oldest first."""
        return tuple(self._rows[shown_id] for shown_id in self._order if shown_id in self._rows)

    @property
    def empty_ids(self) -> tuple[str, ...]:
        """The wanted rows that stayed without content, oldest first."""
        return tuple(
            shown_id for shown_id in self._order if shown_id in self._empty and self._shows_wanted(shown_id)
        )

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """Every row that was there, kept or not, oldest first."""
        return tuple(self._order)

    def unlisted(self, times: Mapping[str, datetime]) -> tuple[str, ...]:
        """Return the rows that are no message of the chat by its list, without cards and groups."""
        return tuple(
            shown_id
            for shown_id in self._order
            if not _is_card(shown_id) and not any(stanza in times for stanza in stanza_ids(shown_id))
        )

    @property
    def oldest_id(self) -> str | None:
        return self._order[0] if self._order else None

    @property
    def is_complete(self) -> bool:
        """Whether every wanted message has a captured row."""
        return len(self._found) == len(self._by_stanza)

    @property
    def missing(self) -> tuple[MessageFacts, ...]:
        """The wanted messages without a captured row."""
        return tuple(fact for fact in self._wanted if fact.key.stanza_id not in self._found)

    def is_past(self, edge: datetime, times: Mapping[str, datetime]) -> bool:
        """Return whether the oldest whole page shown is strictly older than `edge`."""
        older = 0
        for shown_id in self._order:
            sent_at = _time_of(shown_id, times)
            if sent_at is None:
                continue
            if sent_at >= edge:
                return False
            older += 1
            if older == PAGE_ROWS:
                return True
        return False

    def has_more_stored(self, times: Mapping[str, datetime]) -> bool:
        """Return whether the metadata lists something older than everything shown."""
        oldest = next(
            (time for shown_id in self._order if (time := _time_of(shown_id, times)) is not None), None
        )
        if oldest is None:
            return bool(times)
        return any(time <= oldest for stanza, time in times.items() if stanza not in self._stanzas)

    def misses_older(self, times: Mapping[str, datetime]) -> bool:
        """Return whether a wanted message that the page would show lies above everything shown."""
        oldest = next(
            (time for shown_id in self._order if (time := _time_of(shown_id, times)) is not None), None
        )
        return any(
            fact.type is not MessageType.SYSTEM and (oldest is None or fact.sent_at < oldest)
            for fact in self.missing
        )


def _time_of(shown_id: str, times: Mapping[str, datetime]) -> datetime | None:
    return next((times[stanza] for stanza in stanza_ids(shown_id) if stanza in times), None)
