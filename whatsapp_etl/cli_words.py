"""What several command lines read in the same way."""

from __future__ import annotations

from datetime import datetime

import typer


def instant_of(text: str) -> datetime:
    """Return an instant with its zone.

    Raises:
        typer.BadParameter: It is none, or names no zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" is not an instant; write 2026-08-23T12:00:00Z') from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f'"{text}" names no zone; write 2026-08-23T12:00:00Z')
    return instant
