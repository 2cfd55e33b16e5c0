"""The outbox as those see it who deliver: connections of their own, beside the account's writer.

A delivery waits for its receiver in an open transaction, which the writer's short ones must not wait for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.happenings import Delivery, DeliveryState, ListedEvent, OutboxFacts, Tells
from whatsapp_etl.load import outbox
from whatsapp_etl.load.beside import Beside
from whatsapp_etl.load.database import Database


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is locked until its transaction ends."""

    delivery: Delivery
    _cursor: Cursor[TupleRow]

    def settle(self, delivery: Delivery) -> None:
        outbox.settle(self._cursor, delivery)


class Outbox(Beside):
    """One connection to the outbox; for one thread."""

    def __init__(self, database: Database, targets: Sequence[str]) -> None:
        super().__init__(database)
        self._targets = tuple(targets)

    @contextmanager
    def claim(self, target: str, now: datetime) -> Iterator[Claim | None]:
        """Yield the next delivery that is due, locked; it is kept as it was when the block fails."""
        with self._transaction() as cursor:
            delivery = outbox.next_delivery(cursor, target, now)
            yield None if delivery is None else Claim(delivery, cursor)

    def tell(self, tells: Tells, now: datetime) -> int:
        """Write what is to be told of something that leaves no row; return how many events."""
        with self._transaction() as cursor:
            return outbox.tell(cursor, tells, self._targets, now)

    def facts(self) -> OutboxFacts:
        with self._transaction() as cursor:
            return outbox.outbox_facts(cursor, self._targets)

    def last_events(self, count: int, state: DeliveryState | None = None) -> tuple[ListedEvent, ...]:
        """Return the last events, newest first, all or those with a delivery in `state`."""
        with self._transaction() as cursor:
            return outbox.last_events(cursor, count, state)

    def replay(self, event_id: UUID, now: datetime) -> int:
        """Deliver one event again, to every target; return to how many."""
        with self._transaction() as cursor:
            return outbox.replay(cursor, event_id, self._targets, now)

    def replay_since(self, since: datetime, now: datetime) -> int:
        """Deliver every event from then on again; return the number of deliveries."""
        with self._transaction() as cursor:
            return outbox.replay_since(cursor, since, self._targets, now)

    def replay_dead(self, now: datetime) -> int:
        """Try again what was given up; return the number of deliveries."""
        with self._transaction() as cursor:
            return outbox.replay_dead(cursor, self._targets, now)
