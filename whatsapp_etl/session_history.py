"""`whatsapp-etl session history`: what became of the session, from what was stored of it."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from whatsapp_etl import bootstrap
from whatsapp_etl.asked import settings_of_person
from whatsapp_etl.plain_json import plain
from whatsapp_etl.transitions import Transition


def history(last: int, *, as_json: bool) -> None:
    """Print the last changes of the session's state, newest first."""
    settings = settings_of_person()
    with bootstrap.open_store_to_read(settings) as store:
        transitions = store.last_transitions(last)
    if as_json:
        for each in transitions:
            sys.stdout.write(json.dumps(plain(each), sort_keys=True) + "\n")
    elif transitions:
        Console().print(_table(transitions))
    else:
        Console().print("The session was not looked at yet.")


def _table(transitions: tuple[Transition, ...]) -> Table:
    table = Table("at (UTC)", "state", "before", "cause", "error")
    for each in transitions:
        before = each.previous or ""
        table.add_row(
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            each.state,
            before if each.is_expected else f"{before} (unexpected)",
            each.cause,
            each.error or "",
        )
    return table
