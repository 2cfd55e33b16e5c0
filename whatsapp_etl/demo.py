"""Everything at once, for a first look: the stand-in page, a database, one sync, the status page.

Each demo begins with an empty profile and an empty database of its own and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.attending import attend
from whatsapp_etl.commands import report_table
from whatsapp_etl.errors import EXIT_PARTIAL, ConfigurationError, exit_code_of
from whatsapp_etl.extract.login import wait_until_linked
from whatsapp_etl.load.store import Store
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunStatus
from whatsapp_etl.progress import RichProgress
from whatsapp_etl.scheduler import listen
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.phone import Phone
from whatsapp_etl.simulator.serve import RunningSimulator

_LINK_WITHIN = timedelta(minutes=2)


def run_demo(*, once: bool, chats: int, messages: int) -> int:
    """Run the demo; return the exit code."""
    configure_logs("WARNING", "text")
    console = Console()
    options = SimulatorOptions(chats=chats, messages=messages)
    with _folder() as folder, RunningSimulator(options) as simulator:
        settings = _settings(folder, simulator.url)
        console.print(f"Stand-in WhatsApp Web: {simulator.url} ({chats} chats, {messages} messages)")
        with bootstrap.open_store(settings) as store:
            report_code = _sync(settings, store, simulator, console)
            console.print(_counts(store))
            sent = simulator.ledger()
            online = sent["presence"]["available"]
            console.print(f"Read receipts sent: {sent['receipts']}. Times shown as online: {online}.")
            port = _free_port(settings)
            console.print(f"Status page: http://{settings.host}:{port}/", "(not with --once)" if once else "")
            if once or report_code:
                return report_code
            minutes = settings.whatsapp_sync_interval_minutes
            console.print(f"A cycle runs every {minutes} minutes. Ctrl-C ends the demo.")
            return attend(settings.model_copy(update={"port": port}), store)


def _sync(settings: Settings, store: Store, simulator: RunningSimulator, console: Console) -> int:
    source = bootstrap.source_of(settings, threading.Event())
    try:
        session = source.start()
        console.print("A QR code is shown; the stand-in's phone scans it.")
        wait_until_linked(session, _LINK_WITHIN, Phone(simulator))
        with RichProgress() as progress:
            report = bootstrap.cycle_of(settings, source, store).run(progress)
    finally:
        source.close()
    console.print(report_table(report))
    return 0 if report.status is RunStatus.SUCCESS else exit_code_of(report.error) or EXIT_PARTIAL


def _counts(store: Store) -> Table:
    table = Table("table", "rows", title="What is in the database")
    for name, rows in sorted(store.table_counts().items()):
        table.add_row(name, f"{rows:,}")
    return table


def _settings(folder: Path, url: str) -> Settings:
    """Return settings of the demo's own; of the person's, the browser and the address count."""
    theirs = read_settings()
    return theirs.model_copy(
        update={
            "whatsapp_url": url,
            "whatsapp_profile_dir": folder / "profile",
            "attachments_dir": folder / "attachments",
            "spool_dir": folder / "spool",
            "events_webhooks": SecretStr(""),  # nobody is to be told of a stand-in
            "pg_data_dir": folder / "postgres",
            "pg_url": SecretStr(""),
            "pg_schema": "public",
            "whatsapp_locale": "en-US",
            "whatsapp_timezone": "UTC",
            "whatsapp_selector_pack": "auto",
            "whatsapp_exclude_chats": (),
            "whatsapp_chats_per_minute": 0.0,
            "whatsapp_scrolls_per_second": 0.0,
            "browser_headless": True,
            "whatsapp_etl_now": None,
            "session_store_url": "",
        }
    )


def _free_port(settings: Settings) -> int:
    """Return the configured port, or a free one when something listens there already."""
    try:
        listener = listen(settings.host, settings.port)
    except ConfigurationError:
        listener = listen(settings.host, 0)
    with listener:
        return int(listener.getsockname()[1])


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield an empty folder; the embedded server's user must be able to reach what is below it."""
    parent = Path("/var/lib/whatsapp-etl") if os.geteuid() == 0 else None
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=parent))
    folder.chmod(0o755 if parent else 0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
