"""How long rows are kept, by table: a value that the settings make and the store follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

#: What the program notes about its own work; of these a plain number of days speaks.
BOOKKEEPING = (
    "sync_runs",
    "rejects",
    "disagreements",
    "session_events",
    "events",
    "sync_coverage_history",
    "agent_messages",
    "agent_proposals",
)
#: What the account said. Kept for ever unless told otherwise.
CONTENT = ("messages", "message_versions", "reaction_versions", "participant_changes", "extractions")

#: Days for which bookkeeping is kept unless told otherwise.
BOOKKEEPING_DAYS = 90
_MOST_DAYS = 36_500

#: Rows of one table that one transaction deletes at most.
BATCH_ROWS = 1000
#: Transactions at the end of one cycle; what is left then waits for the next one.
BATCHES_PER_CYCLE = 50


@dataclass(frozen=True, slots=True)
class Retention:
    """For each table the days for which its rows are kept; a table that is not in it keeps them for ever."""

    days: Mapping[str, int]

    def edge(self, table: str, now: datetime) -> datetime | None:
        """Return the instant before which rows of a table are old; None: none ever is."""
        days = self.days.get(table)
        return None if days is None else now - timedelta(days=days)

    def __str__(self) -> str:
        """Return it as `parse_retention` reads it."""
        return ",".join(f"{table}={days}" for table, days in self.days.items())


def parse_retention(text: str) -> Retention:
    """Read "messages=365,rejects=30": days by table. A number alone is meant for all bookkeeping.

    Raises:
        ValueError: A table is unknown or named twice, or the days are no number in range; says which.
    """
    told: dict[str, int] = {}  #: By table; "" stands for all bookkeeping.
    for part in filter(None, (each.strip() for each in text.split(","))):
        table, separator, number = (each.strip() for each in part.rpartition("="))
        if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= _MOST_DAYS):
            msg = f'"{part}" has no whole number of days from 1 to {_MOST_DAYS}'
            raise ValueError(msg)
        if separator and table not in {*BOOKKEEPING, *CONTENT}:
            msg = f'"{table}" is none of {", ".join((*CONTENT, *BOOKKEEPING))}'
            raise ValueError(msg)
        if table in told:
            msg = f'"{part}" tells the days of {table or "all bookkeeping"} once more'
            raise ValueError(msg)
        told[table] = int(number)
    # A table's own number stands, wherever the number for all is written.
    for_all = dict.fromkeys(BOOKKEEPING, told.pop("", BOOKKEEPING_DAYS))
    return Retention(for_all | told)
