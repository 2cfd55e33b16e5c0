"""Bringing the schema to the program's version, and saying so when it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection as SqlConnection

from whatsapp_etl.errors import SchemaOutdatedError
from whatsapp_etl.load.database import Database, translated
from whatsapp_etl.load.patience import Connection
from whatsapp_etl.resources import data_folder


def upgrade(database: Database, revision: str = "head") -> None:
    """Create the schema and bring its tables to `revision`.

    Two processes that upgrade at once do it one after the other; the second finds nothing to do.
    """
    with _migrating(database) as connection, translated(database.place):
        create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(database.schema))
        if not _schema_exists(connection, database.schema):
            connection.execute(create)
        with database.engine() as engine, engine.begin() as transaction:
            command.upgrade(alembic_config(transaction), revision)


def downgrade(database: Database, revision: str = "base") -> None:
    """Take the schema's tables back to `revision`; data in dropped tables is gone."""
    with _migrating(database), database.engine() as engine, engine.begin() as transaction:
        command.downgrade(alembic_config(transaction), revision)


def require_current(database: Database) -> None:
    """Return when the schema is the program's.

    Raises:
        SchemaOutdatedError: It is older, newer or not there; the message says which and what to do.
    """
    error = schema_state(database).error
    if error is not None:
        raise error


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The migrations of a database beside the program's."""

    found: tuple[str, ...]  #: The database's newest; empty: it holds no tables.
    wanted: str  #: The program's newest.
    relation: Literal["current", "none", "behind", "ahead"]

    @property
    def error(self) -> SchemaOutdatedError | None:
        """What is wrong, and the command that mends it; None when the schema is the program's."""
        match self.relation:
            case "none":
                return no_tables()
            case "behind":
                return SchemaOutdatedError(
                    "The database's tables are older than the program.", "Run `whatsapp-etl migrate`."
                )
            case "ahead":
                return SchemaOutdatedError(
                    "The database's tables are newer than the program.", "Upgrade the program."
                )
            case _:
                return None


def no_tables() -> SchemaOutdatedError:
    """Return what is wrong with a database that was not made yet."""
    return SchemaOutdatedError("The database holds no tables yet.", "Run `whatsapp-etl migrate`.")


def schema_state(database: Database) -> SchemaState:
    """Return how the database's schema stands to the program's."""
    with database.engine() as engine, engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    scripts = ScriptDirectory.from_config(alembic_config())
    wanted = scripts.get_current_head()
    assert wanted is not None
    relation: Literal["current", "none", "behind", "ahead"] = "ahead"
    if found == (wanted,):
        relation = "current"
    elif not found:
        relation = "none"
    elif set(found) <= {script.revision for script in scripts.walk_revisions()}:
        relation = "behind"
    return SchemaState(tuple(found), wanted, relation)


def alembic_config(connection: SqlConnection | None = None) -> Config:
    """Return the configuration that finds the migrations, in a checkout and in a wheel."""
    config = Config()
    config.set_main_option("script_location", str(data_folder("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    """Hold the lock under which the schema is changed."""
    key = int.from_bytes(
        hashlib.blake2b(f"whatsapp_etl/migrations/{database.schema}".encode(), digest_size=8).digest(),
        signed=True,
    )
    connection = database.connect()
    try:
        with translated(database.place):
            connection.execute("SET lock_timeout = '5min'")
            connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        yield connection
    finally:
        connection.close()


def _schema_exists(connection: Connection, schema: str) -> bool:
    # Asked first: a role without the right to create schemas may use one that is there.
    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
    return found is not None
