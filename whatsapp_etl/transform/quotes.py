"""Tells whether a message quotes what was erased on request."""

from __future__ import annotations

from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.model import MessageFacts, ParsedRow


def quotes_forgotten(row: ParsedRow | None, facts: MessageFacts | None, forgotten: Forgotten) -> bool:
    """Whether its quote must go: by ids where some are listed, else by the words that the row shows."""
    if facts is not None and forgotten.has_quoted(facts.quoted_stanza_id, facts.quoted_participant_id):
        return True
    is_named = facts is not None and facts.quoted_stanza_id is not None
    return row is not None and not is_named and forgotten.has_quote(row.quoted_text, row.quoted_sender_name)
