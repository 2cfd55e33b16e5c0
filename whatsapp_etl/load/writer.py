"""The one connection that writes: it holds the account's advisory lock as long as it lives."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.errors import WriterBusyError
from whatsapp_etl.load.copytext import ATTACHMENT_COLUMNS, MESSAGE_COLUMNS
from whatsapp_etl.load.database import Database, translated
from whatsapp_etl.load.patience import Connection

#: How long a killed predecessor's session may take to end before it counts as alive.
PATIENCE = timedelta(seconds=5)


class Writer:
    """Gives transactions on a connection that is the only writer of its schema.

    Lock and work share the connection: a writer that lost its lock has lost its connection too, and
    cannot write any more. After such a loss the next transaction takes both anew.
    """

    def __init__(self, database: Database, patience: timedelta = PATIENCE) -> None:
        self._database = database
        self._patience = patience
        self._connection: Connection | None = None
        self._turn = threading.RLock()
        self._has_staging = False

    @contextmanager
    def transaction(
        self, *, is_rehearsal: bool = False, has_staging: bool = False
    ) -> Iterator[Cursor[TupleRow]]:
        """Yield a cursor in a transaction that is committed at the end, or rolled back on any error.

        Args:
            is_rehearsal: Whether it is rolled back in any case.
            has_staging: Whether the staging tables must stand in it, empty.

        Raises:
            WriterBusyError: Another process holds the account's lock; the message names it.
            DatabaseUnreachableError: The connection was lost; nothing of this transaction is stored.
            DatabaseRefusedError: A statement failed.
        """
        with self._turn, translated(self._database.place):
            connection = self._locked()
            try:
                if has_staging:
                    self._prepare_staging(connection)
                with connection.transaction(force_rollback=is_rehearsal), connection.cursor() as cursor:
                    yield cursor
            finally:
                if connection.closed:
                    self._forget()

    def staging(self) -> AbstractContextManager[Cursor[TupleRow]]:
        """Return a transaction in which the staging tables stand, empty."""
        return self.transaction(has_staging=True)

    def tidy(self, table: str) -> None:
        """Let Postgres mark freshly loaded rows as settled, which it does outside transactions only."""
        with self._turn, translated(self._database.place):
            self._locked().execute(psycopg.sql.SQL("VACUUM {}").format(psycopg.sql.Identifier(table)))

    def close(self) -> None:
        """Give back the lock."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._forget()

    def _forget(self) -> None:
        self._connection = None
        self._has_staging = False

    def _locked(self) -> Connection:
        if self._connection is not None:
            try:
                self._connection.execute("SELECT 1")  # an idle connection may have been cut
            except psycopg.OperationalError:
                self._connection.close()
                self._forget()
        if self._connection is None:
            with ExitStack() as unless_locked:
                connection = self._database.connect()
                unless_locked.callback(connection.close)
                self._take_lock(connection)
                unless_locked.pop_all()
            self._connection = connection
        return self._connection

    def _take_lock(self, connection: Connection) -> None:
        key = writer_key(self._database.schema)
        milliseconds = str(max(1, int(self._patience.total_seconds() * 1000)))  # 0 would be for ever
        try:
            with connection.transaction():
                connection.execute("SELECT set_config('lock_timeout', %s, true)", (milliseconds,))
                connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        except psycopg.errors.LockNotAvailable:
            raise WriterBusyError(
                f"Another program writes this account's data: {_holder(connection, key)}.",
                "Stop it, or let it do the work.",
            ) from None

    def _prepare_staging(self, connection: Connection) -> None:
        # On the very connection that uses them: another one has none.
        if self._has_staging:
            return
        with connection.transaction():
            for statement in _STAGING:
                connection.execute(statement)
        self._has_staging = True


def writer_key(schema: str) -> int:
    """Return the advisory lock's number: one account, one schema, one writer."""
    digest = hashlib.blake2b(f"whatsapp_etl/writer/{schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _holder(connection: Connection, key: int) -> str:
    row = connection.execute(
        "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND ((l.classid::bigint << 32) | l.objid::bigint) = %s",
        (key,),
    ).fetchone()
    if row is None:
        return "it has just ended"
    name, backend = row
    process = str(name or "").removeprefix("whatsapp-etl/")
    return f"process {process}, Postgres backend {backend}" if process else f"Postgres backend {backend}"


# Made once for a connection and emptied at each commit: a catalog entry for each chat and cycle would
# be more writing than most cycles' data.
_STAGING = (
    """CREATE TEMP TABLE stage_keys (n integer, external_id text, chat_id text, stanza_id text,
       is_outgoing smallint, author_id text) ON COMMIT DELETE ROWS""",
    f"""CREATE TEMP TABLE stage_messages ON COMMIT DELETE ROWS AS
       SELECT id, {", ".join(MESSAGE_COLUMNS)} FROM messages WITH NO DATA""",  # noqa: S608  # constants
    f"""CREATE TEMP TABLE stage_attachments ON COMMIT DELETE ROWS AS
       SELECT message_id, {", ".join(ATTACHMENT_COLUMNS)} FROM attachments WITH NO DATA""",  # noqa: S608  # constants
    """CREATE TEMP TABLE stage_index
       (external_id text, chat_id text, sent_at timestamptz, source_revision text) ON COMMIT DELETE ROWS""",
)
