"""The outbox: events written with their cause, and handed out for delivery."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.happenings import (
    Delivery,
    DeliveryState,
    Event,
    EventType,
    ListedEvent,
    OutboxFacts,
    Subject,
    Tells,
    Told,
)

#: One lock a schema: the table's own number is part of it.
_LOCK = (
    "SELECT pg_advisory_xact_lock(hashtextextended('whatsapp_etl/events', 'events'::regclass::oid::bigint))"
)

_EVENT = "e.id, e.seq, e.type, e.subject, e.data, e.occurred_at"
_DELIVERY = "d.target, d.state, d.attempts, d.next_try_at, d.settled_at, d.last_error"


def tell(cursor: Cursor[TupleRow], tells: Tells, targets: Sequence[str], now: datetime) -> int:
    """Write what is to be told, for the targets, as part of the caller's transaction.

    Returns:
        The number of events. They are decided one transaction after the other, so that two processes
        do not tell the same thing twice and `seq` rises in the order of commits.
    """
    cursor.execute(_LOCK)
    happenings = tells(_told(cursor))
    for each in happenings:
        event_id = uuid4()
        cursor.execute(
            "INSERT INTO events (id, type, subject, data, occurred_at) VALUES (%s, %s, %s, %s, %s)",
            (event_id, each.type.value, each.subject.value, json.dumps(each.data), now),
        )
        for target in targets:
            cursor.execute(
                "INSERT INTO event_deliveries (event_id, target, next_try_at) VALUES (%s, %s, %s)",
                (event_id, target, now),
            )
    return len(happenings)


def _told(cursor: Cursor[TupleRow]) -> Told:
    outage = cursor.execute(
        f"SELECT {_EVENT} FROM events e WHERE subject = %s AND seq >"  # noqa: S608  # constants
        " coalesce((SELECT max(seq) FROM events WHERE type = %s), 0) ORDER BY seq",
        (Subject.SYNC.value, EventType.SYNC_RECOVERED.value),
    ).fetchall()
    drift = _last(cursor, Subject.PAGE)
    row = cursor.execute(
        "SELECT (SELECT last_success_at FROM sync_state WHERE is_active = 1),"
        " (SELECT min(started_at) FROM sync_runs WHERE kind = 'sync')"
    ).fetchone()
    assert row is not None
    return Told(
        session=_last(cursor, Subject.SESSION),
        outage=tuple(_event(each) for each in outage),
        drift=drift,
        drift_ended=drift is not None and _has_ended(cursor, drift),
        last_success_at=row[0],
        first_run_at=row[1],
    )


def _last(cursor: Cursor[TupleRow], subject: Subject) -> Event | None:
    row = cursor.execute(
        f"SELECT {_EVENT} FROM events e WHERE subject = %s ORDER BY seq DESC LIMIT 1",  # noqa: S608  # constants
        (subject.value,),
    ).fetchone()
    return None if row is None else _event(row)


def _has_ended(cursor: Cursor[TupleRow], drift: Event) -> bool:
    # By number, since a clock may be set; a cycle that ended before it had one is told by the time.
    run_id = drift.data["run_id"]
    row = cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM sync_runs WHERE kind = 'sync' AND status = 'success'"
        " AND lost_facts = '{}' AND NOT stop_reasons ? 'drift'"
        " AND CASE WHEN %(run)s::bigint IS NULL THEN started_at > %(at)s ELSE id > %(run)s END)",
        {"run": run_id, "at": drift.occurred_at},
    ).fetchone()
    assert row is not None
    return bool(row[0])


# --- delivery ------------------------------------------------------------------------------------


def next_delivery(cursor: Cursor[TupleRow], target: str, now: datetime) -> Delivery | None:
    """Return the next delivery that is due, locked until the transaction's end; None: nothing to do.

    What another process is delivering is passed over, and so is every later event of its subject.
    """
    row = cursor.execute(
        f"SELECT {_EVENT}, {_DELIVERY}"  # noqa: S608  # constants
        " FROM event_deliveries d JOIN events e ON e.id = d.event_id"
        " WHERE d.target = %(target)s AND d.state = 'pending'"
        # No pause is that long: it was put off by a clock that was ahead.
        " AND (d.next_try_at <= %(now)s OR d.next_try_at > %(now)s + interval '25 hours')"
        " AND NOT EXISTS (SELECT 1 FROM event_deliveries b JOIN events f ON f.id = b.event_id"
        "   WHERE b.target = d.target AND b.state = 'pending' AND f.subject = e.subject AND f.seq < e.seq)"
        " ORDER BY e.seq LIMIT 1 FOR UPDATE OF d SKIP LOCKED",
        {"target": target, "now": now},
    ).fetchone()
    return None if row is None else _delivery(row)


def settle(cursor: Cursor[TupleRow], delivery: Delivery) -> None:
    """Store how a delivery stands after a try."""
    cursor.execute(
        "UPDATE event_deliveries SET state = %s, attempts = %s, next_try_at = %s, settled_at = %s,"
        " last_error = %s WHERE event_id = %s AND target = %s",
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


def outbox_facts(cursor: Cursor[TupleRow], targets: Collection[str]) -> OutboxFacts:
    """Count deliveries to the targets; what belongs to one that is no longer configured is left out."""
    row = cursor.execute(
        "SELECT count(*) FILTER (WHERE d.state = 'pending'), count(*) FILTER (WHERE d.state = 'delivered'),"
        " count(*) FILTER (WHERE d.state = 'dead'), min(e.occurred_at) FILTER (WHERE d.state = 'pending'),"
        " max(d.settled_at) FILTER (WHERE d.state = 'dead')"
        " FROM event_deliveries d JOIN events e ON e.id = d.event_id WHERE d.target = ANY(%s)",
        (list(targets),),
    ).fetchone()
    assert row is not None
    return OutboxFacts(len(targets), *row)


# --- for people ----------------------------------------------------------------------------------


def last_events(
    cursor: Cursor[TupleRow], count: int, state: DeliveryState | None = None
) -> tuple[ListedEvent, ...]:
    """Return the last events, newest first, all or those with a delivery in `state`."""
    events = cursor.execute(
        f"SELECT {_EVENT} FROM events e WHERE %(state)s::text IS NULL OR EXISTS"  # noqa: S608  # constants
        " (SELECT 1 FROM event_deliveries d WHERE d.event_id = e.id AND d.state = %(state)s)"
        " ORDER BY e.seq DESC LIMIT %(count)s",
        {"state": state.value if state else None, "count": count},
    ).fetchall()
    deliveries = cursor.execute(
        f"SELECT {_EVENT}, {_DELIVERY} FROM event_deliveries d JOIN events e ON e.id = d.event_id"  # noqa: S608
        " WHERE d.event_id = ANY(%s) ORDER BY d.target",
        ([row[0] for row in events],),
    ).fetchall()
    found = [_delivery(row) for row in deliveries]
    return tuple(
        ListedEvent(event, tuple(each for each in found if each.event.id == event.id))
        for event in map(_event, events)
    )


def replay(cursor: Cursor[TupleRow], event_id: UUID, targets: Sequence[str], now: datetime) -> int:
    """Deliver one event again, to every target; return to how many, 0 when there is no such event."""
    return _again(cursor, "e.id = %(id)s", {"id": event_id}, targets, now)


def replay_since(cursor: Cursor[TupleRow], since: datetime, targets: Sequence[str], now: datetime) -> int:
    """Deliver every event from `since` on again, to every target; return the number of deliveries."""
    return _again(cursor, "e.occurred_at >= %(since)s", {"since": since}, targets, now)


def replay_dead(cursor: Cursor[TupleRow], targets: Sequence[str], now: datetime) -> int:
    """Try again what was given up; return the number of deliveries."""
    cursor.execute(
        "UPDATE event_deliveries SET state = 'pending', attempts = 0, next_try_at = %s, settled_at = NULL"
        " WHERE state = 'dead' AND target = ANY(%s)",
        (now, list(targets)),
    )
    return cursor.rowcount


def _again(
    cursor: Cursor[TupleRow],
    condition: str,
    values: dict[str, object],
    targets: Sequence[str],
    now: datetime,
) -> int:
    cursor.execute(
        "INSERT INTO event_deliveries (event_id, target, next_try_at)"  # noqa: S608  # constants
        f" SELECT e.id, t.target, %(now)s FROM events e CROSS JOIN unnest(%(targets)s::text[]) t (target)"
        f" WHERE {condition}"
        " ON CONFLICT (event_id, target) DO UPDATE SET state = 'pending', attempts = 0,"
        " next_try_at = excluded.next_try_at, settled_at = NULL, last_error = NULL",
        {**values, "targets": list(targets), "now": now},
    )
    return cursor.rowcount


def _event(row: TupleRow) -> Event:
    return Event(row[0], row[1], EventType(row[2]), Subject(row[3]), row[4], row[5])


def _delivery(row: TupleRow) -> Delivery:
    target, state, attempts, next_try_at, settled_at, last_error = row[6:12]
    return Delivery(_event(row), target, DeliveryState(state), attempts, next_try_at, settled_at, last_error)
