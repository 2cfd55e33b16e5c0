"""A connection beside the account's writer, opened when it is needed, opened again when it was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.database import Database, translated
from whatsapp_etl.load.patience import Connection


class Beside:
    """One connection; for one thread.

    Raises (every method of whoever builds on it):
        DatabaseUnreachableError: The connection was lost; the next call opens a new one.
        DatabaseRefusedError: A statement failed; its transaction is rolled back.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[Cursor[TupleRow]]:
        with translated(self._database.place):
            if self._connection is not None:
                try:
                    self._connection.execute("SELECT 1")  # an idle connection may have been cut
                except psycopg.OperationalError:
                    self.close()
            if self._connection is None:
                self._connection = self._database.connect()
            with self._connection.transaction(), self._connection.cursor() as cursor:
                yield cursor
