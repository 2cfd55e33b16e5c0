"""`python -m tests.soak`: the long form. Prints what happened; exit code 1 when anything was lost or left."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.fixtures.postgres import FAST, folder_for_postgres, fresh_database
from tests.soak.kills import NEVER, open_kills
from tests.soak.run import Soak, open_soak
from whatsapp_etl.load import migrate
from whatsapp_etl.load.database import Database, open_database
from whatsapp_etl.load.embedded import EmbeddedServer
from whatsapp_etl.simulator.serve import RunningSimulator, SimulatorOptions

_BEGIN = datetime(2026, 3, 15, 12, tzinfo=UTC)
_SLOPE_LIMIT = 0.1  #: Megabytes a cycle.
_BROWSER_LIMIT = 1.3  #: Its peak in the second half to that in the first.
_CYCLES_SHARE = 0.5  #: Of the minutes, when both phases run.


def figures(soak: Soak, cycles: int, exit_code: int) -> dict[str, Any]:
    first, last = soak.browser_peaks()
    return {
        "cycles": cycles,
        "outcomes": dict(soak.outcomes),
        "changes": dict(soak.people.done),
        "faults": dict(sorted(soak.faults.items())),
        "messages": soak.judged[-1].expected,
        "times_compared": len(soak.judged),
        "healed_after_cycles": dict(sorted(soak.healed_after.items())),
        "rows_lost": sum(len(each.absent) for each in soak.judged),
        "rows_doubled": sum(len(each.doubled) + len(each.surplus) for each in soak.judged),
        "values_wrong": sum(len(rows) for each in soak.judged for rows in each.columns.values()),
        "hung": soak.hung,
        "orphans": len(soak.orphans()),
        "receipts": soak.receipts + soak.simulator.ledger()["receipts"],
        "python_megabytes_a_cycle": soak.python_slope(),
        "files_more_than_when_warm": soak.files_grown(),
        "browser_peak_last_to_first_half": last / first if first else 0.0,
        "exit_code": exit_code,
    }


def failures(told: Mapping[str, Any]) -> list[str]:
    """Return what may not be."""
    zero = ("rows_lost", "rows_doubled", "values_wrong", "hung", "orphans", "receipts", "exit_code")
    return [
        *(f"{name} is {told[name]}" for name in zero if told[name]),
        *(["the program's memory grows"] if told["python_megabytes_a_cycle"] > _SLOPE_LIMIT else []),
        *(["the browser's memory grows"] if told["browser_peak_last_to_first_half"] > _BROWSER_LIMIT else []),
    ]


@contextmanager
def _world(options: SimulatorOptions) -> Iterator[tuple[RunningSimulator, Database]]:
    """Serve a simulated account beside a database of its own."""
    with (
        folder_for_postgres() as postgres,
        EmbeddedServer(postgres / "data", FAST) as server,
        fresh_database(server.url) as url,
        open_database(url, "public", Path("/nonexistent")) as database,
        RunningSimulator(options) as simulator,
    ):
        migrate.upgrade(database)
        yield simulator, database


def _run_cycles(chosen: argparse.Namespace, minutes: float, console: Console) -> list[str]:
    """Run cycles while everything goes wrong; return what may not be."""
    options = SimulatorOptions(port=0, chats=30, messages=900, linked=True, now=_BEGIN)
    with _world(options) as (simulator, database), open_soak(simulator, database, chosen.seed) as soak:
        soak.kills_until = 0.4  # afterwards one process lives on, and its memory is watched
        until = monotonic() + minutes * 60
        cycles = soak.run(chosen.cycles, check_every=10, goes_on=lambda: monotonic() < until)
        told = figures(soak, cycles, soak.end())
        for wrong in [each for each in soak.judged if not each.is_equal][:3]:
            console.print(str(wrong), markup=False)
        for orphan in soak.orphans()[:10]:
            console.print(orphan, markup=False)
    _show(told, console)
    return failures(told)


def _run_kills(chosen: argparse.Namespace, minutes: float, console: Console) -> list[str]:
    """Kill browser and service at any moment; return what may not be."""
    # On the real clock: how long a browser that ended stays closed goes by it.
    options = SimulatorOptions(port=0, chats=6, messages=120)
    with _world(options) as (simulator, database), open_kills(simulator, database, chosen.seed) as kills:
        until = monotonic() + minutes * 60
        kills.run(
            chosen.kills,
            check_every=10,
            goes_on=lambda: monotonic() < until,
            tell=lambda figures: console.print(json.dumps(figures), markup=False, soft_wrap=True),
        )
        told = kills.figures()
        for trouble in kills.troubles[:10]:
            console.print(trouble, markup=False)
        for wrong in [each for each in kills.judged if not each.is_equal][:3]:
            console.print(str(wrong), markup=False)
    _show(told, console)
    return [f"{name} is {told[name]}" for name in NEVER if told[name]]


def _show(told: Mapping[str, Any], console: Console) -> None:
    print(json.dumps(told), flush=True)
    table = Table("figure", "value")
    for name, value in told.items():
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else str(value))
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--phase", choices=("both", "cycles", "kills"), default="both")
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--kills", type=int, default=200, help="of the browser, and of the service")
    parser.add_argument("--minutes", type=float, default=60, help="stop after so long (default 60)")
    parser.add_argument("--seed", type=int, default=20260315)
    chosen = parser.parse_args()

    console = Console(stderr=True)
    begun = monotonic()
    wrong: list[str] = []
    if chosen.phase != "kills":
        share = _CYCLES_SHARE if chosen.phase == "both" else 1
        wrong += _run_cycles(chosen, chosen.minutes * share, console)
    if chosen.phase != "cycles":
        wrong += _run_kills(chosen, chosen.minutes - (monotonic() - begun) / 60, console)
    for failure in wrong:
        console.print(failure, style="red")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
