"""How far back-fill came in each chat."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import BackfillProgress, MissingReason, StopReason

#: Fields of `BackfillProgress` under the columns' names: what makes a row differ.
_FACTS = (
    "since",
    "expected",
    "stored",
    "missing",
    "stop_reason",
    "is_finished",
    "slices",
    "unread_digest",
    "history_type",
    "phone_asked_at",
)
_TYPES = {
    "since": "timestamptz",
    "expected": "bigint",
    "stored": "bigint",
    "missing": "jsonb",
    "stop_reason": "text",
    "is_finished": "smallint",
    "slices": "int",
    "unread_digest": "text",
    "history_type": "int",
    "phone_asked_at": "timestamptz",
}
_LISTED = ", ".join(_FACTS)
# Put together from the constants of this file only.
_WRITE = (
    f"INSERT INTO backfill_progress AS p (thread_external_id, {_LISTED}, observed_at, run_id)"  # noqa: S608
    f" SELECT thread_external_id, {_LISTED}, observed_at, %(run_id)s"
    " FROM unnest(%(thread_external_id)s::text[], "
    + ", ".join(f"%({name})s::{kind}[]" for name, kind in _TYPES.items())
    + f", %(observed_at)s::timestamptz[]) AS u (thread_external_id, {_LISTED}, observed_at)"
    " ON CONFLICT (thread_external_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_FACTS, "observed_at", "run_id"))
    + f" WHERE ({', '.join('p.' + name for name in _FACTS)})"
    f" IS DISTINCT FROM ({', '.join('excluded.' + name for name in _FACTS)})"
)


def write_progress(cursor: Cursor[TupleRow], all_: Sequence[BackfillProgress], run_id: int) -> int:
    """Write how far back-fill came, where that differs; return how many rows did."""
    if not all_:
        return 0
    values: dict[str, object] = {name: [getattr(each, name) for each in all_] for name in _FACTS}
    values["missing"] = [
        json.dumps({reason.value: count for reason, count in each.missing.items() if count}) for each in all_
    ]
    values["stop_reason"] = [each.stop_reason.value for each in all_]
    values["is_finished"] = [int(each.is_finished) for each in all_]
    values["thread_external_id"] = [each.thread_external_id for each in all_]
    values["observed_at"] = [each.observed_at for each in all_]
    cursor.execute(_WRITE.encode(), {**values, "run_id": run_id})
    return cursor.rowcount


def progress_by_chat(cursor: Cursor[TupleRow]) -> Mapping[str, BackfillProgress]:
    rows = cursor.execute(
        f"SELECT thread_external_id, {_LISTED}, observed_at FROM backfill_progress".encode()  # noqa: S608
    ).fetchall()
    found = [dict(zip(("thread_external_id", *_FACTS, "observed_at"), row, strict=True)) for row in rows]
    return {
        facts["thread_external_id"]: BackfillProgress(
            **{
                **facts,
                "missing": {MissingReason(reason): count for reason, count in facts["missing"].items()},
                "stop_reason": StopReason(facts["stop_reason"]),
                "is_finished": bool(facts["is_finished"]),
            }
        )
        for facts in found
    }


def oldest_stored(cursor: Cursor[TupleRow], chat_ids: Collection[str]) -> Mapping[str, datetime]:
    """Return when the oldest stored message of each chat was sent; chats without one lack."""
    found = cursor.execute(
        "SELECT c.id, (SELECT min(ts) FROM messages m WHERE m.thread_external_id = c.id)"
        " FROM unnest(%s::text[]) AS c (id)",
        (list(chat_ids),),
    )
    return {chat_id: oldest for chat_id, oldest in found.fetchall() if oldest is not None}
