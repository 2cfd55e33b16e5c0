"""The command line of `whatsapp-etl session`: how the session went, and the login in its store."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="The session of WhatsApp Web: its history, and its login in a store.", no_args_is_help=True
)


@app.command("history")
def session_history(
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print the last changes of the session's state with their causes, newest first."""
    from whatsapp_etl import session_history as command

    command.history(last, as_json=as_json)


@app.command("backup")
def session_backup() -> None:
    """Keep the login in SESSION_STORE_URL: packed, sealed, read back and opened offline."""
    from whatsapp_etl import session_commands

    session_commands.backup()


@app.command("restore")
def session_restore(
    generation: Annotated[
        int | None, typer.Option(min=1, help="Which one; the newest whole one when left out.")
    ] = None,
) -> None:
    """Put a stored login in the place of the one that is here."""
    from whatsapp_etl import session_commands

    session_commands.restore(generation)


@app.command("list")
def session_list(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print what the store holds, newest first."""
    from whatsapp_etl import session_commands

    session_commands.list_generations(as_json=as_json)


@app.command("verify")
def session_verify(
    generation: Annotated[
        int | None, typer.Option(min=1, help="Which one; the current one when left out.")
    ] = None,
) -> None:
    """Prove a generation: checksums, and its login opened offline; changes nothing."""
    from whatsapp_etl import session_commands

    session_commands.verify(generation)


@app.command("clear")
def session_clear(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove every generation from the store; the profile stays."""
    from whatsapp_etl import session_commands

    raise typer.Exit(session_commands.clear(is_agreed=yes))
