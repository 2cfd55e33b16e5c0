"""Rows of the page's message store as the same parsed rows that the page's bubbles give.

Not everything stands in the store: the words of notices, and of calls and several cards in other languages
than English, are the page's own. Such a row is not told here, and is left to the page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from whatsapp_etl.model import ContactFacts, MessageFacts, MessageType, ParsedRow
from whatsapp_etl.store_records import Names, StoreRow
from whatsapp_etl.transform.identity import parse_shown_key
from whatsapp_etl.transform.kinds import TEXT_REQUIRED, TEXTLESS_TYPES, message_type
from whatsapp_etl.transform.markup import mentioned, shown
from whatsapp_etl.transform.text import clean

#: The sign of `ParsedRow.signals` that a fact was told by the store.
BY_STORE = "store"

#: Kinds of which the store may hold everything; others it does not tell, or nobody knows how.
TOLD_KINDS = TEXTLESS_TYPES | {
    MessageType.TEXT,
    MessageType.IMAGE,
    MessageType.VIDEO,
    MessageType.GIF,
    MessageType.DOCUMENT,
    MessageType.LOCATION,
    MessageType.LIVE_LOCATION,
    MessageType.CONTACT,
    MessageType.CONTACTS,
    MessageType.POLL,
    MessageType.EVENT,
    MessageType.GROUP_INVITE,
    MessageType.CALL,
}

_WITH_PREVIEW = frozenset({MessageType.IMAGE, MessageType.VIDEO, MessageType.GIF})

_ENGLISH = "en"
#: Outcomes of a call as the store names them -> whether the page calls it missed.
_CALLS = {"Missed": True, "Connected": False, "NotAnswered": False}


@dataclass(frozen=True, slots=True)
class StoreWords:
    """What must be known beside a row to write its text as the page does."""

    names: Names = field(
        default_factory=dict
    )  #: Saved or own name by id; of nobody else the page's words are known.
    language: str | None = None  #: In which the page says it is.

    @property
    def is_english(self) -> bool:
        return (self.language or "").partition("-")[0].lower() == _ENGLISH


def names_of(contacts: Iterable[ContactFacts], own_ids: Collection[str]) -> Names:
    """Return under which names people are mentioned. The account itself is left out: it is told as "You"."""
    known = tuple(contacts)
    saved = {each.id: each.saved_name for each in known}
    names: dict[str, str] = {}
    for each in known:
        name = each.saved_name or saved.get(each.phone_id or "") or each.push_name
        if name and each.id not in own_ids:
            names[each.id] = name
    return names


def is_told(facts: MessageFacts) -> bool:
    """Whether the store may tell everything of a listed message."""
    return facts.type in TOLD_KINDS


def read_store_rows(rows: Sequence[StoreRow], words: StoreWords) -> tuple[ParsedRow, ...]:
    """Return the rows that the store tells whole, in the same order; the others are left to the page."""
    return tuple(row for each in rows if (row := read_store_row(each, words)) is not None)


def read_store_row(row: StoreRow, words: StoreWords) -> ParsedRow | None:
    """Return what a row says, as if read from its bubble; None when the store does not tell it."""
    kind = _kind(row)
    key = parse_shown_key(row.stored_id)
    if key is None or kind not in TOLD_KINDS or not _names_everybody(row, words):
        return None
    # Without even a preview nobody knows whether there is a caption.
    if kind in _WITH_PREVIEW and not row.is_opened:
        return None
    text = None if kind in TEXTLESS_TYPES else _TEXTS[kind](row, words)
    if text is None and kind in TEXT_REQUIRED:
        return None
    return ParsedRow(
        shown_id=row.stored_id,
        key=key,
        stanza_id=key.stanza_id,
        type=kind,
        subtype=row.subtype,
        is_outgoing=key.is_outgoing,
        sender_name=None,
        text=text,
        sent_at=row.sent_at,
        ts_raw=None,
        quoted_text=shown(row.quoted.text, words.names) if row.quoted else None,
        is_forwarded=row.is_forwarded,
        is_edited=row.is_edited,
        signals=dict.fromkeys(("id", "chat", "kind", "direction", "time"), BY_STORE)
        | {"text": BY_STORE if text else "none"},
    )


def notice_without_words(facts: MessageFacts) -> ParsedRow:
    """Return a notice as far as the browser's storage tells it: which one, and when."""
    return ParsedRow(
        shown_id=facts.stored_id or str(facts.key),
        key=facts.key,
        stanza_id=facts.key.stanza_id,
        type=MessageType.SYSTEM,
        subtype=facts.subtype,
        is_outgoing=None,
        sender_name=None,
        text=None,
        sent_at=facts.sent_at,
        ts_raw=None,
        signals=dict.fromkeys(("id", "chat", "kind", "time"), BY_STORE) | {"text": "none"},
    )


def _kind(row: StoreRow) -> MessageType:
    if row.is_view_once:
        return MessageType.VIEW_ONCE
    kind = message_type(row.type, row.subtype)
    if kind is MessageType.VIDEO and row.is_gif:
        return MessageType.GIF
    return MessageType.LIVE_LOCATION if kind is MessageType.LOCATION and row.is_live else kind


def _names_everybody(row: StoreRow, words: StoreWords) -> bool:
    """Whether everybody whom the text mentions is known by the name that the page shows."""
    texts = "\n".join(filter(None, (row.body, row.caption)))
    return not row.mentioned_ids or mentioned(texts, row.mentioned_ids) <= words.names.keys()


def _caption(row: StoreRow, words: StoreWords) -> str | None:
    return shown(row.caption, words.names)


def _document_caption(row: StoreRow, words: StoreWords) -> str | None:
    """Return what a person wrote under a document: without a caption the client takes the file's name."""
    return None if row.caption == row.file_name else shown(row.caption, words.names)


def _cards(row: StoreRow, words: StoreWords) -> str | None:
    """Return several cards as the page shows them, in English only."""
    names = [name for each in row.card_names if (name := clean(each))]
    others = len(names) - 1
    if not names or len(names) < len(row.card_names):
        return None
    if not others:
        return names[0]
    return f"{names[0]} and {others} other contact{'' if others == 1 else 's'}" if words.is_english else None


def _poll(row: StoreRow, _words: StoreWords) -> str | None:
    lines = [shown(each) for each in (row.poll_name, *row.poll_options)]
    return "\n".join(line for line in lines if line) if lines[0] and row.poll_options else None


def _call(row: StoreRow, words: StoreWords) -> str | None:
    is_missed = _CALLS.get(row.call_outcome or "")
    if is_missed is None or not words.is_english:
        return None
    medium = "video" if row.is_video_call else "voice"
    return f"Missed {medium} call" if is_missed else f"{medium.capitalize()} call"


_TEXTS: Mapping[MessageType, Callable[[StoreRow, StoreWords], str | None]] = {
    MessageType.TEXT: lambda row, words: shown(row.body, words.names),
    MessageType.IMAGE: _caption,
    MessageType.VIDEO: _caption,
    MessageType.GIF: _caption,
    MessageType.DOCUMENT: _document_caption,
    MessageType.LOCATION: lambda row, _words: clean(row.place or ""),
    MessageType.LIVE_LOCATION: _caption,
    MessageType.CONTACT: lambda row, _words: clean(row.card_names[0]) if row.card_names else None,
    MessageType.CONTACTS: _cards,
    MessageType.POLL: _poll,
    MessageType.EVENT: lambda row, _words: shown(row.event_name),
    MessageType.GROUP_INVITE: lambda row, words: _caption(row, words) or clean(row.invited_to or ""),
    MessageType.CALL: _call,
}
