"""`whatsapp-etl backfill`: wire it, run it, and tell of each chat what came and what the phone keeps."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.backfill import Backfill
from whatsapp_etl.commands import report_table
from whatsapp_etl.ending import heeding_signals
from whatsapp_etl.errors import EXIT_PARTIAL, ConfigurationError, exit_code_of
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.model import RunReport, RunStatus
from whatsapp_etl.plain_json import plain
from whatsapp_etl.progress import RichProgress
from whatsapp_etl.records import ChatBackfill
from whatsapp_etl.settings import Settings, read_settings
from whatsapp_etl.stopping import Stop

#: Chats that are not complete and are shown; `--json` has all.
_SHOWN = 40


def backfill(days: int, chats: Sequence[str], *, as_json: bool) -> int:
    """Read so many days back; return 0 only when everything of them is stored.

    Raises:
        ConfigurationError: The cycles read that far back already, or would remove what is read.
    """
    settings = read_settings()
    configure_logs(settings.log_level, settings.log_format if as_json else "text")
    if days <= settings.whatsapp_sync_lookback_days:
        raise ConfigurationError(
            f"--days: {days} days are inside WHATSAPP_SYNC_LOOKBACK_DAYS "
            f"({settings.whatsapp_sync_lookback_days}), which every cycle reads.",
            "Ask for more days.",
        )
    kept = settings.retention_days.days.get("messages")
    if kept is not None and days > kept:
        raise ConfigurationError(
            f"--days: RETENTION_DAYS keeps messages {kept} days; the next cycle would remove what is older.",
            "Ask for fewer days, or keep messages longer.",
        )
    stop = Stop(settings.stop_deadline)
    with bootstrap.open_store(settings) as store:
        source = bootstrap.source_of(settings, stop, waits=True, left=stop.left)
        work = bootstrap.backfill_of(settings, source, store, days=days, names=tuple(chats))
        with heeding_signals(stop, source.abandon) as ending:
            try:
                with RichProgress(is_shown=not as_json) as progress:
                    report = work.run(progress)
            finally:
                source.close()
        told = work.told()
    is_complete = report.error is None and bool(told) and all(chat.is_complete for chat in told)
    if as_json:
        facts = {
            "is_complete": is_complete,
            "days": days,
            "run": plain(report),
            "chats": plain(told),
            "candidates": work.candidates,
        }
        sys.stdout.write(json.dumps(facts, sort_keys=True) + "\n")
    else:
        _print(report, told, settings)
    _print_trouble(report, work)
    if ending.exit_code is not None and report.status is RunStatus.INTERRUPTED:
        return ending.exit_code
    return 0 if is_complete else exit_code_of(report.error) or EXIT_PARTIAL


def _print(report: RunReport, told: Sequence[ChatBackfill], settings: Settings) -> None:
    console = Console(highlight=False)
    console.print(report_table(report))
    short = [chat for chat in told if not chat.is_complete]
    if short:
        title = f"{len(told) - len(short)} of {len(told)} chats are complete; these are not"
        table = Table("chat", "stored", "oldest stored", "what is missing", title=title, title_style="")
        for chat in short[:_SHOWN]:
            oldest = f"{chat.oldest_stored_at:%Y-%m-%d %H:%M}" if chat.oldest_stored_at else "none"
            table.add_row(
                chat.thread_external_id,
                f"{chat.stored} of {chat.expected}",
                oldest,
                "; ".join(_lacking(chat, asks=settings.whatsapp_phone_history == "auto")),
            )
        console.print(table, markup=False)
        if len(short) > _SHOWN:
            console.print(f"… and {len(short) - _SHOWN} more; --json tells of all.")
    elif told:
        console.print(f"All {len(told)} chats are complete.")


def _lacking(chat: ChatBackfill, *, asks: bool) -> Iterator[str]:
    if chat.stop_reason is None:
        yield "not begun"
    elif not chat.is_finished:
        yield f"goes on ({chat.stop_reason})"
    for reason, count in chat.missing.items():
        if count:
            yield f"{reason} {count}"
    if chat.needs_phone:
        asked = f"asked {chat.phone_asked_at:%Y-%m-%d %H:%M}" if chat.phone_asked_at else "not asked"
        hint = "" if asks else "; WHATSAPP_PHONE_HISTORY=auto allows it"
        yield f"the phone has more ({asked}{hint})"


def _print_trouble(report: RunReport, work: Backfill) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    if report.error:
        console.print(f"whatsapp-etl: {report.error}")
    for chat_id in work.candidates:
        console.print(chat_id)
