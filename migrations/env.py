"""Runs migrations on the connection given by `whatsapp_etl.load.migrate`, or on PG_URL's for development."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine

from whatsapp_etl.load.database import open_database
from whatsapp_etl.load.tables import metadata
from whatsapp_etl.settings import read_settings


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


def _run_on_settings() -> None:
    settings = read_settings()
    with (
        open_database(
            settings.pg_url.get_secret_value(), settings.pg_schema, settings.pg_data_dir
        ) as database,
        database.engine() as engine,
        engine.begin() as connection,
    ):
        _run(connection)


_given = context.config.attributes.get("connection")
if _given is None:
    _run_on_settings()
elif isinstance(_given, Engine):
    with _given.begin() as _connection:
        _run(_connection)
else:
    _run(_given)
