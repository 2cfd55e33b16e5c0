"""What is delivered outside, whatever it is: rows, and for each target how far each came.

Events and the agent's messages lie in such boxes: the same statements hand them out, one delivery at a time,
in the order of their subject, and deliver them again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.happenings import Delivery, DeliveryState, ItemT, Listed, OutboxFacts


@dataclass(frozen=True)
class Box(Generic[ItemT]):
    """A pair of tables. Their names and columns are constants of the program."""

    items: str  #: Has `id`, `seq`, `occurred_at` and the columns named here.
    deliveries: str
    key: str  #: Column of `deliveries` that refers to `items`.
    subject: str  #: Column within which the order is kept.
    columns: tuple[str, ...]  #: As `read` takes them.
    read: Callable[[TupleRow], ItemT]

    @property
    def selected(self) -> str:
        return ", ".join(f"e.{column}" for column in self.columns)

    @property
    def joined(self) -> str:
        return f"{self.deliveries} d JOIN {self.items} e ON e.id = d.{self.key}"


_DELIVERY = ("target", "state", "attempts", "next_try_at", "settled_at", "last_error")
_SELECTED = ", ".join(f"d.{column}" for column in _DELIVERY)

# The statements below are put together from the constants of `Box`es only.


def put(
    cursor: Cursor[TupleRow], box: Box[ItemT], item_ids: Sequence[UUID], targets: Sequence[str], now: datetime
) -> None:
    """Let items that were just written be delivered to the targets."""
    cursor.execute(
        f"INSERT INTO {box.deliveries} ({box.key}, target, next_try_at)"  # noqa: S608
        " SELECT i.id, t.target, %s FROM unnest(%s::uuid[]) i (id) CROSS JOIN unnest(%s::text[]) t (target)",
        (now, list(item_ids), list(targets)),
    )


def next_delivery(
    cursor: Cursor[TupleRow], box: Box[ItemT], target: str, now: datetime
) -> Delivery[ItemT] | None:
    """Return the next delivery that is due, locked until the transaction's end; None: nothing to do.

    What another process is delivering is passed over, and so is every later item of its subject.
    """
    row = cursor.execute(
        f"SELECT {box.selected}, {_SELECTED} FROM {box.joined}"  # noqa: S608
        " WHERE d.target = %(target)s AND d.state = 'pending'"
        # No pause is that long: it was put off by a clock that was ahead.
        " AND (d.next_try_at <= %(now)s OR d.next_try_at > %(now)s + interval '25 hours')"
        f" AND NOT EXISTS (SELECT 1 FROM {box.deliveries} b JOIN {box.items} f ON f.id = b.{box.key}"
        f"   WHERE b.target = d.target AND b.state = 'pending' AND f.{box.subject} = e.{box.subject}"
        "   AND f.seq < e.seq)"
        " ORDER BY e.seq LIMIT 1 FOR UPDATE OF d SKIP LOCKED",
        {"target": target, "now": now},
    ).fetchone()
    return None if row is None else _delivery(box, row)


def settle(cursor: Cursor[TupleRow], box: Box[ItemT], delivery: Delivery[ItemT]) -> None:
    """Store how a delivery stands after a try."""
    cursor.execute(
        f"UPDATE {box.deliveries} SET state = %s, attempts = %s, next_try_at = %s, settled_at = %s,"  # noqa: S608
        f" last_error = %s WHERE {box.key} = %s AND target = %s",
        (
            delivery.state.value,
            delivery.attempts,
            delivery.next_try_at,
            delivery.settled_at,
            delivery.last_error,
            delivery.event.id,
            delivery.target,
        ),
    )


def facts(cursor: Cursor[TupleRow], box: Box[ItemT], targets: Collection[str]) -> OutboxFacts:
    """Count deliveries to the targets; what belongs to one that is no longer configured is left out."""
    row = cursor.execute(
        "SELECT count(*) FILTER (WHERE d.state = 'pending'), count(*) FILTER (WHERE d.state = 'delivered'),"  # noqa: S608
        " count(*) FILTER (WHERE d.state = 'dead'), min(e.occurred_at) FILTER (WHERE d.state = 'pending'),"
        f" max(d.settled_at) FILTER (WHERE d.state = 'dead') FROM {box.joined} WHERE d.target = ANY(%s)",
        (list(targets),),
    ).fetchone()
    assert row is not None
    return OutboxFacts(len(targets), *row)


# --- for people ----------------------------------------------------------------------------------


def last(
    cursor: Cursor[TupleRow], box: Box[ItemT], count: int, state: DeliveryState | None = None
) -> tuple[Listed[ItemT], ...]:
    """Return the last items, newest first, all or those with a delivery in `state`."""
    items = cursor.execute(
        f"SELECT {box.selected} FROM {box.items} e WHERE %(state)s::text IS NULL OR EXISTS"  # noqa: S608
        f" (SELECT 1 FROM {box.deliveries} d WHERE d.{box.key} = e.id AND d.state = %(state)s)"
        " ORDER BY e.seq DESC LIMIT %(count)s",
        {"state": state.value if state else None, "count": count},
    ).fetchall()
    listed = tuple(box.read(row) for row in items)
    deliveries = cursor.execute(
        f"SELECT {box.selected}, {_SELECTED} FROM {box.joined} WHERE d.{box.key} = ANY(%s)"  # noqa: S608
        " ORDER BY d.target",
        ([item.id for item in listed],),
    ).fetchall()
    found = [_delivery(box, row) for row in deliveries]
    return tuple(Listed(item, tuple(each for each in found if each.event.id == item.id)) for item in listed)


def replay(
    cursor: Cursor[TupleRow], box: Box[ItemT], item_id: UUID, targets: Sequence[str], now: datetime
) -> int:
    """Deliver one item again, to every target; return to how many, 0 when there is no such item."""
    return _again(cursor, box, "e.id = %(id)s", {"id": item_id, "targets": list(targets), "now": now})


def replay_since(
    cursor: Cursor[TupleRow], box: Box[ItemT], since: datetime, targets: Sequence[str], now: datetime
) -> int:
    """Deliver every item from `since` on again, to every target; return the number of deliveries."""
    return _again(
        cursor, box, "e.occurred_at >= %(since)s", {"since": since, "targets": list(targets), "now": now}
    )


def replay_dead(cursor: Cursor[TupleRow], box: Box[ItemT], targets: Sequence[str], now: datetime) -> int:
    """Try again what was given up; return the number of deliveries."""
    cursor.execute(
        f"UPDATE {box.deliveries} SET state = 'pending', attempts = 0, next_try_at = %s, settled_at = NULL"  # noqa: S608
        " WHERE state = 'dead' AND target = ANY(%s)",
        (now, list(targets)),
    )
    return cursor.rowcount


def _again(
    cursor: Cursor[TupleRow],
    box: Box[ItemT],
    condition: str,
    values: dict[str, object],
) -> int:
    cursor.execute(
        f"INSERT INTO {box.deliveries} ({box.key}, target, next_try_at) SELECT e.id, t.target, %(now)s"  # noqa: S608
        f" FROM {box.items} e CROSS JOIN unnest(%(targets)s::text[]) t (target) WHERE {condition}"
        f" ON CONFLICT ({box.key}, target) DO UPDATE SET state = 'pending', attempts = 0,"
        " next_try_at = excluded.next_try_at, settled_at = NULL, last_error = NULL",
        values,
    )
    return cursor.rowcount


def _delivery(box: Box[ItemT], row: TupleRow) -> Delivery[ItemT]:
    target, state, attempts, next_try_at, settled_at, last_error = row[-len(_DELIVERY) :]
    item = box.read(row[: -len(_DELIVERY)])
    return Delivery(item, target, DeliveryState(state), attempts, next_try_at, settled_at, last_error)
