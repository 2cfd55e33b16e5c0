"""What the page would have sent to the server, counted, and what scripts did with its modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """What happened since the last reset."""

    receipts: Counter[str] = field(default_factory=Counter)  #: By kind: "read", "played".
    receipt_chats: Counter[str] = field(default_factory=Counter)
    presence: Counter[str] = field(default_factory=Counter)  #: "available", "unavailable".
    phone_requests: Counter[str] = field(default_factory=Counter)  #: By chat.
    pressed: Counter[str] = field(default_factory=Counter)  #: Buttons of dialogs, by what stands on them.
    media_reads: int = 0  #: By the page.
    sealed_reads: int = 0  #: Of files as they lie on the server.
    sealed_files: Counter[str] = field(default_factory=Counter)  #: The same by sha256 of the plain bytes.
    client_errors: Counter[str] = field(default_factory=Counter)  #: By their words.
    calls: Counter[str] = field(default_factory=Counter)  #: Of modules: what a reader must not call.
    touched: set[str] = field(default_factory=set)  #: Members of modules, if watched.
    mode: str | None = None  #: What the page last said about itself.

    def note(self, frame: Mapping[str, Any]) -> None:
        """Write down what a page says about itself and its scripts."""
        match frame["op"]:
            case "presence":
                self.presence[str(frame["state"])] += 1
            case "state":
                self.mode = str(frame["mode"])
            case "client_error":
                self.client_errors[str(frame["message"])] += 1
            case "called":
                self.calls[str(frame["name"])] += 1
            case "touched":
                self.touched.update(str(path) for path in frame["paths"])

    def as_json(self) -> dict[str, Any]:
        return {
            "receipts": self.receipts.total(),
            "receipts_by_kind": dict(self.receipts),
            "receipts_by_chat": dict(self.receipt_chats),
            "presence": {state: self.presence[state] for state in ("available", "unavailable")},
            "pressed": dict(self.pressed),
            "media_reads": self.media_reads,
            "sealed_reads": self.sealed_reads,
            "sealed_files": dict(self.sealed_files),
            "phone_requests": dict(self.phone_requests),
            "client_errors": dict(self.client_errors),
            "calls": dict(self.calls),
            "touched": sorted(self.touched),
            "mode": self.mode,
        }
