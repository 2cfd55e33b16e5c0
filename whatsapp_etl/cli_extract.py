"""The command line of reading pictures; importing it imports no extractor."""

from __future__ import annotations

from typing import Annotated

import typer

from whatsapp_etl.errors import ConfigurationError


def extract(
    once: Annotated[bool, typer.Option("--once", help="Read what is due, and end.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="First queue what this engine in this version has not read."),
    ] = False,
    dead: Annotated[bool, typer.Option("--dead", help="First queue what was given up.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Print how many pictures wait, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the status as JSON.")] = False,
    attached: Annotated[bool, typer.Option("--attached", hidden=True)] = False,
) -> None:
    """Read text in stored pictures, on this machine; any number of these share the work."""
    if once + follow + status != 1:
        raise ConfigurationError("Say --once, --follow or --status.", "One of them.")
    from whatsapp_etl import extract_command

    if status:
        extract_command.show_status(as_json=as_json)
        return
    raise typer.Exit(extract_command.extract(follows=follow, again=again, dead=dead, is_attached=attached))
