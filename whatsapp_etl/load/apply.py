"""Load plans of chats, applied in the transaction of the caller: one statement of a kind for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load import feed_cursors
from whatsapp_etl.load.agent_messages import route_new
from whatsapp_etl.load.backfill import write_progress
from whatsapp_etl.load.downloads import write_downloads
from whatsapp_etl.load.privacy import note_unused
from whatsapp_etl.load.staging import MessageChanges, write_messages
from whatsapp_etl.load.threads import unify_threads, upsert_threads
from whatsapp_etl.model import (
    ApplyResult,
    Coverage,
    Disagreement,
    LoadPlan,
    Message,
    MessageVersion,
    Reject,
)
from whatsapp_etl.steps import Announce, Step, no_announcement

#: Of one visit. A page that shows every time wrongly says so once for each message; the counts are whole.
_MOST_DISAGREEMENTS = 50

_WRITE_COVERAGE = """
    WITH facts AS MATERIALIZED (
        SELECT u.*, c.thread_external_id IS NULL
            OR (c.missing, c.stop_reason, c.history_type)
            IS DISTINCT FROM (u.missing, u.stop_reason, u.history_type) AS is_news
        FROM unnest(%(chats)s::text[], %(expected)s::bigint[], %(stored)s::bigint[], %(missing)s::jsonb[],
                    %(stop_reasons)s::text[], %(complete_until)s::timestamptz[], %(history_types)s::int[],
                    %(first_ids)s::text[], %(last_ids)s::text[], %(observed_at)s::timestamptz[])
            AS u (thread_external_id, expected, stored, missing, stop_reason, complete_until, history_type,
                  first_external_id, last_external_id, observed_at)
        LEFT JOIN sync_coverage c USING (thread_external_id)
        WHERE c.thread_external_id IS NULL
            OR (c.expected, c.stored, c.missing, c.stop_reason, c.complete_until, c.history_type,
                c.first_external_id, c.last_external_id)
            IS DISTINCT FROM
               (u.expected, u.stored, u.missing, u.stop_reason, u.complete_until, u.history_type,
                u.first_external_id, u.last_external_id)
    ), history AS (
        INSERT INTO sync_coverage_history (thread_external_id, expected, stored, missing, stop_reason,
            history_type, first_external_id, last_external_id, observed_at, run_id)
        SELECT thread_external_id, expected, stored, missing, stop_reason, history_type, first_external_id,
               last_external_id, observed_at, %(run)s
        FROM facts WHERE is_news
    )
    INSERT INTO sync_coverage (thread_external_id, expected, stored, missing, stop_reason, complete_until,
        history_type, first_external_id, last_external_id, observed_at, run_id)
    SELECT thread_external_id, expected, stored, missing, stop_reason, complete_until, history_type,
           first_external_id, last_external_id, observed_at, %(run)s
    FROM facts
    ON CONFLICT (thread_external_id) DO UPDATE SET expected = excluded.expected, stored = excluded.stored,
        missing = excluded.missing, stop_reason = excluded.stop_reason,
        complete_until = excluded.complete_until, history_type = excluded.history_type,
        first_external_id = excluded.first_external_id, last_external_id = excluded.last_external_id,
        observed_at = excluded.observed_at, run_id = excluded.run_id
"""


def apply_plans(
    cursor: Cursor[TupleRow],
    plans: Sequence[LoadPlan],
    run_id: int,
    announce: Announce = no_announcement,
    agent_targets: Sequence[str] = (),
) -> ApplyResult:
    """Write the plans' rows with their checkpoints and coverage; rows that are equal stay untouched.

    What is the agent's is flagged and handed over in the same transaction.

    Must run in a transaction with staging tables: all of it is stored, or nothing.
    """
    observed_at = max(plan.coverage.observed_at for plan in plans)
    messages = [message for plan in plans for message in plan.messages]
    _write_threads(cursor, plans, run_id, observed_at)
    changes = write_messages(cursor, messages, run_id, observed_at)
    if changes.after_seq is not None:
        route_new(cursor, changes.after_seq, agent_targets, observed_at)
    announce(Step.MESSAGES_WRITTEN)
    _write_versions(cursor, [each for plan in plans for each in plan.versions], changes, run_id)
    _write_missing(cursor, plans, run_id, has_staged=bool(messages))
    write_downloads(cursor, [each for plan in plans for each in plan.downloads], run_id, observed_at)
    rejects = _write_rejects(cursor, [each for plan in plans for each in plan.rejects], run_id)
    for plan in plans:
        write_disagreements(cursor, plan.disagreements, run_id)
    _move_checkpoints(cursor, plans, run_id)
    write_coverage(cursor, [plan.coverage for plan in plans if plan.backfill is None], run_id)
    write_progress(cursor, [plan.backfill for plan in plans if plan.backfill is not None], run_id)
    for plan in plans:
        if plan.cursors is not None:
            feed_cursors.move(cursor, plan.cursors)
    _raise_last_seen(cursor, messages)
    note_unused(cursor, [path for plan in plans for path in plan.unused_files], observed_at)
    return ApplyResult(
        inserted=changes.inserted,
        updated=changes.updated,
        unchanged=changes.unchanged + sum(plan.unchanged for plan in plans),
        attachments_saved=changes.attachments_saved,
        jobs_enqueued=changes.jobs_enqueued,
        rejects=rejects,
    )


def _write_threads(
    cursor: Cursor[TupleRow], plans: Sequence[LoadPlan], run_id: int, observed_at: datetime
) -> None:
    """Write the chats, and once more under each former id that their messages have."""
    threads = [plan.thread for plan in plans]
    is_former = False
    for plan in plans:
        former = {message.thread_external_id for message in plan.messages} - {plan.thread.external_id}
        threads += [replace(plan.thread, external_id=some_id) for some_id in sorted(former)]
        is_former |= bool(former)
    if upsert_threads(cursor, threads, run_id, observed_at) and is_former:
        unify_threads(cursor)


def _write_versions(
    cursor: Cursor[TupleRow], versions: Sequence[MessageVersion], changes: MessageChanges, run_id: int
) -> None:
    """Keep earlier states of the messages that this plan changed.

    A version whose message stayed as it was describes a change that was not made.
    """
    for version in versions:
        message_id = changes.updated_ids.get(version.external_id)
        if message_id is not None:
            cursor.execute(
                "INSERT INTO message_versions"
                " (message_id, message_type, content_snippet, replaced_seen_at, run_id)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    message_id,
                    version.message_type.value,
                    _without_nul(version.content_snippet),
                    version.replaced_seen_at,
                    run_id,
                ),
            )


def _write_missing(
    cursor: Cursor[TupleRow], plans: Sequence[LoadPlan], run_id: int, *, has_staged: bool
) -> None:
    missing = [(plan, entry) for plan in plans for entry in plan.missing]
    keys = [entry.external_id for _, entry in missing]
    if has_staged:
        cursor.execute(
            "DELETE FROM missing_messages x USING stage_keys k"
            " WHERE x.external_id = k.external_id AND NOT x.external_id = ANY(%s)",
            (keys,),
        )
    if not missing:
        return
    cursor.execute(
        "INSERT INTO missing_messages AS x"
        " (external_id, thread_external_id, reason, attempts, first_missed_at, next_try_at, expires_at,"
        "   run_id)"
        " SELECT u.external_id, u.chat_id, u.reason, u.attempts, u.seen_at, u.next_try_at, u.expires_at, %s"
        " FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[],"
        "   %s::timestamptz[])"
        "   AS u (external_id, chat_id, reason, attempts, seen_at, next_try_at, expires_at)"
        " ON CONFLICT (external_id) DO UPDATE SET reason = excluded.reason, attempts = excluded.attempts,"
        "   next_try_at = excluded.next_try_at, expires_at = excluded.expires_at, run_id = excluded.run_id"
        " WHERE (x.reason, x.attempts, x.next_try_at, x.expires_at) IS DISTINCT FROM"
        "   (excluded.reason, excluded.attempts, excluded.next_try_at, excluded.expires_at)",
        (
            run_id,
            keys,
            [plan.thread.external_id for plan, _ in missing],
            [entry.reason.value for _, entry in missing],
            [entry.attempts for _, entry in missing],
            [plan.coverage.observed_at for plan, _ in missing],
            [entry.next_try_at for _, entry in missing],
            [entry.expires_at for _, entry in missing],
        ),
    )


def _write_rejects(cursor: Cursor[TupleRow], rejects: Iterable[Reject], run_id: int) -> int:
    """Store rejects, one row for each row of the page; return how many this run had not counted yet."""
    counted = 0
    for reject in rejects:
        cursor.execute(
            "INSERT INTO rejects AS r (thread_external_id, shown_id_hash, reason, pack_id, evidence,"
            " first_seen_at, last_seen_at, first_run_id, last_run_id)"
            " VALUES (%(thread)s, %(hash)s, %(reason)s, %(pack)s, %(evidence)s, %(at)s, %(at)s,"
            " %(run)s, %(run)s)"
            " ON CONFLICT (shown_id_hash, reason, pack_id, coalesce(thread_external_id, ''))"
            " DO UPDATE SET evidence = excluded.evidence, last_seen_at = excluded.last_seen_at,"
            " last_run_id = excluded.last_run_id, times_seen = r.times_seen + 1"
            " WHERE r.last_run_id <> excluded.last_run_id",
            {
                "thread": reject.thread_external_id,
                "hash": reject.shown_id_hash,
                "reason": reject.reason.value,
                "pack": reject.pack_id,
                "evidence": _without_nul(reject.evidence),
                "at": reject.observed_at,
                "run": run_id,
            },
        )
        counted += cursor.rowcount
    return counted


def write_disagreements(cursor: Cursor[TupleRow], disagreements: Sequence[Disagreement], run_id: int) -> None:
    """Store disagreements, one row for each message and fact; those of a run that has many, in part."""
    for each in disagreements[:_MOST_DISAGREEMENTS]:
        cursor.execute(
            "INSERT INTO disagreements AS d (thread_external_id, external_id, shown_id_hash, fact, known,"
            " shown, first_seen_at, last_seen_at, first_run_id, last_run_id)"
            " VALUES (%(thread)s, %(key)s, %(hash)s, %(fact)s, %(known)s, %(shown)s, %(at)s, %(at)s,"
            " %(run)s, %(run)s)"
            " ON CONFLICT (thread_external_id, fact, coalesce(external_id, ''), coalesce(shown_id_hash, ''))"
            " DO UPDATE SET known = excluded.known, shown = excluded.shown,"
            " last_seen_at = excluded.last_seen_at, last_run_id = excluded.last_run_id,"
            " times_seen = d.times_seen + 1 WHERE d.last_run_id <> excluded.last_run_id",
            {
                "thread": each.thread_external_id,
                "key": each.external_id,
                "hash": each.shown_id_hash,
                "fact": each.fact.value,
                "known": each.known,
                "shown": each.shown,
                "at": each.observed_at,
                "run": run_id,
            },
        )


def _move_checkpoints(cursor: Cursor[TupleRow], plans: Sequence[LoadPlan], run_id: int) -> None:
    moved = [(plan.thread.external_id, plan.checkpoint) for plan in plans if plan.checkpoint is not None]
    if moved:
        cursor.execute(
            "UPDATE threads t SET checkpoint_message_id = u.message_id, checkpoint_ts = u.sent_at,"
            " last_run_id = %s, updated_at = now()"
            " FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS u (chat_id, message_id, sent_at)"
            " WHERE t.platform = 'whatsapp' AND t.external_id = u.chat_id"
            " AND (t.checkpoint_ts IS NULL OR t.checkpoint_ts < u.sent_at"
            " OR (t.checkpoint_ts = u.sent_at AND t.checkpoint_message_id <> u.message_id))",
            (
                run_id,
                [chat_id for chat_id, _ in moved],
                [checkpoint.message_id for _, checkpoint in moved],
                [checkpoint.sent_at for _, checkpoint in moved],
            ),
        )


def write_coverage(cursor: Cursor[TupleRow], coverages: Sequence[Coverage], run_id: int) -> int:
    """Replace the current coverage of chats whose facts changed; return how many did.

    The history gets a row only when the gaps, the stop reason or the history type changed: ids that leave
    the look-back change the totals of every chat every day, and its completeness not at all.
    """
    if not coverages:
        return 0
    cursor.execute(
        _WRITE_COVERAGE,
        {
            "chats": [each.thread_external_id for each in coverages],
            "expected": [each.expected for each in coverages],
            "stored": [each.stored for each in coverages],
            "missing": [_counts(each) for each in coverages],
            "stop_reasons": [each.stop_reason.value for each in coverages],
            "complete_until": [each.complete_until for each in coverages],
            "history_types": [each.history_type for each in coverages],
            "first_ids": [each.first_external_id for each in coverages],
            "last_ids": [each.last_external_id for each in coverages],
            "observed_at": [each.observed_at for each in coverages],
            "run": run_id,
        },
    )
    return cursor.rowcount


def _counts(coverage: Coverage) -> str:
    return json.dumps({reason.value: count for reason, count in coverage.missing.items() if count})


def _raise_last_seen(cursor: Cursor[TupleRow], messages: Sequence[Message]) -> None:
    # A clamped time is a guess; it moves nothing.
    newest = max((message.ts for message in messages if message.ts_precision != "clamped"), default=None)
    if newest is not None:
        cursor.execute(
            "UPDATE sync_state SET last_seen_at = %s"
            " WHERE is_active = 1 AND (last_seen_at IS NULL OR last_seen_at < %s)",
            (newest, newest),
        )


def _without_nul(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "")
