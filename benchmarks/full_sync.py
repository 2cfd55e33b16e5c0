"""The main job on the large world: 40 chats, 4,000 messages, compared with the truth column by column."""

from __future__ import annotations

import shutil
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks._account import NOW, settings_in
from whatsapp_etl import bootstrap
from whatsapp_etl.load.database import Database
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.settings import Settings
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

CHATS = 40
MESSAGES = 4000

COLUMNS = (
    "thread_external_id",
    "sender_id",
    "recipient_ids",
    "content_snippet",
    "ts",
    "is_outgoing",
    "has_attachments",
)
QUIET_TABLES = ("messages", "attachments", "threads", "contacts", "reactions")


def run() -> dict[str, Any]:
    """Sync twice into a fresh database; return what differs, and what it took."""
    configure_logs("ERROR", "text")
    folder = Path(tempfile.mkdtemp(prefix="wetl-full-"))
    folder.chmod(0o755)
    options = SimulatorOptions(chats=CHATS, messages=MESSAGES, linked=True, now=NOW)
    try:
        with RunningSimulator(options) as simulator:
            settings = settings_in(folder, simulator.url)
            with bootstrap.open_db(settings) as database:
                return _measure(settings, simulator, database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(settings: Settings, simulator: RunningSimulator, database: Database) -> dict[str, Any]:
    unread = simulator.unread()
    with bootstrap.open_store(settings) as store:
        source = bootstrap.source_of(settings, threading.Event())
        try:
            cycle = bootstrap.cycle_of(settings, source, store)
            begun = perf_counter()
            first = cycle.run()
            seconds = perf_counter() - begun
            before = _written_by(database)
            second = cycle.run()
        finally:
            source.close()
    truth = {row["external_id"]: row for row in simulator.truth(lookback_days=30)}
    stored = _stored(database)
    ledger = simulator.ledger()
    return {
        "messages": len(truth),
        "chats": first.chats_opened,
        "seconds": seconds,
        "messages_per_second": len(truth) / seconds,
        "missing_rows": len(truth.keys() - stored.keys()),
        "rows_too_many": len(stored.keys() - truth.keys()),
        "rows_that_differ": sum(_differs(truth[key], row) for key, row in stored.items() if key in truth),
        "chats_opened_again": second.chats_opened,
        "rows_touched_again": int(_written_by(database) != before),
        "receipts_and_presence": ledger["receipts"] + ledger["presence"]["available"],
        "unread_counts_changed": int(simulator.unread() != unread),
        "limits": dict.fromkeys(
            (
                "missing_rows",
                "rows_too_many",
                "rows_that_differ",
                "chats_opened_again",
                "rows_touched_again",
                "receipts_and_presence",
                "unread_counts_changed",
            ),
            "<= 0",
        ),
    }


def _stored(database: Database) -> dict[str, dict[str, Any]]:
    with database.connect() as connection:
        rows = connection.execute(f"SELECT external_id, {', '.join(COLUMNS)} FROM messages")
        return {row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in rows}


def _differs(true: dict[str, Any], stored: dict[str, Any]) -> bool:
    expected = {name: true[name] for name in COLUMNS} | {"ts": datetime.fromisoformat(true["ts"])}
    return expected != stored


def _written_by(database: Database) -> dict[str, list[Any]]:
    with database.connect() as connection:
        return {
            table: connection.execute(f"SELECT xmin::text, ctid::text FROM {table} ORDER BY ctid").fetchall()
            for table in QUIET_TABLES
        }
