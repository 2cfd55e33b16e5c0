"""The outbox of events: written with their cause. `boxes` hands them out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.happenings import Event, EventType, Subject, Tells, Told
from whatsapp_etl.load.boxes import Box, put

#: One lock a schema: the table's own number is part of it.
_LOCK = (
    "SELECT pg_advisory_xact_lock(hashtextextended('whatsapp_etl/events', 'events'::regclass::oid::bigint))"
)


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
        put(cursor, EVENTS, [event_id], targets, now)
    return len(happenings)


def _told(cursor: Cursor[TupleRow]) -> Told:
    outage = cursor.execute(
        f"SELECT {EVENTS.selected} FROM events e WHERE subject = %s AND seq >"  # noqa: S608  # constants
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
        f"SELECT {EVENTS.selected} FROM events e WHERE subject = %s ORDER BY seq DESC LIMIT 1",  # noqa: S608  # constants
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


def _event(row: TupleRow) -> Event:
    return Event(row[0], row[1], EventType(row[2]), Subject(row[3]), row[4], row[5])


EVENTS = Box(
    items="events",
    deliveries="event_deliveries",
    key="event_id",
    subject="subject",
    columns=("id", "seq", "type", "subject", "data", "occurred_at"),
    read=_event,
)
