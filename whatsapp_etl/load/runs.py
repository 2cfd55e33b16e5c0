"""Cycles in `sync_runs`."""

from __future__ import annotations

import json
import os
import socket
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import RunKind, RunReport, RunStatus, RunSummary


def begin_run(
    cursor: Cursor[TupleRow],
    started_at: datetime,
    lookback_begin: datetime | None = None,
    kind: RunKind = "sync",
) -> int:
    """Open a run and return its id; runs that a killed process left open become 'interrupted'.

    Only the holder of the writer's lock calls this, so no open run is alive.
    """
    cursor.execute(
        "UPDATE sync_runs SET status = 'interrupted', finished_at = greatest(started_at, %s),"
        " error = coalesce(error, 'The program ended before the cycle did.') WHERE status = 'running'",
        (started_at,),
    )
    row = cursor.execute(
        "INSERT INTO sync_runs (status, account_id, started_at, lookback_begin, pid, host, kind)"
        " VALUES ('running', (SELECT account_id FROM sync_state WHERE is_active = 1), %s, %s, %s, %s, %s)"
        " RETURNING id",
        (started_at, lookback_begin, os.getpid(), socket.gethostname(), kind),
    ).fetchone()
    assert row is not None
    return int(row[0])


def finish_run(cursor: Cursor[TupleRow], report: RunReport) -> None:
    """Close a run with its report, and move the account's state forward after a cycle's success.

    Back-fill says nothing of how fresh the data is.
    """
    columns = _columns(report)
    assignments = ", ".join(f"{name} = %({name})s" for name in columns)
    row = cursor.execute(
        f"UPDATE sync_runs SET {assignments},"  # noqa: S608  # names from `_columns`
        " account_id = coalesce(account_id, (SELECT account_id FROM sync_state WHERE is_active = 1))"
        " WHERE id = %(id)s RETURNING kind",
        {**columns, "id": report.run_id},
    ).fetchone()
    if row is not None and row[0] != "sync":
        return
    cursor.execute(
        "UPDATE sync_state SET complete_until = (SELECT max(complete_until) FROM sync_coverage)"
        " WHERE is_active = 1"
        " AND complete_until IS DISTINCT FROM (SELECT max(complete_until) FROM sync_coverage)"
    )
    if report.status is RunStatus.SUCCESS:
        cursor.execute(
            # Earlier than the one before only where the clock was set back; then that one was wrong.
            "UPDATE sync_state SET last_success_at = %s"
            " WHERE is_active = 1 AND last_success_at IS DISTINCT FROM %s",
            (report.finished_at, report.finished_at),
        )


def _columns(report: RunReport) -> dict[str, object]:
    hits: dict[str, dict[str, int]] = {}
    for (selector, candidate), count in report.selector_hits.items():
        hits.setdefault(selector, {})[candidate] = count
    return {
        "status": report.status.value,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "session_state": report.session_state.value,
        "wa_version": report.wa_version,
        "pack_id": report.pack_id,
        "chats_listed": report.chats_listed,
        "chats_opened": report.chats_opened,
        "seen": report.stages.seen,
        "id_found": report.stages.id_found,
        "matched": report.stages.matched,
        "body_found": report.stages.body_found,
        "written": report.stages.written,
        "inserted": report.applied.inserted,
        "updated": report.applied.updated,
        "unchanged": report.applied.unchanged,
        "attachments_saved": report.applied.attachments_saved,
        "jobs_enqueued": report.applied.jobs_enqueued,
        "rejects": report.rejects,
        "expected": report.expected,
        "missing": report.missing,
        "newest_listed_at": report.newest_listed_at,
        "is_rewound": int(report.is_rewound),
        "chats_skipped": json.dumps({rule.value: n for rule, n in report.chats_skipped.items()}),
        "receipts_observed": report.receipts_observed,
        "read_by": report.read_by,
        "disagreements": report.disagreements,
        "disagreed": json.dumps({fact.value: n for fact, n in report.disagreed.items()}),
        "rows_compared": report.rows_compared,
        "rows_by_store": report.rows_by_store,
        "store_unavailable": report.store_unavailable and report.store_unavailable.value,
        "store_detail": report.store_detail,
        "listed_by": report.listed_by and report.listed_by.value,
        "rows_looked_at": report.rows_looked_at,
        "lost_facts": list(report.lost_facts),
        "metadata_unreadable": list(report.metadata_unreadable),
        "stop_reasons": json.dumps({reason.value: n for reason, n in report.stop_reasons.items()}),
        "selector_hits": json.dumps(hits),
        "stage_seconds": json.dumps(dict(report.stage_seconds)),
        "seconds": report.seconds,
        "error": report.error,
    }


def recent_runs(cursor: Cursor[TupleRow], count: int) -> tuple[RunSummary, ...]:
    """Return the last finished cycles, newest first."""
    rows = cursor.execute(
        "SELECT id, status, started_at, finished_at, chats_opened, inserted + updated, missing, rejects,"
        " error FROM sync_runs WHERE finished_at IS NOT NULL AND kind = 'sync' ORDER BY id DESC LIMIT %s",
        (count,),
    ).fetchall()
    return tuple(RunSummary(row[0], RunStatus(row[1]), *row[2:]) for row in rows)
