"""What the parser made of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_etl.model.listed import MessageKey
from whatsapp_etl.model.vocabulary import MessageType, RejectReason, ShownDeletion


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """What a row tells about its file."""

    media_type: str | None = None
    file_name: str | None = None
    size_bytes: int | None = None  #: As shown ("120 kB"): rounded.
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    count: int = 1  #: Albums: pictures in the row.


@dataclass(frozen=True, slots=True)
class ParsedReaction:
    emoji: str
    count: int


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One row of the page, understood. Joined with metadata it becomes a `Message`."""

    shown_id: str
    key: MessageKey | None  #: Only where the page shows packed ids.
    stanza_id: str
    type: MessageType
    subtype: str | None
    is_outgoing: bool | None  #: None on system rows.
    sender_name: str | None  #: As shown; not an identity.
    text: str | None  #: As the user sees it; None for bare media.
    sent_at: datetime | None  #: Minute precision.
    ts_raw: str | None  #: The date and time text it was read from.
    quoted_text: str | None = None
    quoted_sender_name: str | None = None
    is_forwarded: bool = False
    is_edited: bool = False
    is_truncated: bool = False  #: "Read more" was not opened to its end.
    attachment: ParsedAttachment | None = None
    reactions: tuple[ParsedReaction, ...] = ()
    deletion: ShownDeletion | None = None  #: Of a deleted message; None: the row does not say it.
    signals: Mapping[str, str] = field(default_factory=dict)  #: fact -> rung that served it.
    dissents: tuple[tuple[str, str], ...] = ()  #: (fact, rung) of rungs that said otherwise than that one.


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was seen and not understood: stored, counted, visible."""

    thread_external_id: str | None
    shown_id_hash: str  #: sha256 of the shown id, first 16 hex digits.
    reason: RejectReason
    pack_id: str
    evidence: str  #: Redacted HTML: letters x, digits 9, ids hashed.
    observed_at: datetime
