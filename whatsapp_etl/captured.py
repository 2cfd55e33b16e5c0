"""What one visit to a chat brought, apart from everything that Postgres knows.

A value like those of `model`: it is planned against the database as it is then, at once or hours later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_etl.model import (
    Account,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    MessageFacts,
    ParsedRow,
    Reject,
    TimeDissent,
)


@dataclass(frozen=True, slots=True)
class CapturedChat:
    """A visit, understood and not yet planned."""

    chat: ChatFacts
    account: Account
    since: datetime  #: Edge of the look-back of the run that read it.
    diff: ChatDiff  #: Why it was visited.
    facts: tuple[MessageFacts, ...] | None  #: What the storage listed of it; None when that failed.
    batch: ChatBatch
    parsed: tuple[ParsedRow, ...]  #: The batch's rows, understood.
    rejects: tuple[Reject, ...]  #: Those that were not.
    dissents: tuple[TimeDissent, ...] = ()  #: Those that show another time than is listed of them.
    participant_ids: tuple[str, ...] = ()
    phone_ids: Mapping[str, str] = field(default_factory=dict)  #: Phone number's id by LID.

    @property
    def file_paths(self) -> frozenset[str]:
        """Pictures that were saved from its rows, below ATTACHMENTS_DIR."""
        return frozenset(file.relative_path for files in self.batch.files.values() for file in files)
