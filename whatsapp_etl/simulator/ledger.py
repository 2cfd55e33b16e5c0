"""What the page would have sent to the server, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """Receipts, presence updates, presses of dialogs' buttons and reads of media since the last reset."""

    receipts: Counter[str] = field(default_factory=Counter)  #: By kind: "read", "played".
    receipt_chats: Counter[str] = field(default_factory=Counter)
    presence: Counter[str] = field(default_factory=Counter)  #: "available", "unavailable".
    phone_requests: Counter[str] = field(default_factory=Counter)  #: By chat.
    pressed: Counter[str] = field(default_factory=Counter)  #: Buttons of dialogs, by what stands on them.
    media_reads: int = 0
    mode: str | None = None  #: What the page last said about itself.

    def as_json(self) -> dict[str, Any]:
        return {
            "receipts": self.receipts.total(),
            "receipts_by_kind": dict(self.receipts),
            "receipts_by_chat": dict(self.receipt_chats),
            "presence": {state: self.presence[state] for state in ("available", "unavailable")},
            "pressed": dict(self.pressed),
            "media_reads": self.media_reads,
            "phone_requests": dict(self.phone_requests),
            "mode": self.mode,
        }
