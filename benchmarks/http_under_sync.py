"""How long `/qr` and `/health` take with 50 clients while a full sync runs in the same process.

The program's own arrangement: one thread drives the browser, another serves from snapshots. What decides
is the ratio to an empty route of the same server, asked by the same clients in the same minutes.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from benchmarks._account import NOW, settings_in
from whatsapp_etl import bootstrap
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunStatus, SessionSnapshot, SessionState
from whatsapp_etl.scheduler import listen, take_short_turns
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState
from whatsapp_etl.settings import Settings

CHATS = 40
MESSAGES = 4000
#: A new code, which has to be drawn, comes far more often than on the page.
_NEW_CODE_SECONDS = 2.0
#: What is hoped for on an idle machine; printed, not judged.
QR_AIM_MS = 500
HEALTH_AIM_MS = 100


def run() -> dict[str, Any]:
    """Sync once and serve meanwhile; return the slowest hundredth of each route's answers."""
    configure_logs("ERROR", "text")
    take_short_turns()  # as `run` does
    folder = Path(tempfile.mkdtemp(prefix="wetl-http-"))
    folder.chmod(0o755)
    try:
        with _simulator() as url:
            return _measure(settings_in(folder, url))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _simulator() -> Iterator[str]:
    """Serve the account in a process of its own, as WhatsApp's servers are; yield its address."""
    command = [sys.executable, "-m", "whatsapp_etl.cli", "simulate", "--linked", "--port", "0"]
    world = ["--chats", str(CHATS), "--messages", str(MESSAGES), "--now", NOW.isoformat()]
    with subprocess.Popen([*command, *world], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGINT)


def _measure(settings: Settings) -> dict[str, Any]:
    state = ServiceState(lambda: datetime.now(UTC))
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(_app(state), log_config=None, access_log=False, lifespan="off"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    over = threading.Event()
    showing = threading.Thread(target=_show_codes, args=(state, over))
    try:
        showing.start()
        serving.start()
        host, port = listener.getsockname()[:2]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks._asking", host, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as clients:
            seconds = _sync(settings)
            told, _ = clients.communicate()
    finally:
        over.set()
        server.should_exit = True
        for thread in (showing, serving):
            if thread.ident is not None:
                thread.join()
    took = json.loads(told)
    empty, qr, health = (_p99_ms(took[path]) for path in ("/empty", "/qr", "/health"))
    return {
        "sync_seconds": seconds,
        "answers": sum(map(len, took.values())),
        "empty_p99_ms": empty,
        "qr_p99_ms": qr,
        "qr_aim_ms": QR_AIM_MS,
        "health_p99_ms": health,
        "health_aim_ms": HEALTH_AIM_MS,
        "qr_to_empty": qr / empty,
        "health_to_empty": health / empty,
        "limits": {"qr_to_empty": "<= 4", "health_to_empty": "<= 3"},
    }


def _app(state: ServiceState) -> Starlette:
    async def empty(_request: Request) -> Response:
        return Response()

    app = create_app(state, ServiceOptions(), lambda: datetime.now(UTC))
    return Starlette(routes=[Route("/empty", empty), Mount("/", app)])


def _show_codes(state: ServiceState, over: threading.Event) -> None:
    for number in count():
        now = datetime.now(UTC)
        state.show_session(
            SessionSnapshot(
                SessionState.QR,
                since=now,
                qr_payload=f"https://wa.me/settings/linked_devices#2@{'aZ09+/=,' * 28}{number}",
                qr_seen_at=now,
                qr_expires_at=now + timedelta(seconds=20),
            )
        )
        if over.wait(_NEW_CODE_SECONDS):
            return


def _sync(settings: Settings) -> float:
    """Run one full cycle in this thread; return how long it took."""
    with bootstrap.open_store(settings) as store:
        source = bootstrap.source_of(settings, threading.Event())
        try:
            begun = perf_counter()
            report = bootstrap.cycle_of(settings, source, store).run()
            assert report.status is RunStatus.SUCCESS, report.error
            return perf_counter() - begun
        finally:
            source.close()


def _p99_ms(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[98] * 1000
