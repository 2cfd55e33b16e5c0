"""Values of reading pictures: what an engine found, a picture that is leased, how its jobs go on.

`extraction` makes them, `load` stores them. Importing this imports no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
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
    reason: str  #: A short code such as "truncated".


#: Decides about a job whose worker did not come back: its attempts, and the time.
AfterLoss = Callable[[int, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class ExtractionFacts:
    """How reading of pictures stands."""

    jobs: Mapping[JobState, int]
    dead_reasons: Mapping[str, int]
    oldest_queued_at: datetime | None = None  #: Since when the oldest one that waits is there.
