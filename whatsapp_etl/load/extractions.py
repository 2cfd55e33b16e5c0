"""Jobs of reading pictures, handed out to any number of workers, and what they read.

What is leased is a picture, not a message: all jobs of equal bytes go together, so that they are read once.
All times are the database's, since workers run on machines whose clocks differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from whatsapp_etl.extracted import (
    REFUSALS,
    TEXT,
    AfterLoss,
    EngineId,
    ExtractionFacts,
    JobState,
    Lease,
    Reading,
    Verdict,
)
from whatsapp_etl.load.beside import Beside

#: Jobs of lost workers that one call looks after.
_LOST_AT_ONCE = 100

# A picture that somebody reads is passed over with all messages that have it.
_DUE = """
    SELECT a.checksum, a.file_path FROM extraction_jobs j JOIN attachments a ON a.id = j.attachment_id
    WHERE j.state = 'queued' AND j.next_try_at <= clock_timestamp() AND a.state = 'stored'
    AND NOT a.checksum = ANY(%s) AND NOT EXISTS (
        SELECT FROM attachments b JOIN extraction_jobs o ON o.attachment_id = b.id
        WHERE b.checksum = a.checksum AND o.state = 'running')
    ORDER BY j.next_try_at, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED
"""
#: One lock a picture and schema: of two workers that see its jobs at once, one goes on to another picture.
_CLAIM = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 'extraction_jobs'::regclass::oid::bigint))"
_LEASE = """
    UPDATE extraction_jobs SET state = 'running', attempts = attempts + 1, lease_id = %(lease)s,
        leased_by = %(worker)s, leased_until = clock_timestamp() + %(lasts)s, updated_at = now()
    WHERE id IN (
        SELECT j.id FROM extraction_jobs j JOIN attachments a ON a.id = j.attachment_id
        WHERE a.checksum = %(checksum)s AND a.state = 'stored' AND j.state = 'queued'
        FOR UPDATE OF j SKIP LOCKED)
    AND NOT EXISTS (
        SELECT FROM attachments b JOIN extraction_jobs o ON o.attachment_id = b.id
        WHERE b.checksum = %(checksum)s AND o.state = 'running')
    RETURNING attempts
"""
# A worker that reads shows itself by a lease that has not ended, or by what it settled last.
_TIMES = """
    SELECT oldest_queued_at, last_dead_at,
        CASE WHEN next_try_at <= clock_timestamp()
            THEN clock_timestamp() - greatest(next_try_at, busy_until) END
    FROM (
        SELECT min(created_at) FILTER (WHERE state = 'queued') AS oldest_queued_at,
            max(settled_at) FILTER (WHERE state = 'dead' AND last_error <> ALL(%(refusals)s)) AS last_dead_at,
            min(next_try_at) FILTER (WHERE state = 'queued') AS next_try_at,
            greatest(max(settled_at), max(leased_until)) AS busy_until
        FROM extraction_jobs) j
"""
_LOST = """
    SELECT lease_id, max(attempts) FROM (
        SELECT lease_id, attempts FROM extraction_jobs
        WHERE state = 'running' AND leased_until < clock_timestamp()
        ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED) lost
    GROUP BY lease_id
"""
_READ_BEFORE = """
    SELECT e.text, e.blocks, e.duration FROM extractions e JOIN attachments a ON a.id = e.attachment_id
    WHERE a.checksum = %(checksum)s AND e.kind = %(kind)s AND e.engine = %(engine)s
    AND e.version = %(version)s AND e.parameters = %(parameters)s LIMIT 1
"""
_SETTLE = """
    UPDATE extraction_jobs SET state = 'done', lease_id = NULL, leased_by = NULL, leased_until = NULL,
        last_error = NULL, settled_at = now(), updated_at = now()
    WHERE id IN (SELECT id FROM extraction_jobs WHERE lease_id = %s AND state = 'running' FOR UPDATE)
    RETURNING attachment_id
"""
# Sent again while it was read.
_SETTLE_EQUAL = """
    UPDATE extraction_jobs SET state = 'done', last_error = NULL, settled_at = now(), updated_at = now()
    WHERE id IN (
        SELECT j.id FROM extraction_jobs j JOIN attachments a ON a.id = j.attachment_id
        WHERE a.checksum = %s AND a.state = 'stored' AND j.state = 'queued' FOR UPDATE OF j SKIP LOCKED)
    RETURNING attachment_id
"""
_WRITE = """
    INSERT INTO extractions (attachment_id, kind, text, blocks, engine, version, parameters, duration,
        is_shared, is_current, provenance, created_at)
    SELECT a.id, %(kind)s, %(text)s, %(blocks)s, %(engine)s, %(version)s, %(parameters)s, %(duration)s,
        CASE WHEN a.id = %(first)s THEN 0 ELSE 1 END, 1,
        jsonb_build_object('thread_external_id', m.thread_external_id, 'external_id', m.external_id,
            'checksum', a.checksum, 'run_id', j.first_run_id), now()
    FROM attachments a JOIN messages m ON m.id = a.message_id JOIN extraction_jobs j ON j.attachment_id = a.id
    WHERE a.id = ANY(%(ids)s)
    ON CONFLICT (attachment_id, kind, engine, version, parameters) DO UPDATE SET text = excluded.text,
        blocks = excluded.blocks, duration = excluded.duration, is_shared = excluded.is_shared,
        is_current = 1, created_at = excluded.created_at
"""


@dataclass(frozen=True, slots=True)
class _Found:
    """A reading as the table has it."""

    text: str
    blocks: Sequence[object]
    duration: timedelta


class Extractions(Beside):
    """One connection to the jobs and what was read; for one thread."""

    def lease(self, engine: EngineId, worker: str, lasts: timedelta, after_loss: AfterLoss) -> Lease | None:
        """Return a picture to read, this worker's until the lease ends; None: nothing is due.

        What equal bytes have had read by the same engine is taken over, and not handed out. Jobs of workers
        that did not come back are queued again or given up first.

        Args:
            engine: Who will read it.
            worker: Host and process, for people.
            lasts: Until when the worker must have said that it still reads.
            after_loss: Decides about a job whose worker did not come back.
        """
        busy: list[str] = []
        while True:
            with self._transaction() as cursor:
                _take_back_lost(cursor, after_loss)
                due = cursor.execute(_DUE, (busy,)).fetchone()
                if due is None:
                    return None
                checksum, file_path = due
                busy.append(checksum)  # not this one again, whatever becomes of it
                lease = _claim(cursor, checksum, file_path, worker, lasts)
                if lease is not None and not _take_over(cursor, lease, engine):
                    return lease

    def keep(self, lease: Lease, lasts: timedelta) -> bool:
        """Put off the lease's end; False: it ended before, and the picture is somebody else's."""
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE extraction_jobs SET leased_until = clock_timestamp() + %s"
                " WHERE lease_id = %s AND state = 'running'",
                (lasts, lease.id),
            )
            return cursor.rowcount > 0

    def complete(self, lease: Lease, engine: EngineId, reading: Reading, duration: timedelta) -> int:
        """Store what was read for every message with these bytes; return for how many.

        0: the lease ended before, or the messages are gone; nothing is stored then.
        """
        blocks = [
            {"text": each.text, "confidence": round(each.confidence, 4), "box": each.box}
            for each in reading.blocks
        ]
        with self._transaction() as cursor:
            return _write(cursor, lease, engine, _Found(reading.text, blocks, duration))

    def fail(self, lease: Lease, verdict: Verdict) -> None:
        """Queue the picture again, or give it up."""
        with self._transaction() as cursor:
            _judge(cursor, lease.id, verdict)

    def now(self) -> datetime:
        """Return the database's time."""
        with self._transaction() as cursor:
            return _now(cursor)

    def queue_unread(self, engine: EngineId) -> int:
        """Queue what was read, but never by this engine in this version and with these parameters."""
        with self._transaction() as cursor:
            return _queue(
                cursor,
                "state = 'done' AND NOT EXISTS (SELECT FROM extractions e"
                " WHERE e.attachment_id = extraction_jobs.attachment_id AND e.kind = %(kind)s"
                " AND e.engine = %(engine)s AND e.version = %(version)s AND e.parameters = %(parameters)s)",
                _values(engine),
            )

    def queue_dead(self) -> int:
        """Queue what was given up; return how many jobs."""
        with self._transaction() as cursor:
            return _queue(cursor, "state = 'dead'", {})

    def facts(self) -> ExtractionFacts:
        with self._transaction() as cursor:
            return extraction_facts(cursor)


def extraction_facts(cursor: Cursor[TupleRow]) -> ExtractionFacts:
    """Count jobs by state, and those that were given up by their reason."""
    jobs: dict[str, int] = dict(
        cursor.execute("SELECT state, count(*) FROM extraction_jobs GROUP BY state").fetchall()
    )
    dead = cursor.execute(
        "SELECT coalesce(last_error, 'unknown'), count(*) FROM extraction_jobs WHERE state = 'dead'"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    row = cursor.execute(_TIMES, {"refusals": [reason.value for reason in REFUSALS]}).fetchone()
    assert row is not None
    oldest_queued_at, last_dead_at, idle_for = row
    return ExtractionFacts(
        {state: jobs.get(state.value, 0) for state in JobState},
        dict(dead),
        oldest_queued_at,
        last_dead_at,
        idle_for,
    )


def _now(cursor: Cursor[TupleRow]) -> datetime:
    row = cursor.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def _take_back_lost(cursor: Cursor[TupleRow], after_loss: AfterLoss) -> None:
    lost = cursor.execute(_LOST, (_LOST_AT_ONCE,)).fetchall()
    for lease_id, attempts in lost:
        _judge(cursor, lease_id, after_loss(attempts, _now(cursor)))


def _judge(cursor: Cursor[TupleRow], lease_id: UUID, verdict: Verdict) -> None:
    is_dead = verdict.state is JobState.DEAD
    cursor.execute(
        "UPDATE extraction_jobs SET state = %s, next_try_at = %s, last_error = %s, settled_at = %s,"
        " lease_id = NULL, leased_by = NULL, leased_until = NULL, updated_at = now()"
        " WHERE lease_id = %s AND state = 'running'",
        (
            verdict.state.value,
            verdict.next_try_at,
            verdict.reason,
            verdict.next_try_at if is_dead else None,
            lease_id,
        ),
    )


def _claim(
    cursor: Cursor[TupleRow], checksum: str, file_path: str, worker: str, lasts: timedelta
) -> Lease | None:
    claimed = cursor.execute(_CLAIM, (checksum,)).fetchone()
    if claimed is None or not claimed[0]:
        return None
    lease_id = uuid4()
    attempts = cursor.execute(
        _LEASE, {"lease": lease_id, "worker": worker, "lasts": lasts, "checksum": checksum}
    ).fetchall()
    if not attempts:
        return None
    return Lease(lease_id, checksum, file_path, max(count for (count,) in attempts))


def _take_over(cursor: Cursor[TupleRow], lease: Lease, engine: EngineId) -> bool:
    """Give the lease's messages what was read of equal bytes before; False: nothing was."""
    before = cursor.execute(_READ_BEFORE, {**_values(engine), "checksum": lease.checksum}).fetchone()
    if before is None:
        return False
    _write(cursor, lease, engine, _Found(*before), is_taken_over=True)
    return True


def _write(
    cursor: Cursor[TupleRow], lease: Lease, engine: EngineId, found: _Found, *, is_taken_over: bool = False
) -> int:
    # In the order in which a message that is erased takes its attachments and jobs with it.
    cursor.execute("SELECT FROM attachments WHERE checksum = %s ORDER BY id FOR KEY SHARE", (lease.checksum,))
    leased = [row[0] for row in cursor.execute(_SETTLE, (lease.id,)).fetchall()]
    if not leased:
        return 0
    equal = [row[0] for row in cursor.execute(_SETTLE_EQUAL, (lease.checksum,)).fetchall()]
    ids = [*leased, *equal]
    cursor.execute(
        "UPDATE extractions SET is_current = 0"
        " WHERE attachment_id = ANY(%s) AND kind = %s AND is_current = 1",
        (ids, TEXT),
    )
    cursor.execute(
        _WRITE,
        {
            **_values(engine),
            "ids": ids,
            "first": None if is_taken_over else min(leased),
            "text": found.text,
            "blocks": Jsonb(found.blocks),
            "duration": found.duration,
        },
    )
    return len(ids)


def _queue(cursor: Cursor[TupleRow], condition: str, values: dict[str, object]) -> int:
    cursor.execute(
        "UPDATE extraction_jobs SET state = 'queued', attempts = 0, next_try_at = now(), last_error = NULL,"  # noqa: S608
        f" settled_at = NULL, updated_at = now() WHERE {condition}".encode(),
        values,
    )
    return cursor.rowcount


def _values(engine: EngineId) -> dict[str, object]:
    return {
        "kind": TEXT,
        "engine": engine.name,
        "version": engine.version,
        "parameters": Jsonb(dict(engine.parameters)),
    }
