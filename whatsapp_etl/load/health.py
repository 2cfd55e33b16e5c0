"""What the database tells about the sync: facts for health, the status page and the demo's table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.downloads import total_by_state
from whatsapp_etl.load.downloads import download_counts, last_given_up_at, uncopied_since
from whatsapp_etl.load.extractions import extraction_facts
from whatsapp_etl.model import (
    AgentState,
    CoverageSummary,
    DayCount,
    MissingReason,
    SessionState,
    StopReason,
    StoreFacts,
)

#: Tables worth showing, in the order in which a reader wants them.
_COUNTED = (
    "messages",
    "threads",
    "contacts",
    "attachments",
    "reactions",
    "message_versions",
    "extraction_jobs",
    "missing_messages",
    "rejects",
    "disagreements",
    "sync_runs",
)


_DAY = timedelta(days=1)


def store_facts(cursor: Cursor[TupleRow], now: datetime) -> StoreFacts:
    """Return the totals that health is assessed by."""
    row = cursor.execute(
        "SELECT s.last_success_at, s.last_seen_at, (SELECT count(*) FROM messages),"
        " (SELECT count(*) FROM threads), (SELECT count(*) FROM attachments WHERE state = 'stored'),"
        " (SELECT newest_listed_at FROM sync_runs WHERE newest_listed_at IS NOT NULL AND kind = 'sync'"
        "  ORDER BY id DESC LIMIT 1),"
        " (SELECT count(*) FROM disagreements WHERE last_seen_at > %(day_ago)s),"
        " (SELECT coalesce(sum(rows_compared), 0)::bigint FROM sync_runs WHERE started_at > %(day_ago)s),"
        " (SELECT state FROM agent_routing)"
        " FROM (SELECT 1) one LEFT JOIN sync_state s ON s.is_active = 1",
        {"day_ago": now - _DAY},
    ).fetchone()
    assert row is not None
    last_success_at, last_seen, messages, threads, stored, listed, disagreements, compared, agent = row
    return StoreFacts(
        last_success_at,
        last_seen,
        messages,
        threads,
        stored,
        now,
        newest_listed_at=listed,
        disagreements=disagreements,
        rows_compared=compared,
        attachments=total_by_state(download_counts(cursor)),
        last_given_up_at=last_given_up_at(cursor),
        uncopied_since=uncopied_since(cursor),
        extraction=extraction_facts(cursor),
        agent=AgentState(agent) if agent else None,
    )


def coverage_summary(cursor: Cursor[TupleRow], now: datetime, grace: timedelta) -> CoverageSummary:
    """Return coverage over all chats, naming none; gaps younger than `grace` are recent."""
    row = cursor.execute(
        "SELECT count(*), count(*) FILTER (WHERE missing = '{}'"
        "   AND stop_reason = ANY(%s)), sum(expected)::bigint, coalesce(sum(stored), 0)::bigint,"
        " max(complete_until) FROM sync_coverage",
        ([reason.value for reason in _COMPLETE],),
    ).fetchone()
    assert row is not None
    missing = cursor.execute(
        "SELECT key, sum(value::bigint)::bigint FROM sync_coverage, jsonb_each_text(missing) GROUP BY key"
    ).fetchall()
    recent = cursor.execute(
        "SELECT reason, count(*) FROM missing_messages WHERE first_missed_at > %s GROUP BY reason",
        (now - grace,),
    ).fetchall()
    stops = cursor.execute("SELECT stop_reason, count(*) FROM sync_coverage GROUP BY stop_reason").fetchall()
    return CoverageSummary(
        chats=row[0],
        chats_complete=row[1],
        expected=row[2],
        stored=row[3],
        missing={MissingReason(reason): count for reason, count in missing},
        stop_reasons={StopReason(reason): count for reason, count in stops},
        complete_until=row[4],
        recent={MissingReason(reason): count for reason, count in recent},
    )


#: Stop reasons after which nothing was left out.
_COMPLETE = (
    StopReason.ALL_FOUND,
    StopReason.EDGE_REACHED,
    StopReason.BEGINNING_REACHED,
    StopReason.CHECKPOINT_REACHED,
    StopReason.NOTHING_TO_READ,
)


def rejects_of_last_run(cursor: Cursor[TupleRow]) -> int:
    row = cursor.execute(
        "SELECT count(*) FROM rejects WHERE last_run_id = (SELECT max(id) FROM sync_runs WHERE kind = 'sync')"
    ).fetchone()
    assert row is not None
    return int(row[0])


def session_state(cursor: Cursor[TupleRow]) -> tuple[SessionState, datetime] | None:
    """Return the session's state as last recorded, and since when."""
    row = cursor.execute("SELECT state, occurred_at FROM session_events ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else (SessionState(row[0]), row[1])


def messages_per_day(
    cursor: Cursor[TupleRow], days: int, zone: ZoneInfo, now: datetime
) -> tuple[DayCount, ...]:
    """Count messages by the day on which they were sent, oldest first; days without any count 0.

    Args:
        cursor: Any cursor.
        days: How many, the last one being today.
        zone: Zone in which days begin.
        now: What today is.
    """
    rows = cursor.execute(
        "SELECT d::date, count(m.id) FROM generate_series(%(today)s::date - %(days)s + 1, %(today)s::date,"
        "   interval '1 day') d"
        " LEFT JOIN messages m ON m.ts >= d::date::timestamp AT TIME ZONE %(zone)s"
        "   AND m.ts < (d::date + 1)::timestamp AT TIME ZONE %(zone)s"
        " GROUP BY d ORDER BY d",
        {"today": now.astimezone(zone).date(), "days": days, "zone": zone.key},
    ).fetchall()
    return tuple(DayCount(day, count) for day, count in rows)


def table_counts(cursor: Cursor[TupleRow]) -> Mapping[str, int]:
    """Return the number of rows by table."""
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in _COUNTED)  # noqa: S608  # constants
    row = cursor.execute(f"SELECT {counts}").fetchone()
    assert row is not None
    return dict(zip(_COUNTED, row, strict=True))
