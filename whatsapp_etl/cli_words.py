"""What several command lines read in the same way."""

from __future__ import annotations

from datetime import datetime

import typer

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.happenings import DeliveryState


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


def chosen_state(*, dead: bool, pending: bool) -> DeliveryState | None:
    """Return the state of deliveries that is asked for; None: any.

    Raises:
        ConfigurationError: Both are.
    """
    if dead and pending:
        raise ConfigurationError("--dead and --pending exclude each other.", "Take one.")
    return DeliveryState.DEAD if dead else DeliveryState.PENDING if pending else None
