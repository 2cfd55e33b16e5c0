"""The command line of `whatsapp-etl agent`: its chat, what it was handed, and what it proposed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from whatsapp_etl.cli_words import chosen_state, instant_of

app = typer.Typer(
    help="The agent's own chat: which it is, what its pipeline was handed, what it proposed.",
    no_args_is_help=True,
)


@app.command("status")
def agent_status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print which chat is the agent's, or which ones its name fits, and how many messages are set apart."""
    from whatsapp_etl import agent_commands

    agent_commands.status(as_json=as_json)


@app.command("list")
def agent_list(
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    dead: Annotated[bool, typer.Option("--dead", help="Only those with a delivery given up.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those with one still to do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    with_text: Annotated[bool, typer.Option("--text", help="Print what the messages say, too.")] = False,
) -> None:
    """Print the last messages handed to the agent, newest first, and how far each came."""
    from whatsapp_etl import agent_commands

    state = chosen_state(dead=dead, pending=pending)
    agent_commands.list_messages(last, state, as_json=as_json, with_text=with_text)


@app.command("replay")
def agent_replay(
    message_id: Annotated[
        UUID | None, typer.Argument(help="A message's id, as `agent list` prints it.")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Everything that was given up.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Everything since this instant: 2026-08-23T12:00:00Z.")
    ] = None,
) -> None:
    """Deliver again, under the same ids: one message, what was given up, or all since an instant."""
    from whatsapp_etl import agent_commands

    agent_commands.replay(message_id, instant_of(since) if since else None, dead=dead)


@app.command("proposals")
def agent_proposals(
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    with_text: Annotated[bool, typer.Option("--text", help="Print what they propose, too.")] = False,
) -> None:
    """Print the last proposals, newest first."""
    from whatsapp_etl import agent_commands

    agent_commands.list_proposals(last, as_json=as_json, with_text=with_text)
