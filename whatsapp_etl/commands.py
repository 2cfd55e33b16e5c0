"""What the commands do, below the command line: wire, call, print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text
from selectolax.lexbor import LexborHTMLParser

from whatsapp_etl import bootstrap
from whatsapp_etl.attending import attend
from whatsapp_etl.errors import EXIT_PARTIAL, ConfigurationError, exit_code_of
from whatsapp_etl.extract.login import TerminalQr, wait_until_linked
from whatsapp_etl.extract.packs import choose_pack
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.extract.session import Session
from whatsapp_etl.load import migrate as migrations
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import ParsedRow, RunReport, RunStatus
from whatsapp_etl.progress import RichProgress
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.transform.identity import key_in_chat
from whatsapp_etl.transform.parse import parse_page

_LOOK_ALLOWED = timedelta(seconds=20)


def login(*, terminal: bool, minutes: int, replace_account: bool) -> None:
    """Link the account and close the browser again."""
    settings = _settings(logs_as_text=True)
    has_window = not terminal and _has_display()
    source = bootstrap.source_of(settings, threading.Event(), is_headless=not has_window)
    console = Console(stderr=True, soft_wrap=True)
    qr = None if has_window else TerminalQr(sys.stdout)
    is_asked = False

    def show(payload: str) -> None:
        nonlocal is_asked
        if not is_asked:
            where = "below" if qr else "in the window"
            console.print(
                f"On the phone: Settings → Linked devices → Link a device, then scan the code {where}."
            )
            is_asked = True
        if qr:
            qr.draw(payload)

    try:
        wait_until_linked(source.start(), timedelta(minutes=minutes), show, has_window=has_window)
        console.print("Linked. The login is kept in the browser profile.")
        if replace_account:
            with bootstrap.open_store(settings) as store:
                store.replace_account(source.account(), bootstrap.clock_of(settings)())
            console.print("The database follows this account from now on.")
    finally:
        source.close()


def sync(*, as_json: bool) -> int:
    """Run one cycle; return the exit code."""
    settings = _settings(logs_as_text=not as_json)
    with bootstrap.open_store(settings) as store:
        source = bootstrap.source_of(settings, threading.Event())
        cycle = bootstrap.cycle_of(settings, source, store)
        try:
            with RichProgress(is_shown=not as_json) as progress:
                report = cycle.run(progress)
        finally:
            source.close()
    if as_json:
        sys.stdout.write(json.dumps(_plain(report), sort_keys=True) + "\n")
    else:
        Console().print(report_table(report))
    if report.error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"whatsapp-etl: {report.error}", markup=False
        )
    return EXIT_PARTIAL if report.status is RunStatus.PARTIAL else exit_code_of(report.error)


def run() -> int:
    """Sync again and again and serve the status page, until a signal comes."""
    settings = _settings()
    with bootstrap.open_store(settings) as store:
        return attend(settings, store)


def parse(
    files: Sequence[Path],
    *,
    locale: str,
    timezone: str,
    own_name: str | None,
    chat_id: str | None,
    own_id: str | None,
    today: date | None,
    pack: str,
) -> None:
    """Print one JSON object for each row of saved pages."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            "--timezone is not a time zone.", 'Use a name such as "Europe/Berlin".'
        ) from error
    packs = bootstrap.packs_of()
    for file in files:
        html = file.read_text(encoding="utf-8", errors="replace")
        saved_on = today or datetime.fromtimestamp(file.stat().st_mtime, zone).date()
        parsed, rejects = parse_page(
            html,
            choose_pack(packs, LexborHTMLParser(html).css_matches, pack),
            zone=zone,
            locale=locale,
            own_name=own_name,
            chat_id=chat_id,
            today=saved_on,
        )
        for row in parsed:
            _print_line({"file": file.name, **_row(row, chat_id, own_id)})
        for reject in rejects:
            _print_line({"file": file.name, "reject": reject.reason, "row": reject.shown_id_hash})


def check_selectors() -> None:
    """Print which selectors of the page's pack match on its chat list.

    Raises:
        WhatsappEtlError: The page cannot be read; drift names the selector.
    """
    settings = _settings(logs_as_text=True)
    source = bootstrap.source_of(settings, threading.Event())
    try:
        source.open()
        pack = source.session.pack
        matching = _matching(source.session)
        table = Table("selector", "required on", "first match", title=f"pack {pack.id}")
        for name, selector in pack.selectors.items():
            served = next((css for css in selector.candidates if css in matching), "-")
            # As text: the brackets of a selector are no markup.
            table.add_row(name, selector.required_on or "", Text(served))
        Console().print(table)
        Console(soft_wrap=True).print(
            "No chat was opened: what is shown inside one is checked while a cycle reads it."
        )
    finally:
        source.close()


def _matching(session: Session) -> frozenset[str]:
    """Return which of the pack's selectors match on the page as it is shown."""
    css = sorted({each for selector in session.pack.selectors.values() for each in selector.candidates})
    with session.watchdog.step("trying selectors", _LOOK_ALLOWED):
        answer = session.page.evaluate(read_script("matches"), {"css": css, "last": None, "wait_ms": 0})
    return frozenset(each for each, has_matched in zip(css, json.loads(answer), strict=True) if has_matched)


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


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _row(row: ParsedRow, chat_id: str | None, own_id: str | None) -> dict[str, object]:
    key = row.key or key_in_chat(row, chat_id, own_id)
    plain = _plain(row)
    assert isinstance(plain, dict)
    plain["key"] = None
    return {**plain, "external_id": str(key) if key else None}


def _print_line(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False) + "\n")


def _plain(value: object) -> object:
    """Turn values of the model into what JSON knows."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))  # type: ignore[call-overload]
    if isinstance(value, dict):
        return {_key(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date) else value


def _key(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
