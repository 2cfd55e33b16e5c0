"""Opening a database: the server of PG_URL or the embedded one, and connections with their settings."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from whatsapp_etl.errors import (
    ConfigurationError,
    DatabaseRefusedError,
    DatabaseUnreachableError,
    DatabaseUnwritableError,
    WhatsappEtlError,
)
from whatsapp_etl.load.embedded import EmbeddedServer
from whatsapp_etl.load.patience import Connection

_OLDEST_VERSION = 140000
_CONNECT_SECONDS = 10
#: A statement that waits longer for a lock fails: nothing of ours holds one that long.
_LOCK_PATIENCE = timedelta(seconds=30)
#: A server that says nothing for so long is taken for lost: no statement of a cycle takes a tenth of it.
_CYCLE_SILENCE = timedelta(minutes=10)
#: A migration rewrites whole tables, in silence.
_MIGRATION_SILENCE = timedelta(hours=6)
#: What is sent and not acknowledged for so long was sent to nobody (a network that is gone says nothing).
_UNACKNOWLEDGED_MILLISECONDS = 90_000
#: Codes that concern every chat, and say nothing against the one that was to be stored.
_TAKES_NO_WRITES = {
    "25006": "it is read-only, as a standby is",
    "53100": "its disk is full",
}


class Database:
    """One database and the schema in it. Connections are the caller's to close."""

    def __init__(
        self,
        url: str,
        schema: str,
        embedded: EmbeddedServer | None = None,
        *,
        silence: timedelta = _CYCLE_SILENCE,
        lock_patience: timedelta = _LOCK_PATIENCE,
    ) -> None:
        self._url = url
        self.schema = schema
        self._embedded = embedded
        self._silence = silence
        self._lock_patience = lock_patience
        self._pending: Callable[[Database], None] | None = None
        self._turn = threading.RLock()

    def prepare_later(self, prepare: Callable[[Database], None]) -> None:
        """Let this be done before the first connection is used: Postgres is away now.

        Whoever connects gets the error that it raises, and the next one tries again.
        """
        self._pending = prepare

    @property
    def is_embedded(self) -> bool:
        return self._embedded is not None

    @property
    def url(self) -> str:
        """The connection URL with its password, for `whatsapp-etl db url` only; never log it."""
        return self._url

    @property
    def place(self) -> str:
        """Where the database is, in words that may be logged: host and name, no user, no password."""
        if self._embedded is not None:
            return f"embedded server at {self._embedded.socket_dir}"
        parts = urlsplit(self._url)
        host = parts.hostname or "local socket"
        return f"{host}:{parts.port or 5432}{parts.path}"

    @property
    def psql(self) -> Path:
        """The psql to talk to it: the embedded server's own, else the machine's.

        Raises:
            ConfigurationError: There is none.
        """
        if self._embedded is not None:
            return self._embedded.psql
        if found := shutil.which("psql"):
            return Path(found)
        raise ConfigurationError("No psql was found.", "Install your distribution's postgresql-client.")

    def connect(self, *, autocommit: bool = True, silence: timedelta | None = None) -> Connection:
        """Open a connection whose search_path is the schema.

        Args:
            autocommit: As psycopg has it.
            silence: How long the server may say nothing to a statement; None: as long as a cycle bears.

        Raises:
            DatabaseUnreachableError: Nothing answers, or it refuses the login.
            ConfigurationError: PG_URL cannot be read, or the server is too old.
        """
        self._prepare()
        try:
            connection = self._connect()
        except DatabaseUnreachableError:
            if self._embedded is None:
                raise
            self._embedded.start()  # it may have died since it was opened
            connection = self._connect()
        connection.silence = silence or self._silence
        with ExitStack() as unless_ready, translated(self.place):
            unless_ready.callback(connection.close)
            if connection.info.server_version < _OLDEST_VERSION:
                raise ConfigurationError(
                    "PG_URL: the server is older than PostgreSQL 14.", "Use 14 or newer."
                )
            connection.execute(
                "SELECT set_config('search_path', quote_ident(%s), false),"
                " set_config('TimeZone', 'UTC', false),"
                " set_config('DateStyle', 'ISO', false),"
                " set_config('lock_timeout', %s, false),"
                # A killed program's long statement ends, and with it its lock.
                " set_config('client_connection_check_interval', '5s', false)",
                (self.schema, f"{self._lock_patience / timedelta(milliseconds=1):.0f}ms"),
            )
            unless_ready.pop_all()
        connection.autocommit = autocommit
        return connection

    def _prepare(self) -> None:
        with self._turn:  # a second thread waits; what is prepared connects in this one
            if (prepare := self._pending) is not None:
                self._pending = None
                with ExitStack() as unless_done:
                    unless_done.callback(self.prepare_later, prepare)
                    prepare(self)
                    unless_done.pop_all()

    def _connect(self) -> Connection:
        try:
            return Connection.connect(
                self._url,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                application_name=f"whatsapp-etl/{os.getpid()}@{socket.gethostname()}"[:63],
                keepalives_idle=60,
                keepalives_interval=10,
                keepalives_count=3,
                tcp_user_timeout=_UNACKNOWLEDGED_MILLISECONDS,
                client_encoding="UTF8",
            )
        except psycopg.OperationalError:
            # The driver's text may hold the user and parts of the URL.
            raise DatabaseUnreachableError(
                f"Postgres does not answer, refuses the login or has no connection left ({self.place}).",
                "Check that it runs and that PG_URL has the right host, user and password.",
            ) from None
        except psycopg.Error:
            raise ConfigurationError(
                "PG_URL: cannot be read.", "It looks like postgresql://user:password@host:5432/database."
            ) from None

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Yield an SQLAlchemy engine over `connect`, for migrations."""
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: self.connect(autocommit=False, silence=_MIGRATION_SILENCE),
            poolclass=NullPool,
            hide_parameters=True,
        )
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def open_database(
    pg_url: str, schema: str, data_dir: Path, *, may_be_away: bool = False
) -> Iterator[Database]:
    """Open PG_URL, or the embedded server in `data_dir` when it is empty; stop that one at the end.

    Args:
        pg_url: "postgresql://…" or "postgres://…"; empty: the embedded server.
        schema: Schema of the account's tables.
        data_dir: The embedded server's folder. Programs on the same folder share one server.
        may_be_away: Whether the server of PG_URL is not asked yet.

    Raises:
        DatabaseUnreachableError: The server does not answer; the message says where it is expected.
        ConfigurationError: PG_URL or PG_DATA_DIR is wrong.
    """
    if pg_url:
        database = Database(_plain_url(pg_url), schema)
        if not may_be_away:
            database.connect().close()
        yield database
        return
    with EmbeddedServer(data_dir) as server:
        yield Database(server.url, schema, server)


def _plain_url(url: str) -> str:
    """Accept SQLAlchemy's spelling of the scheme as well."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            "PG_URL: is no Postgres URL.", "It looks like postgresql://user:password@host:5432/database."
        )
    try:
        urlsplit(f"postgresql://{rest}").port  # noqa: B018  # reading it checks it
    except ValueError:
        raise ConfigurationError("PG_URL: its port is no number.", "Postgres' own port is 5432.") from None
    return f"postgresql://{rest}"


@contextmanager
def translated(place: str = "") -> Iterator[None]:
    """Turn the driver's errors into the program's.

    The driver's texts quote rows ("Key (…)=(…)", the line of a COPY), so nothing of them is kept
    but the code and the names of table and constraint.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _error_of(error, place) from None


def _error_of(error: psycopg.Error, place: str) -> WhatsappEtlError:
    code = error.sqlstate
    if code in _TAKES_NO_WRITES:
        return DatabaseUnwritableError(
            f"Postgres takes no writes: {_TAKES_NO_WRITES[code]}{f' ({place})' if place else ''}.",
            "What was not committed is rolled back and stored once it does.",
        )
    # 08: connection, 57P: shut down. No code at all: the connection is gone.
    if isinstance(error, psycopg.OperationalError) and (code is None or code.startswith(("08", "57P"))):
        where = f" ({place})" if place else ""
        return DatabaseUnreachableError(
            f"The connection to Postgres was lost{where}.",
            "What was not committed is rolled back and read again in the next cycle.",
        )
    named = [part for part in (error.diag.table_name, error.diag.constraint_name) if part]
    thing = f" on {', '.join(named)}" if named else ""
    return DatabaseRefusedError(
        f"Postgres refused a statement{thing} ({type(error).__name__}, {code or 'no code'}).",
        "Nothing of it was stored. See the server's log.",
    )
