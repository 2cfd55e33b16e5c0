"""The two inner processes of `quiet_cycles`: one fills a database, the other runs quiet cycles on it."""

from __future__ import annotations

import gc
import json
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from benchmarks.load_rows import plan
from whatsapp_etl import bootstrap
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.extract.source import Source
from whatsapp_etl.load.store import Store
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import Message, MessageIndexEntry, MessageType, RunStatus
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.transform.identity import parse_key
from whatsapp_etl.transform.plan import thread_of

_MEGABYTE = 1_000_000
#: Caches fill in the first cycles; growth is what comes after them.
_WARM_CYCLES = 5


def fill(settings: Settings) -> dict[str, Any]:
    """Store every listed message, with the revision that the browser's storage has."""
    now = bootstrap.clock_of(settings)()
    with bootstrap.open_store(settings) as store:
        source = bootstrap.source_of(settings, threading.Event())
        try:
            source.open()
            account = source.account()
            store.pin_account(account, now)
            run_id = store.begin_run(now)
            by_chat: dict[str, list[Message]] = {}
            for page in source.index(now - settings.lookback):
                for entry in page:
                    by_chat.setdefault(entry.chat_id, []).append(_message(entry, account.id, now))
            threads = {chat.id: thread_of(chat) for chat in source.chats(account)}
            for chat_id, messages in by_chat.items():
                if chat_id in threads:
                    store.apply(plan(messages, chat_id), run_id)
        finally:
            source.close()
        # Contacts, threads and reactions come with a first cycle of the program's own.
        return _cycles(settings, store, 1)


def _message(entry: MessageIndexEntry, own_id: str, now: datetime) -> Message:
    key = parse_key(entry.external_id)
    return Message(
        external_id=entry.external_id,
        thread_external_id=entry.chat_id,
        sender_id=own_id if key.is_outgoing else key.participant_id or key.chat_id,
        recipient_ids=(own_id,),
        content_snippet="An invented line of a usual length, as people write them",
        ts=entry.sent_at,
        ts_precision="second",
        is_outgoing=key.is_outgoing,
        has_attachments=False,
        stanza_id=key.stanza_id,
        message_type=MessageType.TEXT,
        subtype=None,
        source_revision=entry.source_revision,
        read_path="dom",
        observed_at=now,
    )


def _cycles(settings: Settings, store: Store, count: int) -> dict[str, Any]:
    source = bootstrap.source_of(settings, threading.Event())
    try:
        cycle = bootstrap.cycle_of(settings, source, store)
        for _ in range(count):
            report = cycle.run()
            assert report.status is RunStatus.SUCCESS, report.error
    finally:
        source.close()
    return {"chats_opened": report.chats_opened, "expected": report.expected}


def measure(settings: Settings, cycles: int) -> dict[str, Any]:
    """Run quiet cycles and say what they cost."""
    process = psutil.Process()
    after_imports = process.memory_info().rss
    peak = Peak(process)
    now = bootstrap.clock_of(settings)()
    opened, compare, resident = 0, [], []
    with peak, bootstrap.open_store(settings) as store:
        source = bootstrap.source_of(settings, threading.Event())
        try:
            cycle = bootstrap.cycle_of(settings, source, store)
            cycle.run()
            bare = min(_bare_read(source, now - settings.lookback) for _ in range(3))
            for _ in range(cycles):
                report = cycle.run()
                assert report.status is RunStatus.SUCCESS, report.error
                opened += report.chats_opened
                compare.append(
                    sum(report.stage_seconds[name] for name in ("compare", "read", "directory_load"))
                )
                gc.collect()
                resident.append(process.memory_info().rss)
        finally:
            source.close()
    return {
        "chats": report.chats_listed,
        "messages": report.expected,
        "bare_read_seconds": bare,
        "compare_seconds": min(compare),
        "compare_to_bare_read": min(compare) / bare,
        "megabytes_after_imports": after_imports / _MEGABYTE,
        "peak_megabytes_above_imports": (peak.bytes - after_imports) / _MEGABYTE,
        "grown_megabytes_in_50_cycles": (min(resident[-5:]) - min(resident[_WARM_CYCLES : _WARM_CYCLES + 5]))
        / _MEGABYTE,
        "chats_opened": opened,
        "browsers_left": len(list(find_browsers(Path(settings.whatsapp_profile_dir)))),
    }


def _bare_read(source: Source, since: datetime) -> float:
    begun = perf_counter()
    rows = sum(len(page) for page in source.index(since))
    assert rows
    return perf_counter() - begun


class Peak:
    """Watches a process' resident size while it is entered."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        every = timedelta(milliseconds=20).total_seconds()
        while not self._done.wait(every):
            self.bytes = max(self.bytes, self._process.memory_info().rss)


def main(part: str, cycles: int) -> None:
    configure_logs("ERROR", "text")
    settings = read_settings()
    print(json.dumps(fill(settings) if part == "fill" else measure(settings, cycles)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
