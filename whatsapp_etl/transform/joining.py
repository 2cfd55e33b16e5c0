"""Finds which listed message each row of the page is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.model import (
    FILE_TYPES,
    Account,
    KnownMessage,
    MessageFacts,
    MessageKey,
    MessageType,
    ParsedRow,
)
from whatsapp_etl.transform.identity import canonical_key, collection_bounds, parse_key
from whatsapp_etl.transform.messages import ChatContext
from whatsapp_etl.transform.store_rows import BY_STORE


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
        self._as_listed = tuple(facts)  #: In the order of the chat.
        self._ordered = sorted(self._as_listed, key=lambda each: each.sent_at)
        self._by_stanza: dict[str, list[MessageFacts]] = {}
        for each in self._ordered:
            self._by_stanza.setdefault(each.key.stanza_id, []).append(each)

    def join(self, row: ParsedRow) -> tuple[Joined, ...]:
        """Return what a row shows: one message, an album's messages, or one that is not listed."""
        if row.type is MessageType.ALBUM:
            children = self._children(row)
            return tuple(Joined(row, each, position) for position, each in enumerate(children))
        facts = self._of(row)
        is_told_alone = row.signals.get("id") == BY_STORE
        return (Joined(row, facts, self._place(facts) if is_told_alone and facts else None),)

    def _place(self, facts: MessageFacts) -> int | None:
        """Return the place of one of an album's messages, where each of them has a row of its own."""
        if facts.parent_stanza_id is None:
            return None
        parent = facts.parent_stanza_id
        alike = [
            each for each in self._ordered if each.type in FILE_TYPES and each.parent_stanza_id == parent
        ]
        return alike.index(facts) if facts in alike else None

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
        """Return an album's messages in order, if the count fits: its parent's, or those from first to last.

        From first to last in the order of the chat, which the page shows: its sender may have sent another
        picture meanwhile. An album that something else cuts in two has two rows, and its parent more
        messages than either.
        """
        bounds = collection_bounds(row.shown_id)
        if bounds is None:
            return self._from_first(row)
        first, last, count = bounds
        begin, end = self._by_stanza.get(first, []), self._by_stanza.get(last, [])
        if len(begin) != 1 or len(end) != 1:
            return ()
        shown, timely = (
            self._from_to(begin[0], end[0], ordered) for ordered in (self._as_listed, self._ordered)
        )
        parent = begin[0].parent_stanza_id
        siblings = [
            each for each in self._ordered if each.type in FILE_TYPES and each.parent_stanza_id == parent
        ]
        of_parent = (siblings, [each for each in shown if each in siblings]) if parent else ()
        return next((found for found in (*of_parent, shown, timely) if len(found) == count), ())

    @staticmethod
    def _from_to(
        first: MessageFacts, last: MessageFacts, ordered: Sequence[MessageFacts]
    ) -> Sequence[MessageFacts]:
        """Return the files of one sender from one to another."""
        low, high = ordered.index(first), ordered.index(last)
        return [
            each
            for each in ordered[low : high + 1]
            if each.type in FILE_TYPES and each.sender_id == first.sender_id
        ]

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


def join_rows(
    parsed: Sequence[ParsedRow],
    listed: Sequence[MessageFacts] | None,
    known: Mapping[str, KnownMessage],
    context: ChatContext,
    *,
    kept_out: Sequence[MessageFacts] = (),
) -> list[Joined]:
    """Return the rows that count, with the messages they show; none of what is listed and kept out."""
    if listed is None:
        # Notices without a key of their own are cards of the page.
        return [Joined(row, None) for row in parsed if row.key or row.type is not MessageType.SYSTEM]
    index, others = FactsIndex(listed, context.account), FactsIndex(kept_out, context.account)
    stored_stanza_ids = {key.stanza_id for key in chat_keys(None, known)}
    joined: list[Joined] = []
    for row in parsed:
        for each in index.join(row):
            is_kept_out = each.facts is None and any(other.facts for other in others.join(row))
            if each.facts is not None or not (is_kept_out or _is_beside(row, stored_stanza_ids, context)):
                joined.append(each)
    return joined


def kept_out(facts: Sequence[MessageFacts], listed: Sequence[MessageFacts]) -> Sequence[MessageFacts]:
    """Return the messages that the storage lists and that are not to be stored: disappeared, or skipped."""
    keys = {each.key for each in listed}
    return [each for each in facts if each.key not in keys and each.type is not MessageType.ALBUM]


def in_order(
    facts: Sequence[MessageFacts] | None, listed: Sequence[MessageFacts] | None
) -> Sequence[MessageFacts]:
    """Return what is listed and may be stored, in the order of the chat."""
    keys = {each.key for each in listed or ()}
    return [each for each in facts or () if each.key in keys]


def _is_beside(row: ParsedRow, stored_stanza_ids: set[str], context: ChatContext) -> bool:
    """Whether a row that is not listed is no loss: a card or notice, stored before, or too old."""
    is_old = row.sent_at is not None and row.sent_at < context.since
    return row.type is MessageType.SYSTEM or is_old or row.stanza_id in stored_stanza_ids


def chat_keys(
    listed: Sequence[MessageFacts] | None, known: Mapping[str, KnownMessage]
) -> tuple[MessageKey, ...]:
    """Return every key known in the chat, once."""
    keys = {str(each.key): each.key for each in listed or ()}
    for text in known:
        try:
            keys.setdefault(text, parse_key(text))
        except MessageParseError:
            continue
    return tuple(keys.values())
