"""Finds which listed message each row of the page is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whatsapp_etl.model import FILE_TYPES, Account, MessageFacts, MessageType, ParsedRow
from whatsapp_etl.transform.identity import canonical_key, collection_bounds


@dataclass(frozen=True, slots=True)
class Joined:
    """A row and the message it shows; an album's row shows several."""

    row: ParsedRow
    facts: MessageFacts | None  #: None: the storage does not list it.
    album_position: int | None = None


class FactsIndex:
    """The listed messages of one chat, by stanza id."""

    def __init__(self, facts: Iterable[MessageFacts], account: Account) -> None:
        self._account = account
        self._ordered = sorted(facts, key=lambda each: each.sent_at)
        self._by_stanza: dict[str, list[MessageFacts]] = {}
        for each in self._ordered:
            self._by_stanza.setdefault(each.key.stanza_id, []).append(each)

    def join(self, row: ParsedRow) -> tuple[Joined, ...]:
        """Return what a row shows: one message, an album's messages, or one that is not listed."""
        if row.type is MessageType.ALBUM:
            children = self._children(row)
            return tuple(Joined(row, each, position) for position, each in enumerate(children))
        return (Joined(row, self._of(row)),)

    def _of(self, row: ParsedRow) -> MessageFacts | None:
        found = self._by_stanza.get(row.stanza_id, [])
        if row.key is not None:
            key = canonical_key(row.key, self._account.id)
            return next(
                (each for each in found if self._is_same(each, key.is_outgoing, key.participant_id)), None
            )
        # A stanza id is only unique for its sender: somebody may reuse another's.
        if len(found) > 1 and row.is_outgoing is not None:
            found = [each for each in found if each.key.is_outgoing == row.is_outgoing]
        if len(found) > 1 and row.sent_at is not None:
            minute = row.sent_at.replace(second=0, microsecond=0)
            found = [each for each in found if each.sent_at.replace(second=0, microsecond=0) == minute]
        return found[0] if len(found) == 1 else None

    def _is_same(self, facts: MessageFacts, is_outgoing: bool, participant_id: str | None) -> bool:  # noqa: FBT001 - two halves of a key
        key = canonical_key(facts.key, self._account.id)
        return key.is_outgoing == is_outgoing and participant_id in {None, key.participant_id}

    def _children(self, row: ParsedRow) -> Sequence[MessageFacts]:
        """Return an album's messages in order: those from its first to its last id, if the count fits."""
        bounds = collection_bounds(row.shown_id)
        if bounds is None:
            return self._from_first(row)
        first, last, count = bounds
        begin, end = self._by_stanza.get(first, []), self._by_stanza.get(last, [])
        if len(begin) != 1 or len(end) != 1:
            return ()
        low, high = self._ordered.index(begin[0]), self._ordered.index(end[0])
        children = [
            each
            for each in self._ordered[low : high + 1]
            if each.type in FILE_TYPES and each.sender_id == begin[0].sender_id
        ]
        return children if len(children) == count else ()

    def _from_first(self, row: ParsedRow) -> Sequence[MessageFacts]:
        """Return an album's messages where its row has the first one's id: the parent's, or so many."""
        first = self._of(row)
        if first is None:
            return ()
        alike = [each for each in self._ordered if each.type in FILE_TYPES]
        if first.parent_stanza_id is not None:
            return [each for each in alike if each.parent_stanza_id == first.parent_stanza_id]
        count = row.attachment.count if row.attachment else 0
        alike = [each for each in alike if each.sender_id == first.sender_id]
        begin = alike.index(first) if first in alike else len(alike)
        children = alike[begin : begin + count]
        return children if len(children) == count else ()
