"""What the commands do, below the command line: wire, call, print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.attending import attend
from whatsapp_etl.ending import heeding_signals
from whatsapp_etl.errors import EXIT_PARTIAL, exit_code_of
from whatsapp_etl.load import migrate as migrations
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunReport, RunStatus
from whatsapp_etl.picture_worker import reading_pictures
from whatsapp_etl.plain_json import plain
from whatsapp_etl.progress import RichProgress
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.steps import Announce, no_announcement
from whatsapp_etl.stopping import Stop


def sync(*, as_json: bool, announce: Announce = no_announcement) -> int:
    """Run one cycle; return the exit code."""
    settings = _settings(logs_as_text=not as_json)
    with bootstrap.open_store(settings, announce, may_be_away=True) as store:
        stop = Stop(settings.stop_deadline)
        source = bootstrap.source_of(settings, stop, waits=True, announce=announce, left=stop.left)
        cycle = bootstrap.cycle_of(settings, source, store, announce=announce)
        with heeding_signals(stop, source.abandon) as ending:
            try:
                with RichProgress(is_shown=not as_json) as progress:
                    report = cycle.run(progress)
            finally:
                source.close()
    if as_json:
        sys.stdout.write(json.dumps(plain(report), sort_keys=True) + "\n")
    else:
        Console().print(report_table(report))
    if report.error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"whatsapp-etl: {report.error}", markup=False
        )
    if ending.exit_code is not None and report.status is RunStatus.INTERRUPTED:
        return ending.exit_code
    return EXIT_PARTIAL if report.status is RunStatus.PARTIAL else exit_code_of(report.error)


def run() -> int:
    """Sync again and again and serve the status page, until a signal comes."""
    settings = _settings()
    with bootstrap.open_store(settings, may_be_away=True) as store, reading_pictures(settings):
        return attend(settings, store)


def migrate() -> None:
    with bootstrap.open_db(_settings(logs_as_text=True)) as database:
        migrations.upgrade(database)
        Console().print(f"The schema is current ({database.place}).")


def show_config() -> None:
    """Print the settings in the form of `.env`, secrets masked."""
    for name, value in read_settings():
        shown = ("***" if value.get_secret_value() else "") if isinstance(value, SecretStr) else value
        if isinstance(shown, tuple):
            # As they are written: flags of the browser hold commas, names of chats hold spaces.
            shown = (" " if name == "browser_args" else ",").join(shown)
        elif isinstance(shown, bool):
            shown = str(shown).lower()
        sys.stdout.write(f"{name.upper()}={'' if shown is None else shown}\n")


def db_url() -> None:
    """Print the address; an embedded server stays up until the person ends the command."""
    with bootstrap.open_db(_settings(logs_as_text=True)) as database:
        sys.stdout.write(f"{database.url}\n")
        sys.stdout.flush()
        if database.is_embedded:
            Console(stderr=True).print("The embedded server runs until Ctrl-C.")
            threading.Event().wait()


def db_psql(command: str | None) -> int:
    """Open psql in the database; return its exit code."""
    settings = _settings(logs_as_text=True)
    with bootstrap.open_db(settings) as database:
        program = database.psql
        environment = {**os.environ, "PGOPTIONS": f"-csearch_path={settings.pg_schema}"}
        arguments = [str(program), database.url, *(["-c", command] if command else [])]
        return subprocess.run(arguments, check=False, env=environment).returncode  # noqa: S603 - the server's own psql


def acknowledge_shield() -> None:
    settings = _settings(logs_as_text=True)
    with bootstrap.open_store(settings) as store:
        ended = store.acknowledge_shield_alarm(bootstrap.clock_of(settings)())
    Console().print("The shield alarm is acknowledged." if ended else "There is no shield alarm.")


def report_table(report: RunReport) -> Table:
    """Return a cycle as a table for people."""
    table = Table("cycle", f"{report.run_id}: {report.status}", show_lines=False)
    table.add_row("chats listed, opened", f"{report.chats_listed}, {report.chats_opened}")
    table.add_row("messages expected", f"{report.expected}")
    table.add_row("inserted, updated", f"{report.applied.inserted}, {report.applied.updated}")
    table.add_row("missing, rejected", f"{report.missing}, {report.rejects}")
    table.add_row("images saved", f"{report.applied.attachments_saved}")
    table.add_row("read receipts", f"{report.receipts_observed}")
    table.add_row("seconds", f"{report.seconds:.1f}")
    return table


def _settings(*, logs_as_text: bool = False) -> Settings:
    """Read the settings and set up logging; commands for people log in words."""
    settings = read_settings()
    configure_logs(settings.log_level, "text" if logs_as_text else settings.log_format)
    return settings
