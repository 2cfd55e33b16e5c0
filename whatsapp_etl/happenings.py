"""Values of what is told to a person: what happened, what was told before, what is still to be delivered.

Decisions in `events` make them, `load` stores them. Like those of `model` they are frozen and cross between
packages. None holds a text, a name or a number of somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID


class EventType(StrEnum):
    """`type` of an event; part of the published interface (docs/events.md): add, never rename."""

    SESSION_QR_REQUIRED = "session.qr_required"
    SESSION_READY = "session.ready"
    SESSION_EXPIRED = "session.expired"
    SESSION_CONFLICT = "session.conflict"
    SYNC_FAILED = "sync.failed"
    SYNC_STALE = "sync.stale"
    SYNC_RECOVERED = "sync.recovered"
    DRIFT_DETECTED = "drift.detected"


class Subject(StrEnum):
    """What an event is about. Events of one subject are delivered in their order."""

    SESSION = "session"
    SYNC = "sync"
    PAGE = "page"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  #: Given up after too many tries; `whatsapp-etl events replay` tries again.


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that is to be told."""

    type: EventType
    subject: Subject
    data: Mapping[str, object]  #: As JSON; see docs/event.schema.json.


@dataclass(frozen=True, slots=True)
class Event:
    """A stored happening."""

    id: UUID  #: The same in every delivery: receivers tell a second one by it.
    seq: int  #: Rises in the order in which things happened.
    type: EventType
    subject: Subject
    data: Mapping[str, object]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What was told before, and what the database says about the sync now."""

    session: Event | None = None  #: The last one about the session.
    outage: tuple[Event, ...] = ()  #: About the sync since it last recovered, oldest first.
    drift: Event | None = None  #: The last one about the page.
    drift_ended: bool = False  #: A cycle succeeded since then and found nothing changed.
    last_success_at: datetime | None = None
    first_run_at: datetime | None = None  #: Of the runs that are kept.


#: Looks at what was told before, and says what is to be told now.
Tells = Callable[[Told], tuple[Happening, ...]]


class Deliverable(Protocol):
    """Something that is delivered: an event, or a message for the agent's pipeline."""

    @property
    def id(self) -> UUID: ...
    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> StrEnum: ...
    @property
    def occurred_at(self) -> datetime: ...


ItemT = TypeVar("ItemT", bound=Deliverable)


@dataclass(frozen=True, slots=True)
class Delivery(Generic[ItemT]):
    """One event on its way to one target."""

    event: ItemT
    target: str  #: Its name: host and hash of the URL, no secret.
    state: DeliveryState
    attempts: int  #: Those that have ended.
    next_try_at: datetime  #: Not tried before.
    settled_at: datetime | None = None  #: When it was delivered or given up.
    last_error: str | None = None  #: A short code such as "http_500"; nothing that the receiver said.


@dataclass(frozen=True, slots=True)
class OutboxFacts:
    """How delivery stands, over the targets that are configured."""

    targets: int = 0
    pending: int = 0
    delivered: int = 0  #: Of the events that are kept.
    dead: int = 0
    oldest_pending_at: datetime | None = None  #: When the oldest event that is not delivered yet happened.
    last_dead_at: datetime | None = None  #: When a delivery was last given up, of those that still are.


@dataclass(frozen=True, slots=True)
class Listed(Generic[ItemT]):
    """An event with how its deliveries stand, for `whatsapp-etl events list`."""

    event: ItemT
    deliveries: tuple[Delivery[ItemT], ...] = ()
