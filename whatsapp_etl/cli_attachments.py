"""The command line of `whatsapp-etl attachments`: how far the files of messages came."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="The files sent with messages: their bytes, and what is held of them.", no_args_is_help=True
)


@app.command("fsck")
def attachments_fsck(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Put right what can be; what is lost is looked for again."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each problem.")] = False,
) -> None:
    """Compare every stored file with its row, byte by byte: missing, changed, wrongly named, left over."""
    from whatsapp_etl import attachment_commands

    raise typer.Exit(attachment_commands.fsck(is_repair=repair, as_json=as_json))


@app.command("prune")
def attachments_prune() -> None:
    """Remove files that no message has, as a program that was killed may leave them."""
    from whatsapp_etl import attachment_commands

    raise typer.Exit(attachment_commands.prune())


@app.command("mirror")
def attachments_mirror(
    again: Annotated[
        bool, typer.Option("--again", help="Copy everything, as into a store that is new.")
    ] = False,
) -> None:
    """Copy stored files into ATTACHMENTS_STORE_URL; a cycle does it with new ones."""
    from whatsapp_etl import attachment_commands

    attachment_commands.mirror(is_again=again)


@app.command("retry")
def attachments_retry() -> None:
    """Let the next cycles look again for files that were given up after twelve tries."""
    from whatsapp_etl import attachment_commands

    attachment_commands.retry()


@app.command("status")
def attachments_status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print how many attachments are in which state and why, and when the next are tried."""
    from whatsapp_etl import attachment_commands

    attachment_commands.status(as_json=as_json)
