"""Leaves what was erased on request out of a visit's plan, should a row or the storage bring it again."""

from __future__ import annotations

from collections.abc import Sequence

from whatsapp_etl.hashing import hash_id
from whatsapp_etl.model import ChatBatch, MessageFacts, MessageKey, Reject
from whatsapp_etl.transform.identity import canonical_key, parse_shown_key, shown_stanza_ids
from whatsapp_etl.transform.messages import ChatContext


def is_forgotten(facts: MessageFacts | None, key: MessageKey | None, context: ChatContext) -> bool:
    """Whether a listed message, or one that a row proves, was erased on request."""
    if facts is not None:
        return context.forgotten.has_contact(facts.sender_id) or context.forgotten.has_message(
            canonical_key(facts.key, context.account.id)
        )
    return key is not None and context.forgotten.has_message(canonical_key(key, context.account.id))


def is_shown_forgotten(shown_id: str, context: ChatContext) -> bool:
    """Whether a row's id names a message that was erased on request, by its stanza id at least."""
    return is_forgotten(None, parse_shown_key(shown_id), context) or any(
        context.forgotten.has_quoted(each, None) for each in shown_stanza_ids(shown_id)
    )


def remembered(rejects: Sequence[Reject], batch: ChatBatch, context: ChatContext) -> list[Reject]:
    """Return the rejects without those of rows whose message was erased on request."""
    gone = {
        hash_id(row.shown_id)
        for row in batch.rows
        if is_forgotten(None, parse_shown_key(row.shown_id), context)
    }
    return [each for each in rejects if each.shown_id_hash not in gone]
