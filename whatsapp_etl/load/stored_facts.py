"""What the database tells of the work and its results: the part of the store that only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.cursors import FeedCursors
from whatsapp_etl.load import feed_cursors, health, increment, ledger, runs, whereabouts
from whatsapp_etl.load.database import Database, translated
from whatsapp_etl.load.patience import Connection
from whatsapp_etl.model import CoverageSummary, DayCount, RunSummary
from whatsapp_etl.records import RunDetails, RunRecord, Whereabouts


class StoredFacts:
    """Reads with a connection of its own; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader: Connection | None = None

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @contextmanager
    def _reading(self) -> Iterator[Cursor[TupleRow]]:
        with translated(self._database.place):
            if self._reader is not None:
                try:
                    self._reader.execute("SELECT 1")  # an idle connection may have been cut
                except psycopg.OperationalError:
                    self._reader.close()
                    self._reader = None
            if self._reader is None:
                self._reader = self._database.connect()
            with self._reader.transaction(), self._reader.cursor() as cursor:
                yield cursor

    def cursors(self) -> FeedCursors | None:
        """Return how far the browser's list was read; None: no cycle came to its end yet."""
        with self._reading() as cursor:
            return feed_cursors.cursors(cursor)

    def due_gaps(self, now: datetime) -> Mapping[str, Sequence[str]]:
        """Return the known gaps that are to be looked for again, by chat."""
        with self._reading() as cursor:
            return increment.due_gaps(cursor, now)

    def covered_chats(self) -> frozenset[str]:
        """Return the chats that were compared before."""
        with self._reading() as cursor:
            return increment.covered_chats(cursor)

    def coverage_summary(self, now: datetime, grace: timedelta = timedelta(0)) -> CoverageSummary:
        """Sum up the coverage of all chats; gaps younger than `grace` are counted as recent."""
        with self._reading() as cursor:
            return health.coverage_summary(cursor, now, grace)

    def rejects_of_last_run(self) -> int:
        with self._reading() as cursor:
            return health.rejects_of_last_run(cursor)

    def recent_runs(self, count: int) -> tuple[RunSummary, ...]:
        """Return the last finished cycles, newest first."""
        with self._reading() as cursor:
            return runs.recent_runs(cursor, count)

    def last_runs(self, count: int) -> tuple[RunRecord, ...]:
        """Return the last cycles in full, newest first, one that still runs among them."""
        with self._reading() as cursor:
            return ledger.last_runs(cursor, count)

    def last_cycle(self) -> RunRecord | None:
        """Return the newest cycle that has ended."""
        with self._reading() as cursor:
            return ledger.last_cycle(cursor)

    def kept_runs(self) -> tuple[int, int] | None:
        """Return the numbers of the first and last cycle that are kept; None without any."""
        with self._reading() as cursor:
            return ledger.kept_runs(cursor)

    def run_details(self, run_id: int) -> RunDetails | None:
        """Return a cycle and what it changed; None when it is not there."""
        with self._reading() as cursor:
            return ledger.run_details(cursor, run_id)

    def whereabouts(
        self, keys: Sequence[str], chat_id: str, shown_id_hashes: Collection[str], *, with_text: bool
    ) -> Whereabouts:
        """Return everything that is known of one message; see `load.whereabouts`."""
        with self._reading() as cursor:
            return whereabouts.whereabouts(cursor, keys, chat_id, shown_id_hashes, with_text=with_text)

    def messages_per_day(self, days: int, zone: ZoneInfo, now: datetime) -> tuple[DayCount, ...]:
        """Count messages by day in `zone`, oldest first, today last."""
        with self._reading() as cursor:
            return health.messages_per_day(cursor, days, zone, now)

    def table_counts(self) -> Mapping[str, int]:
        """Return the number of rows by table."""
        with self._reading() as cursor:
            return health.table_counts(cursor)
