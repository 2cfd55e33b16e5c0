"""The inner process of `message_store`: one cycle of the program over a large account, and the bare feed."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from time import perf_counter
from typing import Any

import psutil

from benchmarks._quiet import Peak
from whatsapp_etl import bootstrap
from whatsapp_etl.extract.source import Source
from whatsapp_etl.load.database import Database
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunStatus
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.simulator.client import ControlClient

_MEGABYTE = 1_000_000
#: The stand-in sends 200,000 messages to its page first, and the page encrypts them.
_READY_WITHIN = timedelta(minutes=10)

#: What the client's own full-text index does: the table in the order of its rows, decoded.
_FEED = """async () => {
    const table = require('WAWebSchemaMessage').getMessageTable();
    const { messageFromDbRow } = require('WAWebDBMessageSerialization');
    let count = 0;
    for (let at = 0; ;) {
        const rows = await table.greaterThan(['rowId'], at, { limit: 1000 });
        if (rows.length === 0) return count;
        at = rows.at(-1).rowId;
        count += rows.map(messageFromDbRow).filter((message) => message.id).length;
    }
}"""
_COLUMNS = ("thread_external_id", "sender_id", "recipient_ids", "content_snippet", "is_outgoing", "is_edited")


def measure(settings: Settings) -> dict[str, Any]:
    """Read the feed, run a cycle, and say what both took."""
    process = psutil.Process()
    after_imports = process.memory_info().rss
    peak = Peak(process)
    with bootstrap.open_db(settings) as database:
        source = bootstrap.source_of(settings, threading.Event())
        try:
            with bootstrap.open_store(settings) as store:
                cycle = bootstrap.cycle_of(settings, source, store)
                session = source.start()
                session.wait_until_ready(_READY_WITHIN)
                fed, feed_seconds = _feed(source)
                with peak:
                    begun = perf_counter()
                    report = cycle.run()
                    seconds = perf_counter() - begun
                begun = perf_counter()
                again = cycle.run()
                again_seconds = perf_counter() - begun
        finally:
            source.close()
        assert report.status is again.status is RunStatus.SUCCESS, (report.error, again.error)
        assert report.store_unavailable is None, report.store_unavailable
        control = ControlClient(settings.whatsapp_url)
        ledger = control.ledger()
        differ = _rows_that_differ(database, control)
    return {
        "chats": report.chats_listed,
        "messages": report.applied.inserted,
        "bare_feed_per_second": fed / feed_seconds,
        "cycle_seconds": seconds,
        "cycle_per_second": report.applied.inserted / seconds,
        "rate_to_bare_feed": report.applied.inserted / seconds / (fed / feed_seconds),
        "peak_megabytes_above_imports": (peak.bytes - after_imports) / _MEGABYTE,
        "quiet_cycle_seconds": again_seconds,
        "rows_that_differ": differ,
        "chats_opened": report.chats_opened + again.chats_opened,
        "receipts_and_presence": ledger["receipts"] + ledger["presence"]["available"],
    }


def _feed(source: Source) -> tuple[int, float]:
    source.session.page.set_default_timeout(0)
    begun = perf_counter()
    count = int(source.session.page.evaluate(_FEED))
    return count, perf_counter() - begun


def _rows_that_differ(database: Database, control: ControlClient) -> int:
    """Count the messages that lack, are too many or say otherwise; of notices not the words."""
    truth = {row["external_id"]: row for row in control.truth(lookback_days=30, view="attainable")}
    with database.connect() as connection:
        rows = connection.execute(
            f"SELECT external_id, message_type = 'system', {', '.join(_COLUMNS)} FROM messages"
        )
        stored = {key: (is_notice, dict(zip(_COLUMNS, rest, strict=True))) for key, is_notice, *rest in rows}
    found = len(truth.keys() ^ stored.keys())
    for key, (is_notice, row) in stored.items():
        names = [name for name in _COLUMNS if not (is_notice and name == "content_snippet")]
        found += key in truth and any(row[name] != truth[key][name] for name in names)
    return found


def main() -> None:
    configure_logs("ERROR", "text")
    print(json.dumps(measure(read_settings())))


if __name__ == "__main__":
    main()
