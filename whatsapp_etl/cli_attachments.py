"""The command line of `whatsapp-etl attachments`: how far the files of messages came."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="The files sent with messages: their bytes, and what is held of them.", no_args_is_help=True
)


@app.command("status")
def attachments_status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print how many attachments are in which state and why, and when the next are tried."""
    from whatsapp_etl import attachment_commands

    attachment_commands.status(as_json=as_json)
