"""What is known about one cycle, and about the chats that it changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import ApplyResult, StageCounts
from whatsapp_etl.records import ChatChange, RunDetails, RunRecord

_STAGES = ("seen", "id_found", "matched", "body_found", "written")
_APPLIED = ("inserted", "updated", "unchanged", "attachments_saved", "jobs_enqueued", "rejects")
#: Columns that are fields of the record under the same name.
_FACTS = (
    "kind",
    "status",
    "started_at",
    "finished_at",
    "lookback_begin",
    "read_by",
    "session_state",
    "wa_version",
    "pack_id",
    "chats_listed",
    "chats_opened",
    "expected",
    "missing",
    "newest_listed_at",
    "chats_skipped",
    "is_rewound",
    "receipts_observed",
    "disagreements",
    "disagreed",
    "rows_compared",
    "rows_by_store",
    "store_unavailable",
    "store_detail",
    "listed_by",
    "rows_looked_at",
    "stop_reasons",
    "selector_hits",
    "stage_seconds",
    "error",
)
_COLUMNS = ("id", "lost_facts", "metadata_unreadable", *_STAGES, *_APPLIED, *_FACTS)
_RUNS = f"SELECT {', '.join(_COLUMNS)} FROM sync_runs"  # noqa: S608  # constants of this file
# The current coverage of a chat names the run that found it; the history also earlier ones.
_CHATS = """
    WITH written AS (
        SELECT thread_external_id, count(*) FILTER (WHERE first_run_id = %(run)s) AS inserted,
               count(*) FILTER (WHERE first_run_id <> %(run)s) AS changed
        FROM messages WHERE first_run_id = %(run)s OR last_run_id = %(run)s GROUP BY 1
    ), found AS (
        SELECT thread_external_id, expected, stored, missing, stop_reason
        FROM sync_coverage WHERE run_id = %(run)s
        UNION ALL
        (SELECT DISTINCT ON (h.thread_external_id)
                h.thread_external_id, h.expected, h.stored, h.missing, h.stop_reason
         FROM sync_coverage_history h WHERE h.run_id = %(run)s
         AND NOT EXISTS (SELECT FROM sync_coverage c
                         WHERE c.thread_external_id = h.thread_external_id AND c.run_id = %(run)s)
         ORDER BY h.thread_external_id, h.id DESC)
    )
    SELECT thread_external_id, coalesce(w.inserted, 0), coalesce(w.changed, 0), f.stop_reason IS NOT NULL,
           f.expected, f.stored, coalesce(f.missing, '{}'), f.stop_reason
    FROM written w FULL JOIN found f USING (thread_external_id)
    ORDER BY thread_external_id
"""


def last_runs(cursor: Cursor[TupleRow], count: int) -> tuple[RunRecord, ...]:
    """Return the last cycles, newest first, one that still runs among them."""
    rows = cursor.execute(f"{_RUNS} ORDER BY id DESC LIMIT %s", (count,)).fetchall()
    return tuple(map(_record, rows))


def last_cycle(cursor: Cursor[TupleRow]) -> RunRecord | None:
    """Return the newest cycle that has ended, back-fill left aside."""
    row = cursor.execute(
        f"{_RUNS} WHERE finished_at IS NOT NULL AND kind = 'sync' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return _record(row) if row else None


def runs_by_id(cursor: Cursor[TupleRow], run_ids: Collection[int]) -> Mapping[int, RunRecord]:
    """Return given cycles, as far as they are still kept."""
    rows = cursor.execute(f"{_RUNS} WHERE id = ANY(%s)", (list(run_ids),)).fetchall()
    return {row[0]: _record(row) for row in rows}


def kept_runs(cursor: Cursor[TupleRow]) -> tuple[int, int] | None:
    """Return the numbers of the first and last cycle that are kept; None without any."""
    row = cursor.execute("SELECT min(id), max(id) FROM sync_runs").fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


def run_details(cursor: Cursor[TupleRow], run_id: int) -> RunDetails | None:
    """Return a cycle with the rows that carry its number; None when it is not there."""
    run = runs_by_id(cursor, [run_id]).get(run_id)
    if run is None:
        return None
    chats = cursor.execute(_CHATS, {"run": run_id}).fetchall()
    aliases = cursor.execute(
        "SELECT count(*) FROM message_aliases WHERE first_run_id = %s", (run_id,)
    ).fetchone()
    assert aliases is not None
    return RunDetails(
        run=run,
        chats=tuple(ChatChange(*row) for row in chats),
        looked_for=_by_reason(cursor, "SELECT reason FROM missing_messages WHERE run_id = %s", run_id),
        rejected=_by_reason(cursor, "SELECT reason FROM rejects WHERE last_run_id = %s", run_id),
        aliases=aliases[0],
    )


def _by_reason(cursor: Cursor[TupleRow], query: str, run_id: int) -> Mapping[str, int]:
    counts = cursor.execute(
        f"SELECT reason, count(*) FROM ({query}) r GROUP BY reason ORDER BY reason",  # noqa: S608  # constants
        (run_id,),
    )
    return dict(counts.fetchall())


def _record(row: TupleRow) -> RunRecord:
    facts = dict(zip(_COLUMNS, row, strict=True))
    return RunRecord(
        run_id=facts["id"],
        stages=StageCounts(**{name: facts[name] for name in _STAGES}),
        applied=ApplyResult(**{name: facts[name] for name in _APPLIED}),
        lost_facts=tuple(facts["lost_facts"]),
        metadata_unreadable=tuple(facts["metadata_unreadable"]),
        **{name: facts[name] for name in _FACTS},
    )
