"""The boxes as those see them who deliver: connections of their own, beside the account's writer.

A delivery waits for its receiver in an open transaction, which the writer's short ones must not wait for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.happenings import Delivery, DeliveryState, Event, ItemT, Listed, OutboxFacts, Tells
from whatsapp_etl.load import boxes, outbox
from whatsapp_etl.load.beside import Beside
from whatsapp_etl.load.boxes import Box
from whatsapp_etl.load.database import Database


@dataclass(frozen=True)
class Claim(Generic[ItemT]):
    """A delivery that is locked until its transaction ends."""

    delivery: Delivery[ItemT]
    _box: Box[ItemT]
    _cursor: Cursor[TupleRow]

    def settle(self, delivery: Delivery[ItemT]) -> None:
        boxes.settle(self._cursor, self._box, delivery)


class Outbox(Beside, Generic[ItemT]):
    """One connection to a box; for one thread."""

    def __init__(self, database: Database, targets: Sequence[str], box: Box[ItemT]) -> None:
        super().__init__(database)
        self._targets = tuple(targets)
        self._box = box

    @contextmanager
    def claim(self, target: str, now: datetime) -> Iterator[Claim[ItemT] | None]:
        """Yield the next delivery that is due, locked; it is kept as it was when the block fails."""
        with self._transaction() as cursor:
            delivery = boxes.next_delivery(cursor, self._box, target, now)
            yield None if delivery is None else Claim(delivery, self._box, cursor)

    def facts(self) -> OutboxFacts:
        with self._transaction() as cursor:
            return boxes.facts(cursor, self._box, self._targets)

    def last(self, count: int, state: DeliveryState | None = None) -> tuple[Listed[ItemT], ...]:
        """Return the last items, newest first, all or those with a delivery in `state`."""
        with self._transaction() as cursor:
            return boxes.last(cursor, self._box, count, state)

    def replay(self, item_id: UUID, now: datetime) -> int:
        """Deliver one item again, to every target; return to how many."""
        with self._transaction() as cursor:
            return boxes.replay(cursor, self._box, item_id, self._targets, now)

    def replay_since(self, since: datetime, now: datetime) -> int:
        """Deliver every item from then on again; return the number of deliveries."""
        with self._transaction() as cursor:
            return boxes.replay_since(cursor, self._box, since, self._targets, now)

    def replay_dead(self, now: datetime) -> int:
        """Try again what was given up; return the number of deliveries."""
        with self._transaction() as cursor:
            return boxes.replay_dead(cursor, self._box, self._targets, now)


class EventOutbox(Outbox[Event]):
    """One connection to the events; for one thread."""

    def __init__(self, database: Database, targets: Sequence[str]) -> None:
        super().__init__(database, targets, outbox.EVENTS)

    def tell(self, tells: Tells, now: datetime) -> int:
        """Write what is to be told of something that leaves no row; return how many events."""
        with self._transaction() as cursor:
            return outbox.tell(cursor, tells, self._targets, now)
