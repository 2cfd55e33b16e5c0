"""The metadata object and the few kinds of columns that every table uses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Text,
    func,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identity() -> Column[int]:
    return Column("id", BigInteger, Identity(), primary_key=True, comment="Surrogate key.")


def text(name: str, comment: str, *, null: bool = False, **options: Any) -> Column[str]:  # noqa: ANN401  # Column's own
    return Column(name, Text, nullable=null, comment=comment, **options)


def instant(name: str, comment: str, *, null: bool = False) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=null, comment=comment)


def number(name: str, comment: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server_default = None if default is None else str(default)
    return Column(name, BigInteger, nullable=null, server_default=server_default, comment=comment)


def flag(name: str, comment: str, *, null: bool = False) -> Column[int]:
    """Return a 0/1 column, as the data contract writes flags."""
    return Column(
        name,
        SmallInteger,
        CheckConstraint(f"{name} IN (0, 1)", name=name),
        nullable=null,
        server_default=None if null else "0",
        comment=comment,
    )


def one_of(name: str, values: Iterable[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=name)


def keys_of(name: str, keys: Iterable[str]) -> CheckConstraint:
    """Return a check that a JSON object has no other keys than these."""
    listed = ", ".join(f"'{key}'" for key in keys)
    return CheckConstraint(f"{name} - ARRAY[{listed}] = '{{}}'::jsonb", name=name)


def only_row() -> Column[int]:
    """Return the key of a table that holds one row."""
    return Column(
        "id",
        Integer,
        CheckConstraint("id = 1", name="one_row"),
        primary_key=True,
        autoincrement=False,
        comment="Always 1.",
    )


def written() -> tuple[Column[Any], ...]:
    """Return the columns that say when and by which run a row was written."""
    return (
        number("first_run_id", "Run that inserted the row (`sync_runs.id`)."),
        number("last_run_id", "Last run that changed the row; a run that found it unchanged leaves it."),
        Column(
            "created_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.now(),
            comment="When the row was inserted, by the database's clock.",
        ),
        Column(
            "updated_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.now(),
            comment="When the row was last changed, by the database's clock.",
        ),
    )


def change_seq() -> Column[int]:
    return number(
        "change_seq",
        "Rises with every change of the row, in commit order: a consumer that asks for everything above "
        "the highest number it has seen misses nothing.",
    )
