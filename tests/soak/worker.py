"""The program in a process of its own, one cycle a line: it can be watched, limited and killed.

It reads an instant (ISO 8601) a line, runs a cycle that takes it for now, and answers in JSON lines: each
step as it begins, then the outcome with the memory of the process and of its browser in bytes.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from whatsapp_etl import bootstrap
from whatsapp_etl.errors import WhatsappEtlError
from whatsapp_etl.extract.processes import find_browsers
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.store import Store
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunReport
from whatsapp_etl.progress import NoProgress
from whatsapp_etl.settings import read_settings

#: A server that says nothing is given up early here: five hundred cycles wait for it.
_SILENCE = timedelta(seconds=2)


class _Steps(NoProgress):
    """Tells each step, so that the other side can act in it."""

    def stage(self, name: str) -> None:
        _say(step=name)

    def chat_done(self, messages: int) -> None:
        _say(step="a chat is stored")


def main() -> None:
    configure_logs("CRITICAL", "text")
    settings = read_settings()
    now = [bootstrap.clock_of(settings)()]
    process = psutil.Process()
    database = Database(
        settings.pg_url.get_secret_value(), settings.pg_schema, silence=_SILENCE, lock_patience=_SILENCE / 2
    )
    source = bootstrap.source_of(settings, threading.Event(), clock=lambda: now[-1])
    with Store(database) as store:
        cycle = bootstrap.cycle_of(settings, source, store, clock=lambda: now[-1])
        for line in sys.stdin:
            now[:] = [datetime.fromisoformat(line.strip())]
            try:
                outcome = _told(cycle.run(_Steps()))
            except WhatsappEtlError as error:
                # The writer's lock is asked for before the cycle; the service waits and tries again.
                outcome = {"status": "failed", "error": f"{type(error).__name__}: {error}", "opened": 0}
            gc.collect()
            browsers = [
                size for each in find_browsers(Path(settings.whatsapp_profile_dir)) for size in _sizes(each)
            ]
            _say(
                **outcome,
                python_bytes=process.memory_info().rss,
                files=process.num_fds(),
                browser_bytes=sum(browsers),
            )
        source.close()


def _told(report: RunReport) -> dict[str, Any]:
    return {
        "status": report.status.value,
        "error": report.error,
        "opened": report.chats_opened,
        "written": report.applied.inserted + report.applied.updated,
        "rejects": report.rejects,
        "missing": report.missing,
        "receipts": report.receipts_observed,
    }


def _sizes(browser: psutil.Process) -> list[int]:
    sizes = []
    for process in (browser, *browser.children(recursive=True)):
        try:
            sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue  # a tab that has just been closed
    return sizes


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
