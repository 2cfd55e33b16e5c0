"""Where the browser's storage, Postgres and the page do not say the same of a chat that was read.

The storage lists which messages there are and when they were sent, the page shows rows. Both are read by
different means, so that what one of them loses the other one tells. Nothing here holds what a message says:
texts are told by their length and hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import (
    FILE_TYPES,
    ChatBatch,
    Disagreement,
    DisagreementFact,
    KnownMessage,
    Message,
    MessageFacts,
    MessageType,
    TimeDissent,
)
from whatsapp_etl.transform.forgetting import is_shown_forgotten
from whatsapp_etl.transform.identity import shown_stanza_ids
from whatsapp_etl.transform.messages import ChatContext, external_id

#: Kinds that have a row of their own whatever the release; notices and the unknown may have none.
_ALWAYS_SHOWN = (FILE_TYPES - {MessageType.STICKER}) | {
    MessageType.TEXT,
    MessageType.LOCATION,
    MessageType.CONTACT,
    MessageType.CONTACTS,
    MessageType.POLL,
    MessageType.DELETED,
}

_LISTED, _NOT_LISTED = "listed", "not listed"
_SHOWN, _NOT_SHOWN = "shown", "not shown"


def of_ids(
    batch: ChatBatch, listed: Sequence[MessageFacts], context: ChatContext
) -> tuple[Disagreement, ...]:
    """Compare the ids of the stretch that was read: what it lacks, what it has beside, and the numbers.

    Args:
        batch: The visit; of a chat that was not opened it shows nothing, and nothing is compared.
        listed: What the storage lists of the chat and may be stored, in the order of the chat.
        context: The chat.
    """
    span = _span(batch, listed)
    shown = _stanza_ids(batch)
    lacking = [each for each in span if each.key.stanza_id not in shown]
    beside = [shown_id for shown_id in batch.unlisted_ids if not is_shown_forgotten(shown_id, context)]
    found = [
        _told(
            context,
            batch.observed_at,
            (DisagreementFact.ID, _LISTED, _NOT_SHOWN),
            key=external_id(each.key, context.account),
        )
        for each in lacking
    ]
    found += [
        _told(
            context,
            batch.observed_at,
            (DisagreementFact.ID, _NOT_LISTED, _SHOWN),
            shown_id_hash=hash_id(shown_id),
        )
        for shown_id in beside
    ]
    counts = len(span), len(span) - len(lacking) + len(beside)
    if counts[0] != counts[1]:
        numbers = (DisagreementFact.COUNT, str(counts[0]), str(counts[1]))
        found.append(_told(context, batch.observed_at, numbers))
    return tuple(found)


def of_times(
    dissents: Iterable[TimeDissent], listed: Sequence[MessageFacts], context: ChatContext, now: datetime
) -> tuple[Disagreement, ...]:
    """Tell which messages are shown at another minute than they are listed; what was erased is left out."""
    keys = {each.key.stanza_id: each.key for each in listed}
    return tuple(
        _told(
            context,
            now,
            (DisagreementFact.TIME, _minute(each.listed_at), _minute(each.shown_at)),
            key=external_id(keys[each.stanza_id], context.account),
        )
        for each in dissents
        if each.stanza_id in keys
    )


def of_text(message: Message, old: KnownMessage) -> Disagreement:
    """Tell that a message is shown with another text than the stored one."""
    return Disagreement(
        thread_external_id=message.thread_external_id,
        fact=DisagreementFact.TEXT,
        known=_redacted(old.content_snippet),
        shown=_redacted(message.content_snippet),
        observed_at=message.observed_at,
        external_id=old.external_id,
    )


def _span(batch: ChatBatch, listed: Sequence[MessageFacts]) -> Sequence[MessageFacts]:
    """Return the listed messages that must have a row between the first and the last row shown.

    A message counts only where its place and its time both lie between: one whose time is wrong, or that
    was sent in the same second, may stand on either side.
    """
    shown = _stanza_ids(batch)
    places = [place for place, each in enumerate(listed) if each.key.stanza_id in shown]
    if not places:
        return ()
    times = [listed[place].sent_at for place in places]
    first, last = min(times), max(times)
    return [
        each
        for each in listed[places[0] : places[-1] + 1]
        if each.key.stanza_id in shown or (first < each.sent_at < last and _has_a_row(each, listed))
    ]


def _has_a_row(facts: MessageFacts, listed: Sequence[MessageFacts]) -> bool:
    """Whether a message is shown by a row that names it: pictures sent together share one."""
    if facts.type not in _ALWAYS_SHOWN or facts.parent_stanza_id is not None:
        return False
    if facts.type not in FILE_TYPES:
        return True
    place = listed.index(facts)
    neighbours = [*listed[max(place - 1, 0) : place], *listed[place + 1 : place + 2]]
    return not any(each.type in FILE_TYPES and each.sender_id == facts.sender_id for each in neighbours)


def _stanza_ids(batch: ChatBatch) -> frozenset[str]:
    """Return what the rows name: an album its first and last picture."""
    return frozenset(each for shown_id in batch.shown_ids for each in shown_stanza_ids(shown_id))


def _told(
    context: ChatContext,
    now: datetime,
    said: tuple[DisagreementFact, str, str],
    *,
    key: str | None = None,
    shown_id_hash: str | None = None,
) -> Disagreement:
    return Disagreement(context.chat.id, *said, now, external_id=key, shown_id_hash=shown_id_hash)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _redacted(text: str | None) -> str:
    """Return by what a text is known again without being told."""
    return "no text" if text is None else f"{len(text)} characters, sha256 {hash_id(text)}"
