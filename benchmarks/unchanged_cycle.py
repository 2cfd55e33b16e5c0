"""The database's part of a cycle with nothing new: 300 chats, 50,000 stored messages.

`Store.diff` over the whole list of ids, the directory's upserts, coverage and the run's rows. The limit
of the whole cycle (three times the bare metadata read) is measured where a browser runs; here the parts are
set against reading the same list from Postgres, which no comparison can do without.
"""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.load_rows import NOW, messages, plan
from whatsapp_etl.load import migrate
from whatsapp_etl.load.database import Database, open_database
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import (
    Account,
    ChatKind,
    ContactFacts,
    Coverage,
    GroupFacts,
    MessageIndexEntry,
    StopReason,
    Thread,
)

CHATS = 300
ROWS = 50_000
PAGE = 1000
CYCLES = 50
_ACCOUNT = Account("491555000000@c.us")


def _chats() -> list[str]:
    return [f"12036300000{n:07d}@g.us" for n in range(CHATS)]


def _fill(store: Store, run_id: int) -> list[MessageIndexEntry]:
    entries: list[MessageIndexEntry] = []
    for n, chat_id in enumerate(_chats()):
        rows = messages(ROWS // CHATS + (n < ROWS % CHATS), chat_id, seed=n)
        store.apply(plan(rows, chat_id), run_id)
        entries.extend(
            MessageIndexEntry(row.external_id, chat_id, row.ts, row.source_revision) for row in rows
        )
    return entries


def _pages(entries: Sequence[MessageIndexEntry]) -> Iterator[Sequence[MessageIndexEntry]]:
    for start in range(0, len(entries), PAGE):
        yield entries[start : start + PAGE]


def _directory(run_id: int, store: Store) -> None:
    members = tuple(sorted(f"4915550{n:06d}@c.us" for n in range(21)))
    store.apply_directory(
        [
            Thread(each, ChatKind.GROUP, "Hikers", (), is_archived=False, last_activity=NOW)
            for each in _chats()
        ],
        [ContactFacts(each, f"Person {each[7:13]}", None, None) for each in members],
        [GroupFacts(each, "Hikers", members) for each in _chats()],
        [],
        run_id=run_id,
        now=NOW,
    )


def _cycle(store: Store, entries: Sequence[MessageIndexEntry], run_id: int) -> tuple[float, float]:
    started = perf_counter()
    found = store.diff(_pages(entries), NOW - timedelta(days=30), NOW, 2)
    after_diff = perf_counter()
    assert not any(each.wanted for each in found.values())
    assert sum(each.stored for each in found.values()) == ROWS
    _directory(run_id, store)
    store.record_coverage(
        [
            Coverage(chat, each.expected, each.stored, {}, StopReason.NOTHING_TO_READ, NOW, 1, NOW)
            for chat, each in found.items()
        ],
        run_id,
    )
    return after_diff - started, perf_counter() - after_diff


def _bare_read(database: Database) -> float:
    with database.connect() as connection:
        started = perf_counter()
        rows = connection.execute(
            "SELECT external_id, thread_external_id, ts, source_revision FROM messages"
        ).fetchall()
        assert len(rows) == ROWS
        return perf_counter() - started


def measure(database: Database) -> dict[str, Any]:
    migrate.upgrade(database)
    with Store(database) as store:
        store.pin_account(_ACCOUNT, NOW)
        run_id = store.begin_run(NOW)
        entries = [replace(entry) for entry in _fill(store, run_id)]
        _directory(run_id, store)
        _cycle(store, entries, run_id)
        times = [_cycle(store, entries, run_id) for _ in range(3)]
        diff_seconds, rest_seconds = (min(each) for each in zip(*times, strict=True))
        bare = min(_bare_read(database) for _ in range(3))
        tracemalloc.start()
        _cycle(store, entries, run_id)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(CYCLES):
            _cycle(store, entries, run_id)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
    return {
        "chats": CHATS,
        "messages": ROWS,
        "diff_seconds": round(diff_seconds, 3),
        "directory_seconds": round(rest_seconds, 3),
        "bare_select_seconds": round(bare, 3),
        "diff_to_bare_select": round(diff_seconds / bare, 2),
        "peak_python_bytes": peak,
        "grown_kilobytes_in_50_cycles": grown,
        "limits": {"peak_python_bytes": "<= 60000000", "grown_kilobytes_in_50_cycles": "<= 4096"},
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
