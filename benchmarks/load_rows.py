"""Loading rows: 50,000 new ones against a bare COPY, and the same again unchanged.

Whole-call rates through `Store.apply` with a `LoadPlan`, including making the COPY text in Python. The
bare COPY sends the same rows, already as text, into an equal table with the same indexes.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from whatsapp_etl.load import migrate
from whatsapp_etl.load.copytext import MESSAGE_COLUMNS, MessageLines, copy_lines
from whatsapp_etl.load.database import Database, open_database
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import (
    Account,
    ChatKind,
    Coverage,
    LoadPlan,
    Message,
    MessageType,
    StopReason,
    Thread,
)

ROWS = 50_000
RECIPIENTS = 20
NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
GROUP = "120363000000000001@g.us"
_WORDS = ("the", "kettle", "is", "on", "and", "the", "train", "leaves", "at", "nine", "bring", "maps", "🌧")


def messages(count: int, chat_id: str = GROUP, seed: int = 7) -> tuple[Message, ...]:
    """Return invented group messages with RECIPIENTS recipients each, oldest first."""
    rng = random.Random(seed)
    members = sorted(f"4915550{n:06d}@c.us" for n in range(RECIPIENTS + 1))
    made = []
    for n in range(count):
        sender = members[n % len(members)]
        stanza = f"3EB0{rng.getrandbits(72):018X}"
        made.append(
            Message(
                external_id=f"false_{chat_id}_{stanza}_{sender}",
                thread_external_id=chat_id,
                sender_id=sender,
                recipient_ids=tuple(member for member in members if member != sender),
                content_snippet=" ".join(rng.choices(_WORDS, k=rng.randint(3, 20))),
                ts=NOW - timedelta(seconds=45 * (count - n)),
                ts_precision="second",
                is_outgoing=False,
                has_attachments=False,
                stanza_id=stanza,
                message_type=MessageType.TEXT,
                subtype=None,
                source_revision="chat|||",
                read_path="dom",
                observed_at=NOW,
            )
        )
    return tuple(made)


def plan(rows: tuple[Message, ...], chat_id: str = GROUP) -> LoadPlan:
    return LoadPlan(
        thread=Thread(chat_id, ChatKind.GROUP, "Hikers", (), is_archived=False, last_activity=NOW),
        messages=rows,
        versions=(),
        rejects=(),
        missing=(),
        checkpoint=None,
        coverage=Coverage(chat_id, len(rows), len(rows), {}, StopReason.ALL_FOUND, NOW, 1, NOW),
        unchanged=0,
    )


def _bare_copy(database: Database, rows: tuple[Message, ...], table: str) -> float:
    """Return the seconds of a COPY of finished text into an equal table."""
    maker = MessageLines()
    lines = [b"%b\t1\t1\t%d" % (maker.line(row), n) for n, row in enumerate(rows)]
    columns = (*MESSAGE_COLUMNS, "first_run_id", "last_run_id", "change_seq")
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {table} (LIKE messages INCLUDING DEFAULTS INCLUDING IDENTITY"
            " INCLUDING INDEXES INCLUDING CONSTRAINTS)"
        )
        cursor.execute("CHECKPOINT")
        started = perf_counter()
        with connection.transaction():
            copy_lines(cursor, table, columns, lines)
        seconds = perf_counter() - started
        cursor.execute(f"DROP TABLE {table}")
    return seconds


def _wal_bytes(database: Database, since: str | None = None) -> tuple[str, int]:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT pg_current_wal_insert_lsn()::text,"
            " coalesce(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s::pg_lsn), 0)::bigint",
            (since,),
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def _checkpoint(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CHECKPOINT")


def measure(database: Database) -> dict[str, Any]:
    rows = messages(ROWS)
    load = plan(rows)
    migrate.upgrade(database)
    bare = [_bare_copy(database, rows, "bare_before")]
    with Store(database) as store:
        store.pin_account(Account("491555000000@c.us"), NOW)
        run_id = store.begin_run(NOW)
        _checkpoint(database)
        started = perf_counter()
        first = store.apply(load, run_id)
        new_seconds = perf_counter() - started
        assert first.inserted == ROWS, first
        bare.append(_bare_copy(database, rows, "bare_after"))
        _checkpoint(database)
        lsn, _ = _wal_bytes(database)
        started = perf_counter()
        second = store.apply(load, run_id)
        same_seconds = perf_counter() - started
        assert (second.inserted, second.updated, second.unchanged) == (0, 0, ROWS), second
        _, wal = _wal_bytes(database, lsn)
    bare_seconds = min(bare)
    return {
        "rows": ROWS,
        "bare_copy_rows_per_second": round(ROWS / bare_seconds),
        "new_rows_per_second": round(ROWS / new_seconds),
        "unchanged_rows_per_second": round(ROWS / same_seconds),
        "new_to_bare": round(bare_seconds / new_seconds, 2),
        "unchanged_to_new": round(new_seconds / same_seconds, 2),
        "unchanged_wal_bytes": wal,
        "limits": {
            "new_to_bare": ">= 0.5",
            "unchanged_to_new": ">= 2",
            "unchanged_wal_bytes": "<= 1000000",
        },
    }


def run() -> dict[str, Any]:
    """Measure in a fresh embedded Postgres with its ordinary settings."""
    folder = Path(tempfile.mkdtemp(prefix="wetl-bench-"))
    folder.chmod(0o755)
    try:
        with open_database("", "public", folder / "data") as database:
            return measure(database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    print(json.dumps(run()))
