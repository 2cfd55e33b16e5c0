"""Values of reading pictures: what an engine found, a picture that is leased, how its jobs go on.

`extraction` makes them, `load` stores them. Importing this imports no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

#: `extractions.kind` of what is read out of pictures.
TEXT = "text"

Parameters = Mapping[str, str | int | float | bool]


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"  #: Leased by a worker until `leased_until`.
    DONE = "done"
    DEAD = "dead"  #: Given up, with the reason; `whatsapp-etl extract --dead` tries again.


class UnreadReason(StrEnum):
    """Why a picture was not read."""

    EMPTY = "empty"
    NOT_A_PICTURE = "not_a_picture"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LONG = "too_long"  #: On one side.
    FILE_CHANGED = "file_changed"  #: Its bytes are not those of the checksum.
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    ENGINE_FAILED = "engine_failed"
    MEMORY = "memory"
    WORKER_LOST = "worker_lost"  #: It did not come back: it was killed, or its machine is gone.


#: What a sender can cause, and nobody here can mend.
REFUSALS = frozenset(
    {
        UnreadReason.EMPTY,
        UnreadReason.NOT_A_PICTURE,
        UnreadReason.TRUNCATED,
        UnreadReason.BROKEN,
        UnreadReason.TOO_LARGE,
        UnreadReason.TOO_MANY_PIXELS,
        UnreadReason.TOO_LONG,
    }
)


@dataclass(frozen=True, slots=True)
class Block:
    """A line of text in a picture."""

    text: str
    confidence: float  #: From 0 to 1, as the engine says.
    box: tuple[tuple[float, float], ...]  #: Corners in pixels of the upright picture, from its top left.


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine found in one picture, in reading order."""

    blocks: tuple[Block, ...] = ()

    @property
    def text(self) -> str:
        """All of it, a block a line; empty: there is no text."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class EngineId:
    """What must be equal for a reading to be the same: equal bytes are read once by one engine."""

    name: str
    version: str
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Lease:
    """A picture that one worker reads for all messages that have it, until the lease ends."""

    id: UUID
    checksum: str  #: sha256 of the bytes, lowercase hex.
    file_path: str  #: Below ATTACHMENTS_DIR.
    attempts: int  #: With this one.


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a job goes on after a try that failed."""

    state: JobState
    next_try_at: datetime  #: Not tried again before; of a dead one, when it was given up.
    reason: UnreadReason


#: Decides about a job whose worker did not come back: its attempts, and the time.
AfterLoss = Callable[[int, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class ExtractionFacts:
    """How reading of pictures stands."""

    jobs: Mapping[JobState, int]
    dead_reasons: Mapping[str, int]
    oldest_queued_at: datetime | None = None  #: Since when the oldest one that waits is there.
    last_dead_at: datetime | None = None  #: When the last was given up that a sender did not spoil.
    #: How long pictures have been due and no worker took one; None: none is.
    idle_for: timedelta | None = None
