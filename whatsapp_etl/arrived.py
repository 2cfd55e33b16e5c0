"""How much history a newly linked browser has got. Pure; counts and times only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from whatsapp_etl.model import ChatFacts, MessageIndexEntry

#: What `endOfHistoryTransferType` says of a chat, in words.
_TRANSFERS: Mapping[int | None, str] = {
    1: "whole",
    0: "with more on the phone",
    2: "cut off on the way",
    None: "of which WhatsApp Web does not say",
}


@dataclass(frozen=True, slots=True)
class ArrivedHistory:
    """What the browser's own storage lists."""

    chats: int
    messages: int
    oldest_at: datetime | None  #: None: there is no message.
    by_transfer: Mapping[int | None, int]  #: Chats by `endOfHistoryTransferType`.


def arrived_history(
    chats: Sequence[ChatFacts], pages: Iterable[Sequence[MessageIndexEntry]]
) -> ArrivedHistory:
    """Count what the storage lists; the messages come page by page, in no order of time."""
    messages = 0
    oldest: datetime | None = None
    for page in pages:
        messages += len(page)
        times = [entry.sent_at for entry in page] + ([oldest] if oldest else [])
        oldest = min(times, default=None)
    return ArrivedHistory(len(chats), messages, oldest, Counter(chat.history_type for chat in chats))


def told(history: ArrivedHistory) -> Iterator[str]:
    """Yield what to tell the person who linked, line by line."""
    since = f", the oldest of {history.oldest_at:%d %b %Y}" if history.oldest_at else ""
    yield f"{history.messages:,} messages in {history.chats:,} chats have arrived{since}."
    counts: Counter[str] = Counter()
    for kind, count in history.by_transfer.items():
        # A number of a later release says nothing that is known here.
        counts[_TRANSFERS.get(kind, _TRANSFERS[None])] += count
    parts = [f"{counts[words]:,} {words}" for words in _TRANSFERS.values() if counts[words]]
    if parts:
        yield f"Chats: {', '.join(parts)}."
