"""The commands about files sent with messages."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime

from whatsapp_etl import bootstrap
from whatsapp_etl.downloads import DownloadCount, DownloadState, total_by_state
from whatsapp_etl.logs import configure_logs
from whatsapp_etl.plain_json import plain
from whatsapp_etl.settings import Settings, read_settings

_MEGABYTE = 1024 * 1024


def status(*, as_json: bool) -> None:
    """Print the ledger's sums."""
    settings = _settings()
    with bootstrap.open_store_to_read(settings) as store:
        counts = store.attachments.counts()
        held = store.attachments.stored_bytes()
    if as_json:
        _print(json.dumps(_as_json(counts, held, settings), sort_keys=True))
        return
    if not counts:
        _print("No message with a file is stored yet.")
        return
    _print(f"{'state':<13}  {'reason':<12}  {'count':>8}  {'MB':>10}  next try (UTC)")
    for each in counts:
        _print(
            f"{each.state:<13}  {each.reason or '':<12}  {each.count:>8}  {each.bytes / _MEGABYTE:>10.1f}  "
            f"{_moment(each.next_try_at)}".rstrip()
        )
    limit = settings.attachments_max_bytes
    room = f" of {limit / _MEGABYTE:.1f} MB (ATTACHMENTS_MAX_BYTES)" if limit else ""
    files = total_by_state(counts)[DownloadState.STORED]
    _print(f"{held / _MEGABYTE:.1f} MB{room} hold the bytes of {files}.")


def _as_json(counts: Sequence[DownloadCount], held: int, settings: Settings) -> object:
    return {
        "states": dict(total_by_state(counts)),
        "details": [
            {
                "state": each.state.value,
                "reason": each.reason.value if each.reason else None,
                "count": each.count,
                "bytes": each.bytes,
                "next_try_at": plain(each.next_try_at),
            }
            for each in counts
        ],
        "stored_bytes": held,
        "max_bytes": settings.attachments_max_bytes or None,
    }


def _moment(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""


def _settings() -> Settings:
    settings = read_settings()
    configure_logs(settings.log_level, "text")
    return settings


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
